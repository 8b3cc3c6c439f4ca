"""Do intervals cover what they should, and does one seed say that it is one?"""

import numpy as np

from study.analysis.scaling import contrasts, slope
from study.analysis.series import Entry, Series, series

SIZES = ("xs", "s", "m")
PARAMETERS = {"xs": 10_000, "s": 100_000, "m": 1_000_000}


def curve(means, noise=0.0, seeds=2, dice=0, arm="none", count=400) -> Series:
    rng = np.random.default_rng(dice)
    entries = {}
    for size, mean in zip(SIZES, means, strict=True):
        for seed in range(seeds):
            value = mean + rng.normal(0, noise)
            entries[(size, seed)] = Entry(value, np.full(count, value))
    found = series(arm, "t", entries, SIZES, PARAMETERS)
    assert found is not None
    return found


def test_interval_over_two_seeds_covers_at_its_nominal_rate():
    inside = [(e := curve([5.0, 5.0, 5.0], noise=3.0, dice=n, count=1000).mean()).low < 5 < e.high for n in range(600)]
    assert 0.92 < np.mean(inside) < 0.98


def test_slope_covers_at_its_nominal_rate():
    found = [slope(curve([1.0, 2.0, 3.0], noise=2.0, dice=n, count=1000)) for n in range(600)]
    assert 0.92 < np.mean([e.low < 1 < e.high for e in found if e]) < 0.98


def test_one_seed_has_no_seed_noise_and_says_so():
    found = curve([1.0, 2.0, 3.0], seeds=1)
    assert not found.seed_noise and found.mean().low == found.mean().high == 2.0


def test_nothing_is_nothing():
    assert series("a", "t", {}, SIZES, PARAMETERS) is None


def test_missing_seeds_are_not_filled_in():
    entries = {
        ("xs", 0): Entry(1.0, np.ones(10)),
        ("xs", 1): Entry(3.0, np.ones(10)),
        ("m", 0): Entry(9.0, np.ones(10)),
    }
    found = series("a", "t", entries, SIZES, PARAMETERS)
    assert found is not None and found.sizes == ("xs", "m")
    assert list(found.points) == [2.0, 9.0] and (found.seeds_at("xs"), found.seeds_at("m")) == (2, 1)
    assert found.at("s") is None


def test_slope_and_contrasts_of_a_straight_line():
    line = curve([10.0, 14.0, 18.0])
    assert slope(line).point == 4.0
    assert [(a, b, change.point) for a, b, change in contrasts(line)] == [
        ("xs", "m", 8.0),
        ("xs", "s", 4.0),
        ("s", "m", 4.0),
    ]

"""Are planted curves found again, and does nothing claim an exponent that the scores do not hold?"""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from study.analysis.fits import CEILING, EXPONENTS, fitted, line, power, powers
from study.analysis.series import Entry, Series, series

SIZES = ("a", "b", "c", "d", "e")
PARAMETERS = {size: int(10 ** (7 + 0.5 * step)) for step, size in enumerate(SIZES)}
X = np.log10(list(PARAMETERS.values())) - 7


def curve(scores, noise=0.2, seeds=3, dice=0) -> Series:
    rng = np.random.default_rng(dice)
    entries = {}
    for size, score in zip(SIZES, scores, strict=False):
        for seed in range(seeds):
            value = score + rng.normal(0, noise)
            entries[size, seed] = Entry(value, value + rng.normal(0, noise, 400))
    found = series("none", "t", entries, SIZES, PARAMETERS)
    assert found is not None
    return found


def saturating(a=80.0, b=30.0, c=0.6):
    return a - b * 10 ** (-c * X)


def test_a_planted_power_law_is_found_and_chosen():
    both = fitted(curve(saturating()))
    assert both is not None and both.chosen is both.power and both.power.determined
    for found, planted in ((both.power.a, 80.0), (both.power.b, 30.0), (both.power.c, 0.6)):
        assert found.low < planted < found.high
    assert both.power.left_out < both.line.left_out and both.power.aicc < both.line.aicc


def test_planted_exponents_are_covered():
    inside = [
        fit.c.low <= 0.6 <= fit.c.high for n in range(60) if (fit := fitted(curve(saturating(), 0.5, dice=n)).power)
    ]
    assert np.mean(inside) > 0.88


def test_a_straight_line_stays_one_and_its_exponent_is_not_determined():
    both = fitted(curve(40 + 8 * X))
    assert both is not None and both.chosen is both.line and not both.power.determined
    assert both.line.b.low < 8 < both.line.b.high


def test_the_constrained_fit_agrees_with_scipy():
    scores, errors = saturating() + np.array([0.3, -0.2, 0.1, -0.1, 0.2]), np.array([0.5, 0.4, 0.3, 0.4, 0.5])
    theirs, _ = curve_fit(lambda x, a, b, c: a - b * 10 ** (-c * x), X, scores, (75, 25, 0.5), sigma=errors)
    assert power(X, scores, errors) == pytest.approx(theirs, rel=1e-3)
    both = powers(X, np.stack([scores, scores], axis=1), errors)
    assert both[:, 0] == pytest.approx(theirs, rel=0.05) and (both[:, 0] == both[:, 1]).all()


def test_the_line_is_weighted_least_squares():
    scores, errors = np.array([1.0, 2.0, 2.0, 5.0, 4.0]), np.array([1.0, 1.0, 2.0, 2.0, 1.0])
    slope, start = np.polyfit(X, scores, 1, w=1 / errors)
    assert line(X, scores[:, None], errors)[:, 0] == pytest.approx([start, slope])


def test_the_ceiling_is_a_hundred_and_falling_scores_are_flat():
    a, b, c = power(X, np.array([10.0, 30.0, 55.0, 85.0, 120.0]), np.ones(5))
    assert a <= CEILING and b >= 0 and EXPONENTS[0] <= c <= EXPONENTS[1]
    a, b, _ = power(X, np.array([90.0, 80.0, 70.0, 60.0, 50.0]), np.ones(5))
    assert (a, b) == (70.0, 0.0)


def test_never_from_three_points():
    assert fitted(curve(saturating()[:3])) is None
    four = fitted(curve(saturating()[:4]))
    assert four is not None and np.isnan(four.power.aicc) and np.isfinite(four.line.aicc)


def test_bands_end_with_the_ladder_and_are_the_same_twice():
    first, second = (fitted(curve(saturating())).power for _ in range(2))
    x, y, low, high = first.band
    assert x[0] == pytest.approx(PARAMETERS["a"]) and x[-1] == pytest.approx(PARAMETERS["e"], rel=1e-6)
    assert (low <= y).all() and (y <= high).all()
    assert first.c == second.c and (first.band[2] == second.band[2]).all()

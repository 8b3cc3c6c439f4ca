"""Is the equivalent size read off the ladder, never extrapolated, and a doubling of size reckoned as one?"""

import numpy as np
import pytest

from study.analysis.levers import equivalent, lever, levers
from study.analysis.resample import Resampled
from tests.study.analysis.planted import PARAMETERS, study
from tests.study.analysis.planted import basis as rebuilt

LADDER = np.log10([1e4, 1e5, 1e6])


def factors(curve, wanted, home: int) -> list[float]:
    rising = np.maximum.accumulate(np.array(curve, dtype=float))
    return equivalent(LADDER, np.tile(rising[:, None], (1, len(wanted))), np.array(wanted, dtype=float), home).tolist()


def test_factor_is_read_between_the_sizes_and_the_ends_are_named():
    assert factors([50, 60, 70], [60, 65, 70, 70.1, 50, 49.9], home=1) == pytest.approx(
        [1, 10**0.5, 10, np.inf, 0.1, 0]
    )


def test_a_dip_is_passed_over_by_the_running_maximum():
    assert factors([60, 50, 70], [65], home=0) == pytest.approx([10**1.5])
    assert factors([60, 60, 60], [60, 61, 59], home=1) == pytest.approx([1, np.inf, 0]), "nothing gained is worth ×1"


def one(gain, **more):
    found = levers(study(lambda *_: gain, arms=("none", "siqa"), **more))
    return found, found.pooled["siqa"]


def test_a_planted_factor_is_covered():
    """A gain of five points on a curve that rises ten per tenfold parameters is worth a factor of 10 ** 0.5."""
    inside = []
    for dice in range(60):
        found = one(5.0, dice=dice)[1].equivalents
        assert [e.size for e in found] == ["xs", "s", "m"]
        inside += [e.low <= 10**0.5 <= e.high for e in found[:2]]
    assert 0.88 < np.mean(inside) <= 1.0


def test_the_largest_size_is_beyond_and_its_interval_one_sided():
    last = one(5.0)[1].equivalents[-1]
    assert last.point == np.inf and last.high == np.inf and last.low > 1


def test_a_doubling_is_the_slope_over_log2():
    """30, 40, 50 points at 1e4, 1e5, 1e6: ten per tenfold are 3.0103 per doubling; the arm adds eight."""
    level = {"xs": 30.0, "s": 40.0, "m": 50.0}
    found = one(8.0, level=level, seed_noise=0.0, dice=1)[1]
    assert found.doubling.point == pytest.approx(3.0103, abs=0.4)
    assert found.gain.point == pytest.approx(8.0, abs=0.7)
    assert found.against_doubling.point == pytest.approx(found.gain.point - found.doubling.point)
    assert found.against_next.point == pytest.approx(8.0 - 10.0, abs=1.0)
    assert found.against_doubling.low < 8.0 - 3.0103 < found.against_doubling.high


def test_intervals_of_the_differences_cover():
    inside = []
    for dice in range(120):
        found = one(8.0, dice=dice, draws=60)[1]
        inside.append(found.against_doubling.low < 8.0 - 3.0103 < found.against_doubling.high)
        inside.append(found.against_next.low < -2.0 < found.against_next.high)
    assert 0.9 < np.mean(inside) < 0.995


def test_what_the_examples_share_does_not_widen_the_difference():
    """The arm and none see the same examples: a shared spread of 1.5 points is in neither difference."""
    found = one(8.0, seed_noise=0.0)[1]
    assert found.against_doubling.error < 0.5 * found.doubling.error + 0.5


def test_verdicts_stand_only_when_all_arms_are_counted():
    found, _ = one(20.0)
    assert found.doubling.stands("siqa") and found.next_size.stands("siqa")


def test_one_size_is_no_ladder():
    basis = study(lambda *_: 5.0, sizes=("s",), arms=("none", "siqa"))
    assert lever(basis.resampled, basis.design, ("xcopa",), basis.gains["siqa"]["xcopa"]) is None
    assert levers(basis).pooled == {}


def test_a_missing_size_of_the_arm_is_not_filled_in():
    basis = study(lambda *_: 5.0, arms=("none", "siqa"))
    cells = {cell: value for cell, value in basis.resampled.points.items() if cell[:2] != ("s", "siqa")}
    drawn = {cell: basis.resampled.draws[cell] for cell in cells}
    found = levers(rebuilt(Resampled(150, cells, drawn), basis.design)).pooled["siqa"]
    assert [e.size for e in found.equivalents] == ["xs", "m"]


def test_targets_and_their_mean_are_both_there():
    found, _ = one(5.0)
    assert list(found.by_arm["siqa"]) == ["xcopa", "udpos", "xquad", "all targets"]
    assert PARAMETERS["m"] / PARAMETERS["s"] == 10


@pytest.mark.parametrize(
    "lost",
    [
        {("m", "siqa", "xnli", 0)},
        {("s", "none", "xcopa", 2), ("xs", "siqa", "xcopa", 1)},
        {("m", "siqa", "xcopa", 0), ("m", "siqa", "xcopa", 1), ("m", "none", "xcopa", 2)},
    ],
    ids=["the arm lacks a cell", "both lack one", "no seed of a size is in both"],
)
def test_the_arm_adds_what_its_gain_says_though_cells_are_missing(lost):
    """A seed's luck is large here: an unpaired difference over other seeds would be several points off."""
    whole = study(lambda *_: 4.0, arms=("none", "siqa"), targets=("xcopa", "xnli"), seed_noise=6.0)
    kept = [cell for cell in whole.resampled.points if cell[:4] not in lost]
    less = Resampled(
        whole.resampled.count,
        {cell: whole.resampled.points[cell] for cell in kept},
        {cell: whole.resampled.draws[cell] for cell in kept},
    )
    for found in levers(rebuilt(less, whole.design)).by_arm["siqa"].values():
        assert found.against_doubling.point + found.doubling.point == pytest.approx(found.gain.point)

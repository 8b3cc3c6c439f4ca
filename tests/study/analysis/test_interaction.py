"""Is a planted slope found, does the answer follow the number of sizes, and do the checks of it agree?"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from study.analysis.interaction import interaction
from study.analysis.noise import Estimate
from study.analysis.robust import clustered
from study.analysis.slope_checks import Check, bootstraps, least_squares, mixed, rows, slope_checks
from tests.study.analysis.planted import PARAMETERS, study

FIVE = ("xs", "s", "m", "l", "xl")


def growing(per_tenfold: float):
    """Gain by size: `per_tenfold` points for every tenfold parameters."""
    return lambda arm, target, size: per_tenfold * float(np.log10(PARAMETERS[size]) - 6)


def pooled_rows(of):
    return rows(of.resampled, of.design, of.pools["siqa"])


def test_three_sizes_answer_with_the_contrast_and_four_with_the_slope():
    three = interaction(study(growing(2.0), seed_noise=0.0)).pooled["siqa"]
    assert three.answer == three.contrast and three.contrast.point == pytest.approx(4.0, abs=1.0)
    five = interaction(study(growing(2.0), sizes=FIVE, seed_noise=0.0)).pooled["siqa"]
    assert five.answer == five.slope and five.slope.point == pytest.approx(2.0, abs=0.5)
    assert five.answer_like == five.slope_like


def test_planted_slope_is_covered_at_its_nominal_rate():
    worlds = (study(growing(2.0), dice=n, draws=60, arms=("none", "siqa")) for n in range(120))
    found = [interaction(one).pooled["siqa"] for one in worlds]
    inside = np.mean([one.slope.low < 2.0 < one.slope.high for one in found])
    assert 0.89 < inside < 0.99
    wider = np.mean([one.slope_like.low < 2.0 < one.slope_like.high for one in found])
    assert wider > 0.9


def test_the_smallest_change_it_could_have_seen_is_seen_four_times_in_five():
    def answers(per_tenfold: float) -> list[Estimate]:
        worlds = (study(growing(per_tenfold), dice=n, draws=60, arms=("none", "siqa")) for n in range(120))
        return [interaction(one).pooled["siqa"].answer for one in worlds]

    smallest = float(np.median([one.detectable for one in answers(0.0)]))
    seen = np.mean([one.positive for one in answers(smallest / 2)])  # the contrast spans two tenfolds
    assert 0.68 < seen < 0.92


def test_one_size_has_nothing_to_say():
    found = interaction(study(growing(2.0), sizes=("s",)))
    assert found.pooled == {} and found.arms.size == 0 and slope_checks(study(sizes=("s",))) == {}


def test_clustered_errors_are_hc3_of_the_clusters_means():
    """Balanced rows whose regressor is the cluster's: the slope is that of the means, and so is its error."""
    rng = np.random.default_rng(1)
    x = np.repeat([0.0, 0.0, 1.0, 1.0, 2.5, 2.5], 7)
    clusters = np.repeat(np.arange(6), 7)
    y = 3 * x + np.repeat(rng.normal(0, 2, 6), 7) + rng.normal(0, 1, 42)
    found = clustered(y, np.column_stack([np.ones(42), x]), 1, clusters, between=2)
    means = pd.DataFrame({"y": y, "x": x, "c": clusters}).groupby("c").mean()
    expected = sm.OLS(means["y"], sm.add_constant(means["x"])).fit(cov_type="HC3", use_t=True)
    assert found.point == pytest.approx(expected.params["x"])
    assert found.error == pytest.approx(expected.bse["x"])
    assert found.freedom == 4 and found.high - found.point == pytest.approx(2.7764 * found.error, rel=1e-4)


def test_a_regression_that_cannot_tell_gives_nothing():
    x = np.ones((6, 2))
    assert clustered(np.arange(6.0), x, 1, np.arange(6), between=2) is None
    line = np.column_stack([np.ones(6), np.arange(6.0)])
    assert clustered(np.arange(6.0), line, 1, np.array([0, 0, 0, 1, 1, 1]), between=2) is None


def test_rows_weigh_every_target_alike():
    of = pooled_rows(study(growing(2.0), seeds=(0, 1)))
    assert len(of.gain) == 3 * 2 * 3 * 5 and of.weight == pytest.approx(1 / 15)
    assert len(set(of.checkpoint.tolist())) == 6
    of_small = interaction(study(growing(2.0), seeds=(0, 1))).pooled["siqa"]
    assert least_squares(of).slope.point == pytest.approx(of_small.slope.point)


def test_mixed_model_of_balanced_rows_is_the_line_through_the_checkpoints_means():
    """REML of a balanced design: the slope and the error of least squares on the means of the checkpoints."""
    of = pooled_rows(study(growing(2.0), sizes=FIVE, seeds=(0, 1)))
    means = pd.DataFrame({"y": of.gain, "x": of.x, "c": of.checkpoint}).groupby("c").mean()
    expected = sm.OLS(means["y"], sm.add_constant(means["x"])).fit()
    found = mixed(of)
    assert found is not None and found.slope.freedom == 10 - 2
    assert found.slope.point == pytest.approx(expected.params["x"])
    assert found.slope.error == pytest.approx(expected.bse["x"], rel=1e-3)


def test_few_checkpoints_or_languages_get_no_mixed_model():
    assert mixed(pooled_rows(study(growing(2.0), seeds=(0, 1)))) is None
    assert mixed(pooled_rows(study(growing(2.0), sizes=FIVE, codes=("en", "de")))) is None


def test_bootstrap_of_two_seeds_spreads_as_much_as_their_mean_does():
    """No noise but the seeds', two per size: the error of a mean of two values is half their distance."""
    one = study(growing(0.0), seeds=(0, 1), codes=("en",), targets=("xcopa",), seed_noise=5.0, draws=4000)
    of = pooled_rows(one)
    of = type(of)(**{**vars(of), "draws": np.repeat(of.gain[:, None], 4000, axis=1)})
    values = of.gain.reshape(3, 2)
    weights = np.array([-0.5, 0.0, 0.5])  # of the slope over 4, 5, 6
    expected = float(np.sqrt((weights**2) @ (np.diff(values)[:, 0] / 2) ** 2))
    assert bootstraps(of, "siqa")[0].slope.error == pytest.approx(expected, rel=0.05)


def test_the_checks_agree_with_the_report_where_seeds_are_many():
    seeds = tuple(range(6))
    agreed = []
    for dice in range(12):
        one = study(growing(2.0), sizes=FIVE, seeds=seeds, dice=dice, draws=200, arms=("none", "siqa"))
        change = interaction(one).pooled["siqa"]
        found = slope_checks(one)["siqa"]
        agreed += [check.agrees(change.slope_like if check.like else change.slope) for check in found]
    assert len(agreed) == 12 * 4 and np.mean(agreed) > 0.85


@pytest.mark.parametrize(
    ("point", "error", "excess", "agrees"),
    [
        (1.0, 1.0, 1.0, True),
        (1.6, 1.0, 1.0, False),
        (1.0, 1.6, 1.0, False),
        (1.0, 0.6, 1.0, False),
        (1.0, 2.0, 2**0.5, True),
        (1.0, 2.2, 2**0.5, False),
    ],
)
def test_what_counts_as_agreement(point, error, excess, agrees):
    check = Check("x", Estimate(point, 0, 0, error), excess=excess)
    assert check.agrees(Estimate(1.0, 0, 0, 1.0)) is agrees


def test_checks_are_the_same_twice():
    one, other = (slope_checks(study(growing(2.0), dice=3)) for _ in range(2))
    assert one == other and set(one) == {"siqa", "csqa"}

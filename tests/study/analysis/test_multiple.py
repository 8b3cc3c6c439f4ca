"""Are many comparisons counted, and does a study without effect claim nothing more often than it may?"""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from study.analysis.interaction import interaction
from study.analysis.levels import ALL_SIZES, KINDS, NAMES, levels
from study.analysis.levers import levers
from study.analysis.multiple import Family, correct, holm
from study.analysis.noise import Estimate
from study.analysis.resample import Resampled
from tests.study.analysis.planted import basis, study

STUDIES = 150


def estimate(p: float) -> Estimate:
    """With infinite degrees of freedom, so that p is exact."""
    return Estimate(float(stats.norm.isf(p / 2)), 0.0, 0.0, 1.0)


def test_corrected_values_by_hand():
    found = correct("x", {(name,): estimate(p) for name, p in zip("abcd", (0.01, 0.04, 0.03, 0.005), strict=True)})
    assert found.size == 4
    assert [found.holm[(name,)] for name in "abcd"] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [found.fdr[(name,)] for name in "abcd"] == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert [found.stands(name) for name in "abcd"] == [True, False, False, True]


def test_holm_is_what_statsmodels_gives():
    values = np.random.default_rng(0).random(40) ** 3
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])


def test_nothing_stands_in_an_empty_family_and_no_stranger_does():
    assert correct("x", {}) == Family("x")
    assert not correct("x", {("a",): estimate(0.001)}).stands("b")


def test_a_number_without_noise_is_no_finding():
    assert correct("x", {("a",): Estimate(3.0, 3.0, 3.0, 0.0)}).holm == {("a",): 1.0}


@pytest.fixture(scope="module")
def without_effect():
    """For every family, in how many of `STUDIES` something is claimed; arms do nothing, sizes matter as they do."""
    claims: dict[str, int] = {}
    for dice in range(STUDIES):
        one = study(dice=dice, arms=("none", "siqa", "csqa"), targets=("xcopa", "xnli", "udpos"), draws=60)
        change = interaction(one)
        for family in (*levels(one).families.values(), change.arms, change.targets):
            claims[family.name] = claims.get(family.name, 0) + any(family.stands(*key) for key in family.holm)
    return claims


def test_a_study_without_effect_claims_nothing_in_nineteen_of_twenty(without_effect):
    assert len(without_effect) == len(NAMES) + 2
    assert max(without_effect.values()) <= stats.binom.ppf(0.999, STUDIES, 0.05), without_effect
    assert sum(without_effect.values()) > 0, "a test that never errs would see nothing"


def test_an_arm_worth_a_doubling_is_not_told_from_one():
    """Ten points per tenfold parameters are 3.01 for a doubling; that is what the arm adds."""
    claims = 0
    for dice in range(80):
        found = levers(study(lambda *_: 10 * np.log10(2), dice=dice, arms=("none", "siqa"), draws=60))
        claims += found.doubling.stands("siqa")
    assert claims <= stats.binom.ppf(0.999, 80, 0.05)


def test_large_effects_stand_at_every_level():
    found = levels(study(lambda arm, target, size: 30.0 if arm == "siqa" else 0.0, targets=("xcopa", "xnli", "udpos")))
    for row in found.rows:
        assert found.stands(row) == (row.arm == "siqa")


def test_levels_are_means_of_means_and_name_their_groups():
    def gain(arm: str, target: str, size: str) -> float:
        return {"xcopa": 2.0, "xnli": 4.0, "udpos": 9.0}[target]

    found = levels(study(gain, targets=("xcopa", "xnli", "udpos"), arms=("none", "siqa")))
    rows = {(row.of, row.name): row.gain.point for row in found.rows if row.size == ALL_SIZES}
    assert set(rows) == {
        ("overall", "all targets"),
        ("group", "classification"),
        ("target", "xcopa"),
        ("target", "xnli"),
        ("target", "udpos"),
    }
    assert rows[("group", "classification")] == pytest.approx(
        (rows[("target", "xcopa")] + rows[("target", "xnli")]) / 2
    )
    three = [rows[("target", name)] for name in ("xcopa", "xnli", "udpos")]
    assert rows[("overall", "all targets")] == pytest.approx(np.mean(three))


def test_every_target_is_in_one_group_at_most():
    targets = [target for group in KINDS.values() for target in group]
    assert len(targets) == len(set(targets)) and {"pawsx", "bucc2018", "xnli", "lareqa"} <= set(targets)


def test_degenerate_pairs_are_in_no_family():
    plain = study(lambda *_: 30.0, arms=("none", "squad"))
    marked = basis(plain.resampled, replace(plain.design, degenerate=frozenset({("squad", "xquad")})))
    found = levels(marked)
    rows = [row for row in found.rows if row.name == "xquad"]
    assert rows and all(row.degenerate and not found.stands(row) for row in rows)
    assert found.families[("target", False)].size == 2
    assert set(interaction(marked).changes["squad"]) == set(levers(marked).by_arm["squad"]) - {"all targets"}
    assert "xquad" not in interaction(marked).changes["squad"]


def test_a_study_of_one_language_has_no_wider_interval():
    one = study(lambda *_: 1.0, codes=("en", "de"))
    assert all(row.like is None for row in levels(one).rows)
    three = study(lambda *_: 1.0, codes=("en", "de", "tr"))
    assert all(row.like is not None for row in levels(three).rows)


def test_nothing_scored_is_no_level():
    empty = basis(Resampled(0), study(draws=2).design)
    found = levels(empty)
    assert found.rows == () and all(family.size == 0 for family in found.families.values())
    assert interaction(empty).pooled == {} and levers(empty).pooled == {}
    assert [key for key in product(("overall", "group", "target"), (False, True))] == list(NAMES)

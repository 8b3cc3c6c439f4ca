"""Are languages put into the right groups, are planted effects by group found, and are false discoveries held?"""

from types import SimpleNamespace

import numpy as np
import pytest

from study.analysis import bylanguage, distance
from study.analysis.frame import NONE, Design
from study.analysis.gains import POOLED
from study.analysis.languages import Group, Language, cuts, groups
from study.analysis.leaves import Leaves
from study.analysis.noise import Component, Noise
from study.analysis.resample import Resampled
from study.analysis.weighted import by_target, difference, gap_to, mean_of, pooled, transfer_gap

SIZES = ("s", "m")
NEARNESS = {"en": 0.0, "na": 0.1, "nb": 0.15, "ma": 0.3, "mb": 0.35, "fa": 0.5, "fb": 0.6}
FACTS = {
    code: Language(
        code,
        family="North" if code[0] == "n" else "South",
        distance=value,
        resource=5 if code == "en" else 3,
        seen={"s": code != "fb", "m": True},
    )
    for code, value in NEARNESS.items()
}


def study(score, targets=("xnli",), seeds=3, codes=tuple(NEARNESS), facts=FACTS, noise=0.5, dice=0, arms=(NONE, "a")):
    """Just what `find` reads of a basis; score(size, arm, target, code) is the truth, `noise` that of a seed."""
    rng = np.random.default_rng(dice)
    points, draws = {}, {}
    for size in SIZES:
        for target in targets:
            for seed in range(seeds):
                for arm in arms:
                    for code in codes:
                        cell = (size, arm, target, seed, code)
                        points[cell] = score(size, arm, target, code) + rng.normal(0, noise)
                        draws[cell] = np.full(20, points[cell])
    design = Design("t", SIZES, arms, targets, tuple(range(seeds)), parameters={"s": 10, "m": 100})
    return SimpleNamespace(design=design, resampled=Resampled(20, points, draws), languages=facts)


def test_terciles_are_cut_between_languages_and_leave_english_out():
    assert cuts(FACTS) == (0.15, 0.35)
    assert cuts({code: FACTS[code] for code in ("en", "na", "fa")}) is None
    assert cuts({code: Language(code) for code in NEARNESS}) is None


def test_groups_by_every_kind_of_fact():
    found = {(group.kind, group.name): group.members for group in groups(FACTS, SIZES)}
    assert found["distance", "near"]["s"] == ("na", "nb")
    assert found["distance", "middle"]["s"] == ("ma", "mb")
    assert found["distance", "far"]["m"] == ("fa", "fb")
    assert found["family", "North"]["s"] == ("na", "nb")
    assert found["resource class", "3"]["s"] == ("fa", "fb", "ma", "mb", "na", "nb")
    assert found["script", "unknown"]["s"] == found["resource class", "3"]["s"]


def test_what_a_size_was_pretrained_on_is_a_fact_of_the_size():
    found = {group.name: group.members for group in groups(FACTS, SIZES) if group.kind == "pretraining"}
    assert found["unseen"] == {"s": ("fb",), "m": ()}
    assert "fb" in found["seen"]["m"] and "fb" not in found["seen"]["s"]


def test_a_ladder_that_says_nothing_makes_every_language_unknown():
    facts = {code: Language(code, distance=value) for code, value in NEARNESS.items()}
    found = bylanguage.find(study(lambda *_: 50.0, facts=facts))
    kinds = {one.group.name for one in found.groups if one.group.kind == "pretraining"}
    assert kinds == {"unknown"} and "pretraining" not in found.contrasts["a"]


def constant(values):
    """Leaves without noise."""
    return Leaves.of({code: (value, np.zeros(4)) for code, value in values.items()})


def test_weighted_sums_by_hand():
    scores = {"en": 90.0, "na": 80.0, "fa": 50.0}
    leaves = {"t": {("s", 0): constant(scores)}}
    design = Design("t", ("s",), (NONE,), ("t",), (0,), parameters={"s": 1})
    near, far = (Group("distance", name, {"s": codes}) for name, codes in (("near", ("na",)), ("far", ("fa", "zz"))))

    def value(weigh):
        found = by_target(leaves, weigh, design, NONE)
        return found["t"].points[0] if found else None

    assert value(transfer_gap) == 90 - 65
    assert value(gap_to(far)) == 90 - 50
    assert value(mean_of(near)) == 80
    assert value(difference(near, far)) == 30
    assert value(difference(near, Group("distance", "far", {"s": ()}))) is None


def test_slope_over_distance_is_that_of_numpy_without_english():
    scores = dict(zip(NEARNESS, (99.0, 80.0, 70.0, 71.0, 60.0, 66.0, 40.0), strict=True))
    leaves = {"xnli": {("s", 0): constant(scores)}}
    design = Design("t", ("s",), (NONE,), ("xnli",), (0,), parameters={"s": 1})
    found = distance.slopes(leaves, FACTS, design, NONE)
    others = [code for code in NEARNESS if code != "en"]
    expected = np.polyfit([NEARNESS[code] for code in others], [scores[code] for code in others], 1)[0]
    assert found["xnli"].points[0] == pytest.approx(expected) == pytest.approx(found[POOLED].points[0])
    assert distance.slopes(leaves, {}, design, NONE) == {}


def test_planted_effects_by_group_are_recovered():
    def score(size, arm, target, code):
        gain = {"n": 8.0, "m": 3.0, "f": -2.0, "e": 1.0}[code[0]]
        return (70.0 if size == "m" else 60.0) + (gain if arm == "a" else 0.0)

    found = bylanguage.find(study(score, targets=("xnli", "udpos")))
    near_far = found.contrasts["a"]["distance"]
    assert near_far.difference.mean().low < 10 < near_far.difference.mean().high
    assert near_far.first.mean().low < 8 < near_far.first.mean().high
    assert near_far.second.mean().negative and near_far.targets == ("xnli", "udpos")
    means = {
        (one.group.kind, one.group.name): one.gain.gain.mean().point
        for one in found.groups
        if one.arm == "a" and one.gain
    }
    assert means["family", "North"] == pytest.approx(8, abs=0.7)
    assert means["family", "South"] == pytest.approx((3 + 3 - 2 - 2) / 4, abs=0.7)
    assert found.gain_slopes["a"][POOLED].mean().negative
    up = {code for code, gained in found.gains["a"].items() if gained.clear and gained.mean.point > 0}
    down = {code for code, gained in found.gains["a"].items() if gained.clear and gained.mean.point < 0}
    assert up == {"na", "nb", "ma", "mb"} and down == {"fa", "fb"}
    assert list(found.gains["a"])[-1] in ("fa", "fb") and found.gains["a"]["en"].q is None


def test_an_arm_that_lifts_the_others_narrows_the_gap():
    def score(size, arm, target, code):
        return 80.0 if code == "en" else 60.0 + (5.0 if arm == "a" else 0.0)

    found = bylanguage.find(study(score))
    assert found.gaps[NONE]["xnli"].mean().point == pytest.approx(20, abs=0.7)
    change = found.gap_changes["a"]["xnli"].mean()
    assert change.low < -5 < change.high and change.negative
    both = found.gaps["a"]["xnli"].points - found.gaps[NONE]["xnli"].points
    assert both == pytest.approx(found.gap_changes["a"]["xnli"].points)


def test_without_english_there_is_no_gap():
    found = bylanguage.find(study(lambda *_: 50.0, codes=tuple(NEARNESS)[1:]))
    assert found.gaps == {NONE: {}, "a": {}} and all(one.gap is None for one in found.groups)


def test_a_degenerate_target_is_in_nothing_that_is_pooled():
    made = study(lambda size, arm, target, code: 50.0 + 40.0 * (target == "udpos" and arm == "a"), ("xnli", "udpos"))
    made.design = Design(**{**vars(made.design), "degenerate": frozenset({("a", "udpos")})})
    found = bylanguage.find(made)
    assert found.gains["a"]["na"].pool.targets == ("xnli",)
    assert not found.gains["a"]["na"].mean.point > 2
    assert "udpos" in found.gap_changes["a"]


def test_false_discoveries_among_languages_are_held():
    """Half of the languages gain: of those said to gain or lose, at most 5 % may be false on average."""
    codes = ("en", *(f"l{n}" for n in range(12)))
    gaining = set(codes[1:7])
    shares = []
    for dice in range(60):
        truth = lambda size, arm, target, code: 50.0 + 3.0 * (arm == "a" and code in gaining)  # noqa: E731
        facts = {code: Language(code) for code in codes}
        gains = bylanguage.find(study(truth, seeds=5, codes=codes, facts=facts, noise=1.0, dice=dice)).gains["a"]
        clear = {code for code, gained in gains.items() if gained.clear}
        shares.append(len(clear - gaining) / max(len(clear), 1))
    assert np.mean(shares) < 0.05
    assert clear & gaining


def test_a_study_without_effect_names_no_language():
    codes = ("en", *(f"l{n}" for n in range(12)))
    facts = {code: Language(code) for code in codes}
    told = [
        any(
            gained.clear
            for gained in bylanguage.find(
                study(lambda *_: 50.0, seeds=3, codes=codes, facts=facts, noise=1.0, dice=dice)
            )
            .gains["a"]
            .values()
        )
        for dice in range(60)
    ]
    assert sum(told) <= 7


def test_ranks_compare_languages_within_their_targets():
    """Near languages are tested by a hard target only: their raw means are lower, their standing is not."""
    leaves = {
        "hard": {("s", 0): constant({code: 20.0 - 10 * FACTS[code].distance for code in ("na", "nb", "ma", "fb")})},
        "easy": {("s", 0): constant({code: 90.0 - 10 * FACTS[code].distance for code in ("mb", "fa", "fb", "ma")})},
    }
    rows = {name: (count, rho) for name, count, rho in distance.ranks(leaves, FACTS)}
    assert rows["distance"][0] == 6 and rows["distance"][1] < -0.7
    assert "resource class" not in rows


def test_rank_correlation_needs_three_languages_and_a_spread():
    falling = {code: 100 - 10 * value for code, value in NEARNESS.items()}
    assert distance.rank_correlation(falling, NEARNESS) == pytest.approx(-1)
    assert distance.rank_correlation({"en": 1.0, "na": 0.5}, NEARNESS) is None
    assert distance.rank_correlation(falling, dict.fromkeys(NEARNESS, 1.0)) is None


def test_a_negative_estimate_of_noise_takes_nothing_from_what_the_seeds_show():
    """Off-diagonals of an estimated covariance can make the variance of a mean negative; the seeds' part stays."""
    shared = np.array([[0.2, -0.4], [-0.4, 0.2]])
    seeds = Component(np.eye(2) * 0.1, 3)
    mean = Noise((Component(shared), seeds)).estimate(np.zeros(2), [0.5, 0.5])
    assert mean.error == pytest.approx(0.05**0.5) and mean.freedom == pytest.approx(3)


def test_nothing_scored_is_nothing_found():
    empty = study(lambda *_: 0.0, seeds=0)
    found = bylanguage.find(empty)
    assert found.groups == () and found.gains == {"a": {}} and found.ranks.empty
    assert pooled({}, transfer_gap, empty.design, "a") is None

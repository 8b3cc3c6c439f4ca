"""Is a drawn study what was planted, and does it look like one that was run?"""

import numpy as np
import pytest

from study.analysis.basis import basis
from study.simulation.draw import draw
from study.simulation.truth import Truth
from tests.study.simulation.toy import QUIET, toy


def mean_scores(planted, studies=1):
    """{(size, arm, target, language): mean over seeds and studies}"""
    sums = {}
    for seed in range(studies):
        for (size, arm, target, _, code), judged in draw(planted, seed)[0].judged.items():
            sums.setdefault((size, arm, target, code), []).append(100 * judged.hits.mean())
    return {cell: float(np.mean(values)) for cell, values in sums.items()}


def test_scores_come_at_the_planted_rate_by_size_arm_and_language():
    targets = {"xcopa": {"languages": ["en", "ja"], "level": 60.0, "slope": 8.0, "examples": 40_000}}
    gain = {"level": 4.0, "slope": 2.0, "targets": {"xcopa": 1.0}, "per_distance": -5.0, "unseen": 3.0}
    languages = {"en": {"distance": 0.0}, "ja": {"distance": 0.9, "seen": False}}
    arms = {"none": None, "siqa": {"tasks": ["siqa"], "gain": gain}}
    planted = toy(targets=targets, arms=arms, languages=languages, per_distance=-10.0, noise=QUIET, seeds=[0])
    found = mean_scores(planted)
    # 60 + 8 per tenfold; a typical language is 0.5 from English; a binomial error is 0.25 points.
    assert found[("l", "none", "xcopa", "en")] == pytest.approx(60 + 8 + 5, abs=1.0)
    assert found[("s", "none", "xcopa", "ja")] == pytest.approx(60 - 8 - 4, abs=1.0)
    assert found[("l", "siqa", "xcopa", "en")] == pytest.approx(73 + 4 + 2 + 1 + 2.5, abs=1.0)
    assert found[("s", "siqa", "xcopa", "ja")] == pytest.approx(48 + 4 - 2 + 1 - 2 + 3, abs=1.0)


def test_seeds_spread_as_planted_around_the_same_expectation():
    one = {"xcopa": {"languages": ["en"], "level": 60.0, "slope": 0.0, "examples": 4000}}
    planted = toy(targets=one, noise={**QUIET, "seed": 3.0, "seed_growth": 0.5}, seeds=list(range(200)))
    judged = draw(planted, 0)[0].judged
    spread = {
        size: np.std([100 * judged[(size, "none", "xcopa", seed, "en")].hits.mean() for seed in planted.seeds])
        for size in planted.sizes
    }
    own = 0.6  # of 4,000 examples, at most 0.8 points without what they share
    for size, sd in {"s": 6.0, "m": 3.0, "l": 1.5}.items():
        assert spread[size] == pytest.approx((sd**2 + own**2) ** 0.5, rel=0.15)


def test_a_checkpoint_is_shared_by_all_targets_of_its_arm_only():
    targets = {name: {"languages": ["en"], "level": 60.0, "slope": 0.0, "examples": 2000} for name in ("xcopa", "xnli")}
    planted = toy(targets=targets, noise={**QUIET, "checkpoint": 4.0}, seeds=list(range(100)))
    judged = draw(planted, 0)[0].judged
    scores = {
        (arm, target): [judged[("m", arm, target, seed, "en")].hits.mean() for seed in planted.seeds]
        for arm in planted.arms
        for target in targets
    }
    assert np.corrcoef(scores[("siqa", "xcopa")], scores[("siqa", "xnli")])[0, 1] > 0.8
    assert abs(np.corrcoef(scores[("none", "xcopa")], scores[("none", "xnli")])[0, 1]) < 0.3


def test_hard_examples_are_hard_for_all_checkpoints_and_in_parallel_sets_in_all_languages():
    one = {"languages": ["en", "de"], "level": 60.0, "slope": 0.0, "examples": 5000}
    planted = toy(
        targets={"xcopa": one, "xnli": {**one, "parallel": True}}, noise={**QUIET, "meaning": 1.0, "difficulty": 0.8}
    )
    judged = draw(planted, 0)[0].judged

    def together(first, second):
        return np.corrcoef(judged[first].hits, judged[second].hits)[0, 1]

    for target in ("xcopa", "xnli"):
        assert together(("s", "none", target, 0, "en"), ("l", "siqa", target, 2, "en")) > 0.4
    assert together(("s", "none", "xnli", 0, "en"), ("s", "none", "xnli", 0, "de")) > 0.4
    assert abs(together(("s", "none", "xcopa", 0, "en"), ("s", "none", "xcopa", 0, "de"))) < 0.06
    same = [judged[("s", "none", "xnli", 0, code)].ids for code in ("en", "de")]
    assert list(same[0]) == list(same[1])


def test_the_same_seed_draws_the_same_study_and_another_seed_another():
    (first, _), (again, _), (other, _) = draw(toy(), 5), draw(toy(), 5), draw(toy(), 6)
    assert first.records == again.records and first.spec == again.spec
    assert all(np.array_equal(first.judged[cell].hits, again.judged[cell].hits) for cell in first.judged)
    assert first.records != other.records


def test_records_are_those_of_a_finished_study():
    evidence, _ = draw(toy(), 0)
    found = basis(evidence)
    assert found.missing == [] and found.notes == ()
    keys = {record.key for record in evidence.records}
    for record in evidence.records:
        assert record.lineage[-1] == record.key and set(record.lineage) <= keys
        assert {record.parent, record.tuned_by} - {None} <= keys
    kinds = [record.kind for record in evidence.records]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "import": 3,
        "intermediate": 9,
        "target": 18,
        "evaluation": 3 + 9 + 18,
    }


def test_a_directly_scored_backbone_is_the_same_for_every_seed():
    judged = draw(toy(), 0)[0].judged
    none = [judged[("m", "none", "tatoeba", seed, "de")].hits for seed in (0, 1, 2)]
    assert np.array_equal(none[0], none[1]) and np.array_equal(none[0], none[2])
    siqa = [judged[("m", "siqa", "tatoeba", seed, "de")].hits for seed in (0, 1)]
    assert not np.array_equal(*siqa)


def test_truth_of_changes_with_size_is_what_was_planted():
    truth = Truth(toy(noise=QUIET), None)
    assert truth.slope(truth.pooled("siqa")) == pytest.approx(2.0)
    assert list(truth.gain("siqa", "xcopa")) == pytest.approx([2.0, 4.0, 6.0])
    # 52, 60, 68 without the arm: 2 points are a quarter of the way to the next size, 4 half of it; 6 lie beyond.
    factors = truth.equivalent(truth.score("none", "xcopa"), truth.gain("siqa", "xcopa"))
    assert list(factors) == pytest.approx([10**0.25, 10**0.5, np.inf])


def test_a_saturating_curve_has_its_ceiling_and_its_rate():
    one = {"languages": ["en"], "level": 60.0, "ceiling": 80.0, "rate": 0.3}
    scores = Truth(toy(targets={"xcopa": one}, noise=QUIET), None).score("none", "xcopa")
    assert list(80 - scores) == pytest.approx([20 * 10**0.3, 20, 20 * 10**-0.3])

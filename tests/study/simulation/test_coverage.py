"""Do 95 % intervals hold the planted truth, and do studies without effect stay silent? 40 studies of the benchmark's.

`tests/benchmarks/coverage.py` does it over 500, with errors small enough to tell 93 % from 95 %.
"""

from math import sqrt

import pytest

from study.analysis.basis import basis
from study.simulation.draw import draw
from tests.benchmarks import coverage
from tests.benchmarks.checks import checks
from tests.benchmarks.scenarios import planted_for

STUDIES, EMPTY = 40, 20
CORE = ("gain", "slope", "contrast", "arm against", "points of a doubling", "retention", "price", "transfer gap")


def small(number, effects=True):
    """A study of the benchmark with less of everything."""
    name = ("three sizes, three seeds", "two seeds", "noisy checkpoints", "parallel test sets")[number % 4]
    planted = planted_for(name, number, effects)
    targets = {
        target: planted.targets[target].model_copy(update={"examples": 120, "languages": tuple(planted.languages)[:4]})
        for target in ("xcopa", "xnli")
    }
    arms = {arm: planted.arms[arm] for arm in ("none", "siqa")}
    changes = {"targets": targets, "arms": arms, "resamples": 150, "dev_examples": 200}
    return planted.model_copy(update=changes)


@pytest.fixture(scope="module")
def drawn():
    found = []
    for number in range(STUDIES):
        evidence, truth = draw(small(number), number)
        found.append(list(checks(basis(evidence), truth)))
    return found


def too_few(drawn, among, scope="these"):
    """Whether fewer intervals hold the truth than 95 % ones do but by a chance of one in a thousand.

    Intervals of one study go together: the error of the share is the larger of the binomial one of as many
    independent intervals as there are studies, and the one found over studies.
    """
    kept = [[one for one in study if one.kind.startswith(among) and one.scope == scope] for study in drawn]
    share = coverage.coverage([[one._replace(kind="") for one in study] for study in kept])[""][scope]
    return share.share < 0.95 - 3.1 * max(share.error, sqrt(0.95 * 0.05 / (STUDIES * 3)))


def test_intervals_hold_the_planted_truth(drawn):
    assert not too_few(drawn, CORE)
    assert [kind for kind in CORE if too_few(drawn, kind)] == []
    assert not too_few(drawn, ("gain", "slope", "contrast", "score"), "like")


def test_intervals_two_thirds_as_wide_would_be_found_out(drawn):
    def narrow(one):
        return one._replace(
            low=one.point - (one.point - one.low) * 2 / 3, high=one.point + (one.high - one.point) * 2 / 3
        )

    narrowed = [[narrow(one) for one in study] for study in drawn]
    assert too_few(narrowed, CORE) and too_few(narrowed, "gain") and too_few(narrowed, "gain", "like")


def test_planted_numbers_are_recovered_without_bias(drawn):
    found = coverage.recovery(drawn)
    assert set(found) == set(coverage.RECOVERED)
    for one in found.values():
        assert abs(one.bias) < 3.5 * one.error
    assert found["slope, pooled"].typical < 2.0 and found["equivalent size, pooled"].typical < 0.3


def test_studies_without_effect_claim_none(monkeypatch):
    monkeypatch.setattr(coverage, "planted_for", lambda name, number, effects: small(number, effects))
    claimed = [dict(coverage.claims(number)) for number in range(EMPTY)]
    for family in claimed[0]:
        # A family may claim in 5 % of studies: 5 of 20 or more come up in one of 400 such families.
        assert sum(one[family] for one in claimed) < 5, family
    every = [claim for one in claimed for claim in one.values()]
    assert sum(every) / len(every) < 0.05 + 3.1 * sqrt(0.05 * 0.95 / (2 * EMPTY))

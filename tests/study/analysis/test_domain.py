"""Is what text was planted to add found where it was planted, and are unequal tokens named?"""

from dataclasses import replace

import pytest
from scipy import stats

from study.analysis import domain
from study.analysis.basis import Basis, Evidence, basis
from study.report.answers import domain as words
from study.report.findings import find
from study.report.tables.domain import domain_tables
from tests.study.analysis.planted import study as planted_scores
from tests.study.analysis.planted_evidence import CODES, study

SIZES = {"s": 10_000, "m": 100_000, "l": 1_000_000}
TEXT = {"files": ["x"], "share": 0.3, "languages": {"xa": 1.0, "xb": 1.0}}
SPEC = {
    "name": "toy",
    "sizes": list(SIZES),
    "arms": {"none": None, "siqa": {"tasks": {"siqa": 1}}, "law": {"tasks": {"siqa": 1}, "text": TEXT}},
    "targets": ["xcopa", "xnli"],
    "seeds": [0, 1, 2],
    "data": {"source": "lab"},
    "report": {"bootstrap": 200, "in_domain": {"law": ["xcopa"]}},
}


def with_text(added, tokens=1000, examples=400):
    """`added(size, target, language)` is the share of examples that arm law gets right beyond siqa."""
    return study(
        SPEC,
        SIZES,
        lambda size, arm, target, code: 0.6 + (added(size, target, code) if arm == "law" else 0.0),
        tokens=lambda arm: tokens if arm == "law" else 1000,
        examples=examples,
    )


def planted(size, target, code):
    """4 points in the domain and 2 elsewhere; 3 more in the text's languages; 2 more at the largest size."""
    return 0.04 * (target == "xcopa") + 0.02 * (target == "xnli") + 0.03 * (code in "xa xb") + 0.02 * (size == "l")


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return with_text(planted)


@pytest.fixture(scope="module")
def base(evidence) -> Basis:
    return basis(evidence)


def holds(estimate, planted_) -> bool:
    return estimate.low <= planted_ <= estimate.high


def test_what_was_planted_is_found(base):
    (added,) = domain.find(base).added
    assert (added.arm, added.base) == ("law", "siqa")
    overall = 3.0 + 1.5 + 2 / 3
    assert holds(added.pool.gain.mean(), overall) and added.pool.gain.mean().positive
    assert added.targets.inside == ("xcopa",) and added.languages.inside == ("xa", "xb")
    assert holds(added.targets.difference.mean(), 2.0) and holds(added.languages.difference.mean(), 3.0)
    assert added.languages.difference.mean().positive
    change = added.pool.gain.linear([-1, 0, 1])
    assert holds(change, 2.0) and change.positive


def test_a_split_is_the_difference_of_its_sides(base):
    (added,) = domain.find(base).added
    for split in (added.targets, added.languages):
        assert split.difference.points == pytest.approx(split.within.points - split.outside.points)


def test_by_language_is_paired_and_marked(base):
    (added,) = domain.find(base).added
    found = domain.find(base)
    by_code = added.by_language
    assert list(by_code) == list(CODES) and [one.inside for one in by_code.values()] == [False, True, True, False]
    told = found.about(added, "language")
    assert [one.name for one in told] == list(CODES) and all(found.stands(one) for one in told)
    mean = sum(one.added.point for one in by_code.values()) / len(by_code)
    assert mean == pytest.approx(added.pool.gain.mean().point)


def test_tokens_are_compared_and_named(base, evidence):
    equal = domain.tokens(base.records, "law", "siqa")
    assert (equal.low, equal.high, equal.pairs, equal.equal) == (1.0, 1.0, 9, True) and equal.text == 0.3
    more = domain.tokens(with_text(planted, tokens=1300, examples=5).records, "law", "siqa")
    assert more.low == 1.3 and not more.equal
    assert not domain.tokens([], "law", "siqa").equal


def test_without_the_spec_nothing_is_in_domain(base):
    plain = replace(base, spec={**SPEC, "report": {}})
    assert domain.find(plain).added[0].targets is None
    text = {**SPEC["arms"]["law"], "text": {**TEXT, "languages": {}}}
    spec = {**SPEC, "arms": {**SPEC["arms"], "law": text}}
    (added,) = domain.find(replace(base, spec=spec)).added
    assert added.languages is None and {one.inside for one in added.by_language.values()} == {None}


def test_no_effect_is_no_claim():
    found = domain.find(basis(with_text(lambda *_: 0.0, examples=200)))
    assert not any(found.stands(one) for one in found.statements if one.of in ("overall", "language"))
    assert holds(found.added[0].pool.gain.mean(), 0.0)


ARMS = [f"text{n}" for n in range(6)]
"""Arms with text that differ in nothing from each other and from siqa: six chances to be wrong."""
MANY = {
    **SPEC,
    "arms": {"none": None, "siqa": {"tasks": {"siqa": 1}}, **{a: {"tasks": {"siqa": 1}, "text": TEXT} for a in ARMS}},
    "report": {"bootstrap": 60, "in_domain": {arm: ["xcopa"] for arm in ARMS}},
}
STUDIES = 60


def test_of_many_arms_with_text_that_add_nothing_hardly_one_is_claimed():
    """By single intervals one of six arms would be claimed in many studies more than in one of twenty."""
    claimed, single = dict.fromkeys(domain.OF, 0), 0
    for dice in range(STUDIES):
        drawn = planted_scores(dice=dice, arms=("none", "siqa", *ARMS), targets=("xcopa", "xnli"), draws=60)
        found = domain.find(replace(drawn, spec=MANY))
        for of in claimed:
            claimed[of] += any(found.stands(one) for one in found.statements if (one.of, one.kind) == (of, "mean"))
        single += any(one.pool.gain.mean().clear for one in found.added)
    allowed = stats.binom.ppf(0.999, STUDIES, 0.05)
    assert single > allowed and max(claimed.values()) <= allowed, (single, claimed)


def test_what_a_single_interval_shows_is_no_verdict_when_five_other_arms_were_tried():
    """One arm of six seems to add a little: its own interval leaves zero out, but with all six counted it may not."""
    made = study(MANY, SIZES, lambda size, arm, *_: 0.6 + 0.0025 * (arm == "text0"), examples=300)
    found = find(made)
    mean = found.domain.added[0].pool.gain.mean()
    assert mean.positive and 0.05 / 6 < mean.p < 0.05
    told = words.answer(found)
    assert told.verdict == "; ".join(f"{arm}: cannot tell" for arm in ARMS)
    assert any("With all 6 means of what text adds counted it does not stand" in one for one in told.sentences)
    table = domain_tables(found)["domain"].set_index(["arm", "where", "size"])
    assert not table.loc[("text0", "all targets", "mean"), "clear"]


def test_the_answer_says_what_was_planted(evidence):
    told = words.answer(find(evidence))
    text = " ".join(told.sentences)
    assert told.verdict == "law: adds"
    assert "Tokens with text over tokens without: 1.00, 30% of them running text (equal)." in text
    assert "larger models gain more" in text and "In targets of its domain (xcopa)" in text
    assert told.keys and all("siqa" in key or "law" in key for key in told.keys)
    unequal = words.answer(find(with_text(planted, tokens=1300, examples=50)))
    assert unequal.verdict.endswith("but not at equal tokens") and any(
        "as many tokens" in s for s in unequal.overturned_by
    )

"""Is what text was planted to add found where it was planted, and are unequal tokens named?"""

from dataclasses import replace

import pytest

from study.analysis import domain
from study.analysis.basis import Basis, Evidence, basis
from study.report.answers import domain as words
from study.report.findings import find
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
    table = added.by_language.set_index("language")
    assert list(table.index) == list(CODES) and list(table["in_language"]) == [False, True, True, False]
    assert table["clear"].all()
    assert table["added"].mean() == pytest.approx(added.pool.gain.mean().point)


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
    assert added.languages is None and set(added.by_language["in_language"]) == {None}


def test_no_effect_is_no_claim():
    (added,) = domain.find(basis(with_text(lambda *_: 0.0, examples=200))).added
    assert not added.by_language["clear"].any()
    assert holds(added.pool.gain.mean(), 0.0)


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

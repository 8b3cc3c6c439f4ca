"""Question 5: what does running text in the intermediate phase add, where, and was it given at equal tokens?

An arm with text stands against the same arm without it, paired by test example, size, target and seed. `Split` is a
difference of differences: what the text adds where it speaks (targets of its domain, its languages) minus what it adds
elsewhere. Which targets share the text's domain is known from `report.in_domain` of the spec alone, and its languages
from the weights of the mix; without them there is no split.

What is claimed of all this stands with all numbers of its kind counted, over all arms with text:

    found = find(basis)
    [one for one in found.about(found.added[0], "target") if found.stands(one)]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, Literal

import numpy as np

from study.analysis.basis import Basis
from study.analysis.design import text_arms
from study.analysis.gains import POOLED, Place, Pool, gains_by_language, pool
from study.analysis.leaves import Leaves
from study.analysis.multiple import Family, correct
from study.analysis.noise import Estimate
from study.analysis.scaling import contrasts
from study.analysis.series import Entry, Series, mean_entry, series
from study.records import Record

EQUAL = 0.05
"""Tokens count as equal when their ratio is this near to 1: blocks of text and batches are not cut alike."""
MEAN = "mean"

Of = Literal["overall", "target", "side", "difference", "language"]
Kind = Literal["mean", "size", "change"]
"""Mean over the sizes, at one size, or largest size minus smallest."""
OF: dict[Of, str] = {
    "overall": "means of what text adds",
    "target": "numbers of what text adds on a target",
    "side": "numbers of what text adds in or out of its domain or languages",
    "difference": "differences of what text adds in and out of its domain or languages",
    "language": "numbers of what text adds in a language",
}
KINDS: dict[Kind, str] = {"mean": "", "size": " at one size", "change": ", changes with size"}

ByTarget = Mapping[str, Mapping[Place, Leaves]]
"""{target: {(size, seed): {language: (what the text adds, draws)}}}"""


@dataclass(frozen=True)
class Split:
    """What the text adds inside and outside of what it speaks of. Series by size, in points."""

    within: Series
    outside: Series
    difference: Series
    inside: tuple[str, ...]
    """Names of the targets, or codes of the languages, inside."""


@dataclass(frozen=True)
class Tokens:
    """Tokens of the winning intermediate runs: with text over without, by (size, seed)."""

    low: float
    high: float
    pairs: int
    """Pairs of runs that were compared; with none the ratios are NaN."""
    text: float
    """Share of the tokens with text that were running text; NaN where the records do not tell."""

    @property
    def equal(self) -> bool:
        return self.pairs > 0 and max(abs(self.low - 1), abs(self.high - 1)) <= EQUAL


@dataclass(frozen=True)
class Language:
    """What text adds in one language. `inside`: the text speaks it; None where its languages are not told."""

    inside: bool | None
    targets: tuple[str, ...]
    added: Estimate


@dataclass(frozen=True)
class Added:
    """What text adds to one arm, over all targets in which both arms were scored."""

    arm: str
    base: str
    pool: Pool
    by_target: dict[str, Series]
    targets: Split | None
    languages: Split | None
    by_language: dict[str, Language]
    """{code: what text adds in it, mean over targets and sizes}"""
    tokens: Tokens


@dataclass(frozen=True)
class Statement:
    """One number on what text adds."""

    of: Of
    kind: Kind
    arm: str
    base: str
    name: str
    """`POOLED`, the target, the side, or the language."""
    at: str
    """`MEAN`, a size, or two sizes."""
    added: Estimate


@dataclass(frozen=True)
class Domain:
    """Every arm with running text and what was found; an arm may have no counterpart, or none that is scored."""

    arms: tuple[str, ...]
    added: tuple[Added, ...]
    statements: tuple[Statement, ...]
    families: dict[tuple[Of, Kind], Family]

    def about(self, one: Added, of: Of, kind: Kind = "mean") -> list[Statement]:
        """Statements of a kind on one pair of arms."""
        pair = (one.arm, one.base)
        return [
            told for told in self.statements if (told.arm, told.base) == pair and (told.of, told.kind) == (of, kind)
        ]

    def stands(self, one: Statement) -> bool:
        """True when the number is not zero, its whole family counted (Holm)."""
        return self.families[(one.of, one.kind)].stands(one.arm, one.base, one.name, one.at)


def find(base: Basis) -> Domain:
    """Every pair of the study that differs in text alone."""
    pairs = text_arms(base.spec)
    found = [_added(base, arm, plain) for arm, plains in pairs.items() for plain in plains]
    added = tuple(one for one in found if one)
    told = tuple(statement for one in added for statement in _statements(one))
    families = {
        (of, kind): correct(
            f"{name}{more}",
            {(t.arm, t.base, t.name, t.at): t.added for t in told if (t.of, t.kind) == (of, kind)},
        )
        for of, name in OF.items()
        for kind, more in KINDS.items()
    }
    return Domain(tuple(pairs), added, told, families)


def _statements(one: Added) -> Iterator[Statement]:
    """All numbers of a pair: the whole, targets, sides and their differences over the sizes, then languages."""
    named: list[tuple[Of, str, Series]] = [("overall", POOLED, one.pool.gain)]
    named += [("target", target, of) for target, of in one.by_target.items()]
    for what, split in (("domain", one.targets), ("languages", one.languages)):
        if split:
            named += [("side", f"in its {what}", split.within), ("side", f"outside its {what}", split.outside)]
            named += [("difference", f"in minus outside its {what}", split.difference)]
    for of, name, by_size in named:
        for kind, at, estimate in _over_sizes(by_size):
            yield Statement(of, kind, one.arm, one.base, name, at, estimate)
    for code, language in one.by_language.items():
        yield Statement("language", "mean", one.arm, one.base, code, MEAN, language.added)


def _over_sizes(of: Series) -> Iterator[tuple[Kind, str, Estimate]]:
    """The mean over the sizes, each size, and the change over the ladder; one size is its own mean."""
    if len(of.sizes) == 1:
        yield "mean", of.sizes[0], of.mean()
        return
    yield "mean", MEAN, of.mean()
    for size, weights in zip(of.sizes, np.eye(len(of.sizes)), strict=True):
        yield "size", size, of.linear(weights)
    for small, large, change in contrasts(of)[:1]:
        yield "change", f"{large} minus {small}", change


def _added(base: Basis, arm: str, plain: str) -> Added | None:
    design = base.design
    effects = {
        target: {place: gains_by_language(base.resampled, arm, target, place, plain) for place in design.places}
        for target in design.poolable(arm)
    }
    effects = {target: by_place for target, by_place in effects.items() if any(by_place.values())}
    whole = pool(effects, design, arm)
    if whole is None:
        return None
    told = (base.spec.get("report") or {}).get("in_domain") or {}
    inside = [target for target in told.get(arm, ()) if target in effects]
    weights = ((base.spec["arms"][arm].get("text") or {}).get("languages")) or {}
    spoken = sorted({code for by_place in effects.values() for leaves in by_place.values() for code in leaves})
    theirs = [code for code in spoken if code in weights]
    return Added(
        arm=arm,
        base=plain,
        pool=whole,
        by_target={
            target: one
            for target, by_place in effects.items()
            if (one := _series(base, arm, target, {place: {target: leaves} for place, leaves in by_place.items()}))
        },
        targets=_split(base, arm, effects, inside, lambda target, _: target in inside),
        languages=_split(base, arm, effects, theirs, lambda _, code: code in theirs),
        by_language=_by_language(base, arm, effects, spoken, theirs),
        tokens=tokens(base.records, arm, plain),
    )


def _split(
    base: Basis, arm: str, effects: ByTarget, inside: Sequence[str], is_in: Callable[[str, str], bool]
) -> Split | None:
    """None unless there is something on both sides. A place counts only when it has both sides in full."""
    sides: list[dict[Place, dict[str, Leaves]]] = []
    for wanted in (True, False):
        side = {
            place: {
                target: (here := effects[target][place]).only([code for code in here if is_in(target, code) == wanted])
                for target in effects
            }
            for place in base.design.places
        }
        sides.append({place: {t: leaves for t, leaves in found.items() if leaves} for place, found in side.items()})
    targets = [{target for found in side.values() for target in found} for side in sides]
    whole = [
        place for place in base.design.places if all(targets[i] and set(sides[i][place]) == targets[i] for i in (0, 1))
    ]
    entries = [{place: mean_entry(side[place]) for place in whole} for side in sides]
    apart = {
        place: Entry(
            entries[0][place].point - entries[1][place].point, entries[0][place].draws - entries[1][place].draws
        )
        for place in whole
    }
    made = [series(arm, POOLED, one, base.design.sizes, base.design.parameters) for one in (*entries, apart)]
    within, outside, difference = made
    return Split(within, outside, difference, tuple(inside)) if within and outside and difference else None


def _series(base: Basis, arm: str, name: str, places: Mapping[Place, Mapping[str, Leaves]]) -> Series | None:
    entries = {place: mean_entry(leaves) for place, leaves in places.items() if leaves and all(leaves.values())}
    return series(arm, name, entries, base.design.sizes, base.design.parameters)


def _by_language(
    base: Basis, arm: str, effects: ByTarget, codes: Sequence[str], inside: Sequence[str]
) -> dict[str, Language]:
    result = {}
    for code in codes:
        only = {
            target: {place: leaves.only([code]) for place, leaves in by_place.items()}
            for target, by_place in effects.items()
        }
        found = pool({target: here for target, here in only.items() if any(here.values())}, base.design, arm)
        if found:
            result[code] = Language(code in inside if inside else None, found.targets, found.gain.mean())
    return result


def tokens(records: Sequence[Record], arm: str, plain: str) -> Tokens:
    """Compare the winning intermediate runs of two arms at the same size and seed."""
    runs: dict[Any, dict[str, Record]] = {}
    for record in records:
        if record.kind == "intermediate" and record.arm in (arm, plain) and record.winner:
            runs.setdefault((record.size, record.seed), {})[record.arm] = record
    pairs = [(here[arm], here[plain]) for here in runs.values() if len(here) == 2]
    ratios = [_tokens(ours) / _tokens(theirs) for ours, theirs in pairs if _tokens(theirs)]
    by_source = [ours.facts.get("tokens_by_source") or {} for ours, _ in pairs]
    text = [found["text"] / sum(found.values()) for found in by_source if found.get("text")]
    if not ratios:
        return Tokens(nan, nan, 0, nan)
    return Tokens(min(ratios), max(ratios), len(ratios), float(np.mean(text)) if text else nan)


def _tokens(record: Record) -> int:
    """Tokens of the run that won; a search of another length must not count."""
    assert record.winner
    return next((trial.tokens for trial in record.trials if trial.number == record.winner.trial), 0)

"""Question 5: what does running text in the intermediate phase add, where, and was it given at equal tokens?

An arm with text stands against the same arm without it, paired by test example, size, target and seed. `Split` is a
difference of differences: what the text adds where it speaks (targets of its domain, its languages) minus what it adds
elsewhere. Which targets share the text's domain is known from `report.in_domain` of the spec alone, and its languages
from the weights of the mix; without them there is no split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from study.analysis.basis import Basis
from study.analysis.design import text_arms
from study.analysis.gains import POOLED, Place, Pool, gains_by_language, pool
from study.analysis.leaves import Leaves
from study.analysis.series import Entry, Series, mean_entry, series
from study.records import Record

EQUAL = 0.05
"""Tokens count as equal when their ratio is this near to 1: blocks of text and batches are not cut alike."""
LANGUAGES = ["arm", "base", "language", "in_language", "targets", "added", "low", "high", "p", "clear"]

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
class Added:
    """What text adds to one arm, over all targets in which both arms were scored."""

    arm: str
    base: str
    pool: Pool
    by_target: dict[str, Series]
    targets: Split | None
    languages: Split | None
    by_language: pd.DataFrame
    """Columns `LANGUAGES`: mean over targets and sizes; clear by Holm's rule over the languages."""
    tokens: Tokens


@dataclass(frozen=True)
class Domain:
    """Every arm with running text and what was found; an arm may have no counterpart, or none that is scored."""

    arms: tuple[str, ...]
    added: tuple[Added, ...]


def find(base: Basis) -> Domain:
    """Every pair of the study that differs in text alone."""
    pairs = text_arms(base.spec)
    found = [_added(base, arm, plain) for arm, plains in pairs.items() for plain in plains]
    return Domain(tuple(pairs), tuple(one for one in found if one))


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
        by_language=_by_language(base, arm, plain, effects, spoken, theirs),
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
    base: Basis, arm: str, plain: str, effects: ByTarget, codes: Sequence[str], inside: Sequence[str]
) -> pd.DataFrame:
    rows = []
    for code in codes:
        only = {
            target: {place: leaves.only([code]) for place, leaves in by_place.items()}
            for target, by_place in effects.items()
        }
        found = pool({target: here for target, here in only.items() if any(here.values())}, base.design, arm)
        if found:
            mean = found.gain.mean()
            told = code in inside if inside else None
            rows.append((arm, plain, code, told, " ".join(found.targets), mean.point, mean.low, mean.high, mean.p))
    table = pd.DataFrame(rows, columns=LANGUAGES[:-1])
    clear = multipletests(table["p"], method="holm")[0] if len(table) else np.array([], dtype=bool)
    return table.assign(clear=clear)


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


def language_table(of: Domain) -> pd.DataFrame:
    """All rows of `by_language`."""
    tables = [one.by_language for one in of.added]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=LANGUAGES)

"""How are the languages of a cell made into one number? As a weighted sum: a mean, a difference, a slope.

    gap = {"en": 1, "de": -0.5, "ja": -0.5}          # English minus the mean of the others
    pooled(scores, transfer_gap, design, "siqa")     # over targets, with an interval

A sum of gains is the change of that sum of scores, so `transfer_gap` on gains says what an arm does to the gap.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from study.analysis.frame import Design
from study.analysis.gains import Place, Pool, pool
from study.analysis.languages import ENGLISH, Group
from study.analysis.leaves import NOTHING, SUM, Leaves, Name
from study.analysis.series import Series, mean_entry, series

ByTarget = dict[str, dict[Place, Leaves]]
"""{target: {(size, seed): languages}}"""
Weigh = Callable[[Collection[str], str], Mapping[str, float] | None]
"""(languages of a cell, size) -> {language: weight}; None where the cell lacks what it takes."""


def pooled(leaves: ByTarget, weigh: Weigh, design: Design, arm: str) -> Pool | None:
    """The sum, as the mean over those targets that have it and may be pooled for the arm."""
    return pools(leaves, {SUM: weigh}, design, arm).get(SUM)


def pools(leaves: ByTarget, weighs: Mapping[Name, Weigh], design: Design, arm: str) -> dict[Name, Pool]:
    """Many sums at once, by name; those that can be made."""
    wanted = {target: leaves[target] for target in design.poolable(arm) if target in leaves}
    found = {name: pool(sums, design, arm) for name, sums in _sums(wanted, weighs).items()}
    return {name: one for name, one in found.items() if one}


def by_target(leaves: ByTarget, weigh: Weigh, design: Design, arm: str) -> dict[str, Series]:
    """{target: the sum by size}"""
    found = {}
    for target, places in _sums(leaves, {SUM: weigh})[SUM].items():
        entries = {place: mean_entry({target: leaf}) for place, leaf in places.items() if leaf}
        curve = series(arm, target, entries, design.sizes, design.parameters)
        if curve is not None:
            found[target] = curve
    return found


def mean_of(group: Group) -> Weigh:
    """The mean over a group."""
    return lambda codes, size: _mean([code for code in codes if code in group.members.get(size, ())])


def only(language: str) -> Weigh:
    """One language."""
    return lambda codes, _: {language: 1.0} if language in codes else None


def transfer_gap(codes: Collection[str], _: str) -> Mapping[str, float] | None:
    """English minus the mean of the others."""
    return _minus(only(ENGLISH)(codes, ""), _mean([code for code in codes if code != ENGLISH]))


def gap_to(group: Group) -> Weigh:
    """English minus the mean over a group."""
    return lambda codes, size: _minus(only(ENGLISH)(codes, size), mean_of(group)(codes, size))


def difference(first: Group, second: Group) -> Weigh:
    """Mean over the first group minus mean over the second."""
    return lambda codes, size: _minus(mean_of(first)(codes, size), mean_of(second)(codes, size))


def _sums(leaves: ByTarget, weighs: Mapping[Name, Weigh]) -> dict[Name, ByTarget]:
    """Every cell as the one "language" `SUM`, for each way of weighing; empty where it cannot be made."""
    rows: dict[tuple[tuple[str, ...], str], dict[Name, np.ndarray]] = {}  # many cells have the same languages
    sums: dict[Name, ByTarget] = {name: {target: {} for target in leaves} for name in weighs}
    for target, places in leaves.items():
        for place, found in places.items():
            where = found.codes, place[0]
            if where not in rows:
                rows[where] = _rows(*where, weighs)
            made = found.weighted(rows[where])
            for name in weighs:
                sums[name][target][place] = made.get(name, NOTHING)
    return sums


def _rows(codes: tuple[str, ...], size: str, weighs: Mapping[Name, Weigh]) -> dict[Name, np.ndarray]:
    """{name: (languages,) weights}, without those that lack what they take."""
    found = {name: weigh(codes, size) for name, weigh in weighs.items()}
    return {name: np.array([one.get(code, 0.0) for code in codes]) for name, one in found.items() if one}


def _mean(codes: Collection[str]) -> Mapping[str, float] | None:
    return dict.fromkeys(sorted(codes), 1 / len(codes)) if codes else None


def _minus(first: Mapping[str, float] | None, second: Mapping[str, float] | None) -> Mapping[str, float] | None:
    """None when a side is missing. The sides share no language."""
    if first is None or second is None:
        return None
    return {**first, **{code: -weight for code, weight in second.items()}}

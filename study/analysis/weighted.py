"""How are the languages of a cell made into one number? As a weighted sum: a mean, a difference, a slope.

    gap = {"en": 1, "de": -0.5, "ja": -0.5}          # English minus the mean of the others
    pooled(scores, transfer_gap, design, "siqa")     # over targets, with an interval

A sum of gains is the change of that sum of scores, so `transfer_gap` on gains says what an arm does to the gap.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from study.analysis.frame import Design
from study.analysis.gains import Leaves, Place, Pool, pool
from study.analysis.languages import ENGLISH, Group
from study.analysis.series import Series, mean_entry, series

ByTarget = dict[str, dict[Place, Leaves]]
"""{target: {(size, seed): {language: (value, draws)}}}"""
Weigh = Callable[[Collection[str], str], Mapping[str, float] | None]
"""(languages of a cell, size) -> {language: weight}; None where the cell lacks what it takes."""
SUM = "sum"


def pooled(leaves: ByTarget, weigh: Weigh, design: Design, arm: str) -> Pool | None:
    """The sum, as the mean over those targets that have it and may be pooled for the arm."""
    wanted = {target: leaves[target] for target in design.poolable(arm) if target in leaves}
    return pool(_sums(wanted, weigh), design, arm)


def by_target(leaves: ByTarget, weigh: Weigh, design: Design, arm: str) -> dict[str, Series]:
    """{target: the sum by size}"""
    found = {}
    for target, places in _sums(leaves, weigh).items():
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


def _sums(leaves: ByTarget, weigh: Weigh) -> ByTarget:
    """Every cell as the one "language" `SUM`; empty where it cannot be made."""
    return {
        target: {place: _sum(found, weigh, place[0]) for place, found in places.items()}
        for target, places in leaves.items()
    }


def _sum(leaves: Leaves, weigh: Weigh, size: str) -> Leaves:
    weights = weigh(leaves, size)
    if not weights:
        return {}
    value = sum(weight * leaves[code][0] for code, weight in weights.items())
    draws = np.array(list(weights.values())) @ np.array([leaves[code][1] for code in weights])
    return {SUM: (float(value), draws)}


def _mean(codes: Collection[str]) -> Mapping[str, float] | None:
    return dict.fromkeys(sorted(codes), 1 / len(codes)) if codes else None


def _minus(first: Mapping[str, float] | None, second: Mapping[str, float] | None) -> Mapping[str, float] | None:
    """None when a side is missing. The sides share no language."""
    if first is None or second is None:
        return None
    return {**first, **{code: -weight for code, weight in second.items()}}

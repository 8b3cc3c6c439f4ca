"""Which of many findings still stand when all of them are counted?

    family = correct("pooled gains", {("siqa",): estimate, ("csqa",): other})
    family.holm[("siqa",)], family.stands("siqa")

Numbers that answer one question together are a family. Holm's step-down procedure keeps the chance of any false
claim in a family at 5 %, whatever the numbers have to do with each other (Holm 1979); what the report claims in words
follows it. Benjamini and Hochberg's keeps the share of false ones among the claims at 5 % (1995); it is the milder
one, for readers who look for what to study next. Intervals are not corrected: each covers at 95 % by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from statsmodels.stats.multitest import fdrcorrection

from study.analysis.noise import LEVEL, Estimate

Key = tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """Corrected p values of the numbers that were looked at together, by key."""

    name: str
    """What its members are, in the plural."""
    holm: dict[Key, float] = field(default_factory=dict)
    fdr: dict[Key, float] = field(default_factory=dict)
    """Benjamini-Hochberg's."""

    @property
    def size(self) -> int:
        return len(self.holm)

    def stands(self, *key: str) -> bool:
        """True when zero is ruled out with all members counted (Holm); False for what is no member."""
        return self.holm.get(key, 1.0) <= 1 - LEVEL


def correct(name: str, found: Mapping[Key, Estimate]) -> Family:
    """The family of `found`: two-sided p values of zero, corrected for their number."""
    if not found:
        return Family(name)
    values = np.array([estimate.p for estimate in found.values()])
    fdr = fdrcorrection(values, alpha=1 - LEVEL)[1]
    return Family(
        name,
        {key: float(p) for key, p in zip(found, holm(values), strict=True)},
        {key: float(p) for key, p in zip(found, fdr, strict=True)},
    )


def holm(values: np.ndarray) -> np.ndarray:
    """Holm's corrected p values: the smallest times their number, the next times one fewer, never falling.

    statsmodels' `multipletests` gives the same, but collects garbage at every call: a third of a report's time.
    """
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    result = np.empty(len(values))
    result[order] = np.minimum(stepped, 1.0)
    return result

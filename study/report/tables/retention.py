"""Which tables tell of question 3? Retention by arm and size, and the cells behind its relation to gain."""

from __future__ import annotations

import pandas as pd

from study.analysis.scaling import contrasts
from study.analysis.series import Series
from study.report.findings import Findings
from study.report.tables.gains import three


def memory_table(found: Findings) -> pd.DataFrame:
    """Per cent left by arm: the mean over the sizes, each size, and the difference between the ends of the ladder."""
    rows = []
    scopes = (("all", found.memory.curves), ("classification", found.memory.classification))
    for after, curves in scopes:
        for arm, curve in curves.items():
            rows += _rows(arm, after, curve)
    return pd.DataFrame(rows, columns=["arm", "after_targets", "what", "per_cent", "per_low", "per_high"])


def _rows(arm: str, after: str, curve: Series) -> list[tuple]:
    rows = [(arm, after, "mean of sizes", *three(curve.mean()))] if len(curve.sizes) > 1 else []
    rows += [(arm, after, size, *three(here)) for size in curve.sizes if (here := curve.at(size))]
    rows += [(arm, after, f"{large} minus {small}", *three(change)) for small, large, change in contrasts(curve)[:1]]
    return rows

"""Which tables tell of question 1? The change of every gain with size, and the checks of the slope."""

from __future__ import annotations

from math import nan

import pandas as pd

from study.analysis.gains import POOLED
from study.report.findings import Findings
from study.report.tables.gains import three


def change_table(found: Findings) -> pd.DataFrame:
    """One row per arm and target, the mean of the targets first; `clear` with the whole family counted (Holm)."""
    rows = []
    for arm, by_target in found.interaction.changes.items():
        pooled = found.interaction.pooled.get(arm)
        family, ones = found.interaction.arms, {POOLED: pooled} if pooled else {}
        for target, one in [*ones.items(), *by_target.items()]:
            key = (arm,) if target == POOLED else (arm, target)
            family = found.interaction.arms if target == POOLED else found.interaction.targets
            like = one.answer_like
            rows.append(
                (
                    arm,
                    target,
                    f"{one.gain.sizes[-1]} minus {one.gain.sizes[0]}" if one.by_contrast else "per tenfold parameters",
                    *three(one.answer),
                    *((like.low, like.high) if like else (nan, nan)),
                    one.answer.p,
                    family.holm[key],
                    family.fdr[key],
                    family.stands(*key),
                    one.answer.detectable,
                )
            )
    columns = "arm target change points low high like_low like_high p holm fdr clear detectable"
    return pd.DataFrame(rows, columns=columns.split())


def check_table(found: Findings) -> pd.DataFrame:
    """The slope of the pooled gain as the report gives it and as other methods do, side by side."""
    rows: list[tuple] = []
    for arm, others in found.slope_checks.items():
        change = found.interaction.pooled[arm]
        ours = [("this report", False, change.slope)]
        ours += [("this report", True, change.slope_like)] if change.slope_like else []
        for method, like, estimate in ours:
            rows.append((arm, method, _scope(like), *three(estimate), estimate.error, None))
        for check in others:
            mine = change.slope_like if check.like else change.slope
            agrees = check.agrees(mine) if mine else None
            rows.append((arm, check.method, _scope(check.like), *three(check.slope), check.slope.error, agrees))
    return pd.DataFrame(rows, columns=["arm", "method", "scope", "slope", "low", "high", "error", "agrees"])


def _scope(like: bool) -> str:
    return "languages like these" if like else "these languages"

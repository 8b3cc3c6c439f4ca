"""Which tables tell of question 2? Points per arm beside points per doubling, and equivalent sizes."""

from __future__ import annotations

from math import nan

import pandas as pd

from study.analysis.gains import POOLED
from study.report.findings import Findings
from study.report.tables.gains import three


def lever_table(found: Findings) -> pd.DataFrame:
    """One row per arm and target: its gain, what a doubling buys, and the differences with intervals.

    `clear` and `next_clear`: the difference is not zero with all arms counted (Holm); only the means are in families.
    """
    rows = []
    for arm, by_target in found.levers.by_arm.items():
        for target, one in by_target.items():
            step = one.against_next
            rows.append(
                (
                    arm,
                    target,
                    one.gain.point,
                    one.doubling.point,
                    *three(one.against_doubling),
                    target == POOLED and found.levers.doubling.stands(arm),
                    *(three(step) if step else (nan, nan, nan)),
                    target == POOLED and found.levers.next_size.stands(arm),
                )
            )
    columns = "arm target gain doubling more low high clear next next_low next_high next_clear"
    return pd.DataFrame(rows, columns=columns.split())


def equivalent_table(found: Findings) -> pd.DataFrame:
    """Factor on parameters without the arm that gives the arm's score; inf and 0 where the ladder ends."""
    rows = [
        (arm, target, one.size, one.point, one.low, one.high)
        for arm, by_target in found.levers.by_arm.items()
        for target, lever in by_target.items()
        for one in lever.equivalents
    ]
    return pd.DataFrame(rows, columns=["arm", "target", "size", "factor", "factor_low", "factor_high"])

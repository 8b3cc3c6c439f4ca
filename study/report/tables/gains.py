"""Which tables tell of gains and of their change with size?"""

from __future__ import annotations

from math import nan

import pandas as pd

from study.analysis.levels import ALL_SIZES
from study.analysis.noise import Estimate
from study.analysis.scaling import contrasts, slope
from study.analysis.series import Series
from study.report.findings import Findings

COLUMNS = [
    "level",
    "arm",
    "target",
    "size",
    "parameters",
    "gain",
    "low",
    "high",
    "like_low",
    "like_high",
    "p",
    "holm",
    "fdr",
    "clear",
    "family",
    "seeds",
    "degenerate",
]


def gain_table(found: Findings) -> pd.DataFrame:
    """One row per (level, arm, target or group or pool, size or mean over the sizes).

    `clear`: zero is ruled out with the whole family counted (Holm). Degenerate pairs belong to no family.
    """
    rows = []
    for row in found.levels.rows:
        family = found.levels.families[row.family]
        key = (row.arm, row.name, row.size)
        rows.append(
            {
                "level": row.of,
                "arm": row.arm,
                "target": row.name,
                "size": row.size,
                "parameters": None if row.size == ALL_SIZES else found.design.parameters[row.size],
                "gain": row.gain.point,
                "low": row.gain.low,
                "high": row.gain.high,
                "like_low": row.like.low if row.like else nan,
                "like_high": row.like.high if row.like else nan,
                "p": row.gain.p,
                "holm": family.holm.get(key, nan),
                "fdr": family.fdr.get(key, nan),
                "clear": found.levels.stands(row),
                "family": f"{family.size} {family.name}" if key in family.holm else "",
                "seeds": row.seeds,
                "degenerate": row.degenerate,
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS).astype({"parameters": "Int64"})


def scaling_table(found: Findings) -> pd.DataFrame:
    """How scores and gains move with size: contrasts in points, the slope in points per tenfold parameters."""
    rows = []
    quantities: list[tuple[str, Series]] = [("score", s) for arms in found.scores.values() for s in arms.values()]
    quantities += [("gain", s) for targets in found.gains.values() for s in targets.values()]
    quantities += [("gain", s) for groups in found.levels.groups.values() for s in groups.values()]
    quantities += [("gain", pool.gain) for pool in found.pools.values()]
    for quantity, of in quantities:
        like = of.over_languages()
        changes = [(f"{large} minus {small}", change) for small, large, change in contrasts(of)]
        changes += [("per tenfold parameters", line)] if (line := slope(of)) else []
        wider = [change for _, _, change in contrasts(like)] if like else []
        wider += [line] if like and (line := slope(like)) else []
        for index, (name, change) in enumerate(changes):
            over = (wider[index].low, wider[index].high) if wider else (nan, nan)
            rows.append((quantity, of.target, of.arm, name, *three(change), *over, change.p))
    return pd.DataFrame(
        rows, columns=["quantity", "target", "arm", "change", "points", "low", "high", "like_low", "like_high", "p"]
    )


def three(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.point, estimate.low, estimate.high

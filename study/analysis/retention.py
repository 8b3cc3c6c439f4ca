"""Is the intermediate task still known after the target phase? English dev score after / before, in per cent.

The intermediate head is kept through the target phase, so the same checkpoint line can be scored twice on the arm's
own tasks. A ratio means nothing when there was little to retain: `learned` says how far the score before stood above
the better predictor that does not look.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from study.analysis.frame import NONE, Design, lines
from study.analysis.series import Entry, Series, series

LITTLE = 5.0
"""Points above the blind baseline below which a retention is marked as "little to retain"."""

COLUMNS = [
    "size",
    "parameters",
    "arm",
    "target",
    "seed",
    "task",
    "before",
    "after",
    "retention",
    "learned",
    "key",
    "key_before",
]


def retention(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per (size, arm, target, seed, intermediate task) with both scores, from the rows of `frame.scores`."""
    dev = rows[(rows["split"] == "dev") & (rows["arm"] != NONE)]
    before = dev[dev["stage"] == "intermediate"]
    after = dev[dev["stage"] == "target"]
    same = ["size", "arm", "seed", "task", "language"]
    joined = after.merge(before[[*same, "score", "majority", "random", "key"]], on=same, suffixes=("", "_before"))
    blind = joined[["majority_before", "random_before"]].max(axis=1)
    positive = joined["score_before"].where(joined["score_before"] > 0)
    joined = joined.assign(
        before=joined["score_before"],
        after=joined["score"],
        retention=100.0 * joined["score"] / positive,
        learned=joined["score_before"] - blind,
    )
    return joined[COLUMNS].reset_index(drop=True)


def retention_series(table: pd.DataFrame, design: Design, arm: str) -> Series | None:
    """Mean retention over targets and tasks by size, where there was something to retain; interval over seeds."""
    kept = table[(table["arm"] == arm) & (table["learned"] >= LITTLE)]
    means = kept.groupby(["size", "seed"])["retention"].mean().reset_index()
    nothing = np.zeros(design.resamples)
    entries = {(row.size, row.seed): Entry(row.retention, nothing) for row in lines(means)}
    result = series(arm, "retention", entries, design.sizes, design.parameters)
    return result if result is None or result.seed_noise else None

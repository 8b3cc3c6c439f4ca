"""Does an arm gain more where its own task is retained better? A regression of gain on retention.

One row per (arm, size, target, seed): the gain over the test languages, and the mean retention of the arm's tasks.
Arms and targets have a level each, so that only differences within them speak; a second regression holds the size
fixed too, because both may simply rise with it. Rows of one intermediate checkpoint (arm, size, seed) share its
luck and are a cluster. Whatever comes out is an association: nothing here was varied on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from study.analysis.frame import Design, lines
from study.analysis.noise import Estimate
from study.analysis.robust import clustered
from study.analysis.series import Series

FEWEST_CLUSTERS = 10
"""Intermediate checkpoints; errors clustered by fewer are known to be too small."""


@dataclass(frozen=True)
class Relation:
    """`slope` is points of gain per point of retention with arms and targets fixed, `within` with sizes fixed too."""

    rows: pd.DataFrame
    """arm, size, target, seed, retention, gain"""
    clusters: int
    slope: Estimate | None = None
    within: Estimate | None = None
    spearman: float | None = None
    """Rank correlation of the same rows, nothing held fixed."""


def relation(retained: pd.DataFrame, gains: Mapping[str, Mapping[str, Series]], design: Design) -> Relation:
    """From rows of `retention.retention` that had something to retain; without slopes where there are too few."""
    rows = paired(retained, gains, design)
    clusters = (rows["arm"] + "/" + rows["size"] + "/" + rows["seed"].astype(str)).to_numpy(dtype=str)
    count = len(set(clusters.tolist()))
    if count < FEWEST_CLUSTERS or rows["retention"].nunique() < 2 or rows["gain"].nunique() < 2:
        return Relation(rows, count)
    rank = float(spearmanr(rows["retention"], rows["gain"]).statistic)
    return Relation(
        rows,
        count,
        _slope(rows, clusters, fixed=("arm", "target")),
        _slope(rows, clusters, fixed=("arm", "target", "size")),
        rank,
    )


def paired(retained: pd.DataFrame, gains: Mapping[str, Mapping[str, Series]], design: Design) -> pd.DataFrame:
    """One row per (arm, size, target, seed) that has both a gain and a retention; degenerate pairs left out."""
    means = retained.groupby(["arm", "size", "target", "seed"], sort=False)["retention"].mean().reset_index()
    found = []
    for row in lines(means):
        of = gains.get(row.arm, {}).get(row.target)
        if of is None or (row.arm, row.target) in design.degenerate:
            continue
        if row.size in of.sizes and row.seed in of.seeds:
            value = float(of.values[of.sizes.index(row.size), of.seeds.index(row.seed)])
            if np.isfinite(value) and np.isfinite(row.retention):
                found.append((row.arm, row.size, row.target, row.seed, row.retention, value))
    return pd.DataFrame(found, columns=["arm", "size", "target", "seed", "retention", "gain"])


def _slope(rows: pd.DataFrame, clusters: np.ndarray, fixed: tuple[str, ...]) -> Estimate | None:
    levels = [pd.get_dummies(rows[name], drop_first=True, dtype=float).to_numpy() for name in fixed]
    columns = np.column_stack([rows["retention"], np.ones(len(rows)), *levels])
    between = 2 + sum(rows[name].nunique() - 1 for name in fixed if name != "target")
    return clustered(rows["gain"].to_numpy(dtype=float), columns, 0, clusters, between)

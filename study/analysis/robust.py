"""What does a regression say when whole groups of rows share their luck? Cluster-robust errors for few clusters.

Rows of one checkpoint (its targets, its languages) share what its training happened to give, so they count as one
observation where a number differs between checkpoints only. The error is the jackknife's (MacKinnon, Nielsen and Webb
2023, CV3): how far the coefficient moves when one cluster is left out, with Student's t on G - k degrees of freedom,
G being the clusters and k the coefficients that only differences between clusters can tell. For balanced rows that is
White's HC3 on the clusters' means. The usual sandwich (HC1) covered 86 to 93 % with six to nine clusters.
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from study.analysis.noise import LEVEL, Estimate


def clustered(
    y: np.ndarray, x: np.ndarray, column: int, clusters: np.ndarray, between: int, weights: np.ndarray | None = None
) -> Estimate | None:
    """The coefficient of one column of (rows, coefficients) `x` by least squares; None when it cannot be told.

    `clusters` names each row's cluster, `between` is k (above), `weights` are for the rows (default: all alike).
    """
    names = np.unique(clusters)
    freedom = len(names) - between
    roots = np.ones(len(y)) if weights is None else np.sqrt(weights)
    design, values = x * roots[:, None], y * roots
    kept = [np.ones(len(y), dtype=bool), *(clusters != name for name in names)]
    if freedom < 1 or len(y) <= x.shape[1] or any(np.linalg.matrix_rank(design[rows]) < x.shape[1] for rows in kept):
        return None
    point, *without = [np.linalg.lstsq(design[rows], values[rows])[0][column] for rows in kept]
    return with_t(float(point), float(np.sqrt(np.sum((np.array(without) - point) ** 2))), freedom)


def with_t(point: float, error: float, freedom: float) -> Estimate:
    """95 % interval from an error and its degrees of freedom."""
    width = float(stdtrit(freedom, (1 + LEVEL) / 2)) * error
    return Estimate(point, point - width, point + width, error, freedom)

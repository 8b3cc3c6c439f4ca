"""What does a regression say when whole groups of rows share their luck? Cluster-robust errors for few clusters.

Rows of one checkpoint (its targets, its languages) share what its training happened to give, so they count as one
observation where a number differs between checkpoints only. statsmodels' sandwich adds up each cluster's scores;
with G clusters it is stretched by G / (G - k) and used with Student's t on G - k degrees of freedom, k being the
coefficients that only differences between clusters can tell. For balanced rows that is White's HC1 on the clusters'
means.
"""

from __future__ import annotations

import numpy as np
import statsmodels.api as sm
from scipy import stats

from study.analysis.noise import LEVEL, Estimate


def clustered(
    y: np.ndarray, x: np.ndarray, column: int, clusters: np.ndarray, between: int, weights: np.ndarray | None = None
) -> Estimate | None:
    """The coefficient of one column of (rows, coefficients) `x`; None when it cannot be told.

    `clusters` names each row's cluster, `between` is k (above), `weights` are for the rows (default: all alike).
    """
    count = len(set(clusters.tolist()))
    freedom = count - between
    if freedom < 1 or np.linalg.matrix_rank(x) < x.shape[1] or len(y) <= x.shape[1]:
        return None
    codes = np.unique(clusters, return_inverse=True)[1]
    fitted = sm.WLS(y, x, weights=np.ones(len(y)) if weights is None else weights).fit(
        cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False}
    )
    point = float(fitted.params[column])
    return with_t(point, float(fitted.bse[column]) * (count / freedom) ** 0.5, freedom)


def with_t(point: float, error: float, freedom: float) -> Estimate:
    """95 % interval from an error and its degrees of freedom."""
    width = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    return Estimate(point, point - width, point + width, error, freedom)

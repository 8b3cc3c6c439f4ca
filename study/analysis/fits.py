"""Which curve describes scores over sizes? A straight line over log10 N, or a power law that saturates.

    log-linear    score = a + b log10 N
    power         score = a - b (N / smallest N) ** -c,  a <= 100, b >= 0, c within `EXPONENTS`

Both by least squares weighted with the points' errors, and only where there are four sizes or more: three points have
an exponent for any curve. For a given c the power law is linear in a and b, so only c is searched: a grid over all of
its range, then `scipy.optimize` between the neighbours of the best (variable projection; Golub and Pereyra 1973).
Intervals come from refitting on joint draws of the scores. The curve that predicts
left-out sizes better is chosen. Only inner sizes are left out: an end of the ladder would have to be extrapolated to,
and no curve is ever read off beyond the sizes that it was fitted to.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from study.analysis.basis import Basis
from study.analysis.gains import POOLED, pooled_score
from study.analysis.noise import Estimate, percentiles
from study.analysis.series import Series

FEWEST = 4
DRAWS = 200
CEILING = 100.0
EXPONENTS = (0.02, 3.0)
"""Range of c. Below it the power law is a straight line over log N, above it a step: scores cannot tell further."""
STARTS = np.geomspace(*EXPONENTS, 120)
CLOSE = 1.05
"""Prediction errors within this factor count as equal; the simpler curve is then chosen."""
COLUMNS = [
    *("target", "arm", "sizes", "model", "chosen"),
    *(f"{name}{end}" for name in "abc" for end in ("", "_low", "_high")),
    *("determined", "left_out", "aicc"),
]


Band = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Fit:
    """One curve for one series. Parameters are estimates from joint draws; `c` is None for a straight line."""

    model: str
    a: Estimate
    b: Estimate
    c: Estimate | None
    left_out: float
    """Root mean square error of predicting each inner size from all others, in points."""
    aicc: float
    """Corrected Akaike criterion with the points' errors taken as known; NaN where there are too few sizes."""
    band: Band
    """(parameters, fitted, low, high) along the ladder, for drawing."""

    @property
    def determined(self) -> bool:
        """False for an exponent that a bound decides: its own interval, or that of the ceiling, reaches one."""
        if self.c is None:
            return True
        return self.c.low > EXPONENTS[0] * 1.1 and self.c.high < EXPONENTS[1] / 1.1 and self.a.high < CEILING


@dataclass(frozen=True)
class Fitted:
    """Both curves of one series."""

    of: Series
    line: Fit
    power: Fit

    @property
    def chosen(self) -> Fit:
        """The power law only where it predicts left-out sizes clearly better."""
        return self.power if self.power.left_out * CLOSE < self.line.left_out else self.line


def find(base: Basis) -> dict[str, dict[str, Fitted]]:
    """{target or pool: {arm: curves}} of the scores; nothing with fewer than four sizes."""
    found: dict[str, dict[str, Fitted]] = {}
    if len(base.design.sizes) < FEWEST:
        return found
    for target, curves in base.scores.items():
        found[target] = {arm: made for arm, curve in curves.items() if (made := fitted(curve))}
    pools = {arm: pooled_score(base.resampled, base.design, arm, base.design.targets) for arm in base.design.arms}
    found[POOLED] = {arm: made for arm, pool in pools.items() if pool and (made := fitted(pool.gain))}
    return {target: curves for target, curves in found.items() if curves}


def fitted(of: Series) -> Fitted | None:
    """None with fewer than four sizes, or where scores have no error to weigh them by."""
    errors = np.array([of.linear(weights).error for weights in np.eye(len(of.sizes))])
    if len(of.sizes) < FEWEST or not (errors > 0).all():
        return None
    x, draws = np.log10(of.parameters), of.draws(DRAWS)
    return Fitted(of, _line(x, of.points, errors, draws), _power(x, of.points, errors, draws))


def _line(x: np.ndarray, y: np.ndarray, errors: np.ndarray, draws: np.ndarray) -> Fit:
    point = line(x, y[:, None], errors)[:, 0]
    drawn = line(x, draws, errors)
    at = np.linspace(x[0], x[-1], 41)
    curves = drawn[0] + drawn[1] * at[:, None]
    left_out = [
        float(
            y[i] - np.array([1.0, x[i]]) @ line(np.delete(x, i), np.delete(y, i)[:, None], np.delete(errors, i))[:, 0]
        )
        for i in range(1, len(x) - 1)
    ]
    return Fit(
        "log-linear",
        percentiles(point[0], drawn[0]),
        percentiles(point[1], drawn[1]),
        None,
        float(np.sqrt(np.mean(np.square(left_out)))),
        _aicc(y - point[0] - point[1] * x, errors, 2),
        _band(at, point[0] + point[1] * at, curves),
    )


def _power(x: np.ndarray, y: np.ndarray, errors: np.ndarray, draws: np.ndarray) -> Fit:
    start = x[0]
    point = power(x - start, y, errors)
    drawn = powers(x - start, draws, errors)
    at = np.linspace(x[0], x[-1], 41)
    left_out = []
    for i in range(1, len(x) - 1):
        a, b, c = power(np.delete(x, i) - start, np.delete(y, i), np.delete(errors, i))
        left_out.append(y[i] - a + b * 10 ** (-c * (x[i] - start)))
    shape = lambda where: point[0] - point[1] * 10 ** (-point[2] * (where - start))  # noqa: E731
    return Fit(
        "power",
        percentiles(point[0], drawn[0]),
        percentiles(point[1], drawn[1]),
        percentiles(point[2], drawn[2]),
        float(np.sqrt(np.mean(np.square(left_out)))),
        _aicc(y - shape(x), errors, 3),
        _band(at, shape(at), drawn[0] - drawn[1] * 10 ** (-drawn[2] * (at[:, None] - start))),
    )


def line(x: np.ndarray, y: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """(2, draws) intercepts and slopes of (sizes, draws) scores, weighted by 1 / errors squared."""
    design = np.stack([np.ones_like(x), x], axis=1) / errors[:, None]
    return np.linalg.lstsq(design, y / errors[:, None], rcond=None)[0]


def power(x: np.ndarray, y: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """(a, b, c) of a - b 10 ** (-c x) for (sizes,) scores y; x is log10 N above the smallest size."""
    one = y[:, None]
    best = int(np.argmin(_given_exponent(x, one, errors, STARTS)[2][:, 0]))
    ends = np.log(STARTS[max(best - 1, 0)]), np.log(STARTS[min(best + 1, len(STARTS) - 1)])
    near = minimize_scalar(
        lambda log_c: _given_exponent(x, one, errors, np.exp([log_c]))[2][0, 0], bounds=ends, method="bounded"
    )
    exponents = np.array([STARTS[best], np.exp(near.x)])
    a, b, misfits = _given_exponent(x, one, errors, exponents)
    pick = int(np.argmin(misfits[:, 0]))
    return np.array([a[pick, 0], b[pick, 0], exponents[pick]])


def powers(x: np.ndarray, draws: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """(3, draws) the same for (sizes, draws) scores, with the exponents of the grid, which are 4 % apart."""
    a, b, misfits = _given_exponent(x, draws, errors, STARTS)
    pick = np.argmin(misfits, axis=0), np.arange(draws.shape[1])
    return np.stack([a[pick], b[pick], STARTS[pick[0]]])


def _given_exponent(
    x: np.ndarray, y: np.ndarray, errors: np.ndarray, exponents: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """((exponents, draws) a, b, weighted sums of squares): the best a <= 100 and b >= 0 for each exponent.

    `y` is (sizes, draws). The problem is convex: the free optimum where it is allowed, else the better of two edges.
    """
    w = 1 / errors**2
    u = 10 ** (-exponents[:, None] * x)
    mean_u, mean_y = (u @ w / w.sum())[:, None], w @ y / w.sum()
    centred = (u - mean_u) * w
    b = -(centred @ (y - mean_y)) / (centred * (u - mean_u)).sum(axis=1)[:, None]
    a = mean_y + b * mean_u
    capped = np.maximum((u * w) @ (CEILING - y) / (u**2 @ w)[:, None], 0.0)
    flat = np.broadcast_to(np.minimum(mean_y, CEILING), a.shape)
    choices = [(a, b), (np.full_like(a, CEILING), capped), (flat, np.zeros_like(a))]
    misfits = np.array(
        [np.einsum("s,esd->ed", w, (y - one[:, None] + u[:, :, None] * two[:, None]) ** 2) for one, two in choices]
    )
    misfits[0, (a > CEILING) | (b < 0)] = np.inf
    pick = np.argmin(misfits, axis=0)
    best = [np.choose(pick, values) for values in ([a, choices[1][0], flat], [b, capped, choices[2][1]], misfits)]
    return best[0], best[1], best[2]


def _aicc(residuals: np.ndarray, errors: np.ndarray, parameters: int) -> float:
    free = len(residuals) - parameters - 1
    if free <= 0:
        return nan
    return float(((residuals / errors) ** 2).sum() + 2 * parameters + 2 * parameters * (parameters + 1) / free)


def _band(at: np.ndarray, fitted_: np.ndarray, curves: np.ndarray) -> Band:
    low, high = np.percentile(curves, [2.5, 97.5], axis=1)
    return 10**at, fitted_, np.minimum(low, fitted_), np.maximum(high, fitted_)


def fit_table(found: dict[str, dict[str, Fitted]]) -> pd.DataFrame:
    """One row per (target, arm, model), columns `COLUMNS`; a straight line has no c."""
    rows = []
    for target, curves in found.items():
        for arm, both in curves.items():
            for fit in (both.line, both.power):
                three = (nan, nan, nan) if fit.c is None else (fit.c.point, fit.c.low, fit.c.high)
                parameters = (fit.a.point, fit.a.low, fit.a.high, fit.b.point, fit.b.low, fit.b.high, *three)
                head = (target, arm, len(both.of.sizes), fit.model, fit is both.chosen)
                rows.append((*head, *parameters, fit.determined if fit.c else None, fit.left_out, fit.aicc))
    return pd.DataFrame(rows, columns=COLUMNS)

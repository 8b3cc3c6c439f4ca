"""Does it change with size? Contrasts between sizes, the slope over log10(parameters), and the equivalent size.

With three sizes or fewer the contrast (largest minus smallest) is the answer and the slope a summary of it; no
exponent is ever fitted. The equivalent size is the factor k with score(none, k x size) = score(arm, size), read off
the straight lines between the `none` scores: infinite means "beyond the largest size of this ladder", zero "below
the smallest".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from study.analysis.noise import Estimate, percentiles
from study.analysis.series import Series

DRAWS = 1000


@dataclass(frozen=True)
class Equivalent:
    """Factor on parameters that buys what the arm buys. Infinite or zero where the ladder ends."""

    size: str
    point: float
    low: float
    high: float


def slope(of: Series) -> Estimate | None:
    """Points per tenfold parameters, least squares over the sizes; None with fewer than two sizes."""
    if len(of.sizes) < 2:
        return None
    weights = _slope_weights(np.log10(of.parameters))
    return of.linear(weights)


def contrasts(of: Series) -> list[tuple[str, str, Estimate]]:
    """(smaller, larger, larger minus smaller): the ends of the ladder first, then the neighbours."""
    count = len(of.sizes)
    if count < 2:
        return []
    pairs = [(0, count - 1)] + ([(index, index + 1) for index in range(count - 1)] if count > 2 else [])
    unit = np.eye(count)
    return [(of.sizes[a], of.sizes[b], of.linear(unit[b] - unit[a])) for a, b in pairs]


def equivalent_sizes(none: Series, gain: Series) -> list[Equivalent]:
    """One factor per size that has a gain; the `none` curve is made non-decreasing first (running maximum).

    The arm's score is the `none` score plus the paired gain, draw by draw.
    """
    results: list[Equivalent] = []
    if len(none.sizes) < 2:
        return results
    ladder = np.log10(none.parameters)
    for row, size in enumerate(gain.sizes):
        if size not in none.sizes:
            continue
        home = none.sizes.index(size)
        point = _factor(ladder, none.points, none.points[home] + gain.points[row], home)
        drawn = [
            _factor(ladder, curve, curve[home] + extra, home)
            for curve, extra in zip(none.draws(DRAWS).T, gain.draws(DRAWS)[row], strict=True)
        ]
        found = percentiles(point, np.array(drawn))
        results.append(Equivalent(size, point, found.low, found.high))
    return results


def _slope_weights(x: np.ndarray) -> np.ndarray:
    centred = x - x.mean()
    return centred / (centred @ centred)


def _factor(ladder: np.ndarray, curve: np.ndarray, wanted: float, home: int) -> float:
    """10 ** (log10 size at which the rising curve first reaches `wanted` - that of `home`)."""
    rising = np.maximum.accumulate(curve)
    if wanted > rising[-1]:
        return float("inf")
    if wanted < rising[0]:
        return 0.0
    above = int(np.searchsorted(rising, wanted))
    where = ladder[above]
    if rising[above] > wanted:
        where = np.interp(wanted, rising[above - 1 : above + 1], ladder[above - 1 : above + 1])
    return float(10 ** (where - ladder[home]))

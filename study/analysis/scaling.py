"""Does it change with size? Contrasts between sizes, and the slope over log10(parameters).

With three sizes or fewer the contrast (largest minus smallest) is the answer and the slope a summary of it; no
exponent is ever fitted.
"""

from __future__ import annotations

import numpy as np

from study.analysis.noise import Estimate
from study.analysis.series import Series


def slope(of: Series) -> Estimate | None:
    """Points per tenfold parameters, least squares over the sizes; None with fewer than two different ones."""
    if len(set(of.parameters)) < 2:
        return None
    weights = slope_weights(np.log10(of.parameters))
    return of.linear(weights)


def contrasts(of: Series) -> list[tuple[str, str, Estimate]]:
    """(smaller, larger, larger minus smaller): the ends of the ladder first, then the neighbours."""
    count = len(of.sizes)
    if count < 2:
        return []
    pairs = [(0, count - 1)] + ([(index, index + 1) for index in range(count - 1)] if count > 2 else [])
    unit = np.eye(count)
    return [(of.sizes[a], of.sizes[b], of.linear(unit[b] - unit[a])) for a, b in pairs]


def slope_weights(x: np.ndarray) -> np.ndarray:
    """Weights of least squares: their sum with y is the slope of y over `x`."""
    centred = x - x.mean()
    return centred / (centred @ centred)

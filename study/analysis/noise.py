"""How sure are several numbers together? Their noise as a sum of components, and intervals for what is made of them.

The numbers are one quantity at several places (a gain at each size of a ladder, say). Each component is a covariance
matrix over the places and the degrees of freedom it was estimated with. An interval for a weighted sum takes the
variance of every component and Satterthwaite's degrees of freedom for their sum; a number that is no weighted sum (an
equivalent size) is computed on joint draws.

    noise.estimate(points, [-1, 0, 1])       # last place minus first: Estimate(point, low, high, error, freedom)

Resampling two to five seeds, or a dozen languages, with replacement makes intervals that are too short; Student's t
with the few degrees of freedom there are does not (`tests/benchmarks/coverage.py` shows both).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isinf

import numpy as np
from scipy.special import stdtr, stdtrit  # what scipy.stats.t calls, without a hundred microseconds of checks

LEVEL = 0.95
POWER = 0.80
ROUND_OFF = 1e-9


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval, its standard error and the degrees of freedom of that."""

    point: float
    low: float
    high: float
    error: float = float("nan")
    freedom: float = inf

    @property
    def positive(self) -> bool:
        """Never without an error: then nothing is known of the noise."""
        return self.low > ROUND_OFF and self.error != 0

    @property
    def negative(self) -> bool:
        return self.high < -ROUND_OFF and self.error != 0

    @property
    def clear(self) -> bool:
        """True when the interval leaves zero out."""
        return self.positive or self.negative

    @property
    def p(self) -> float:
        """Two-sided p value of zero (Student's t); 1 without an error to compare with."""
        if not self.error > 0:
            return 1.0
        return float(2 * stdtr(self.freedom, -abs(self.point) / self.error))

    def within(self, lowest: float, highest: float) -> Estimate:
        """The same with an interval that ends where the number itself must: no score lies above 100."""
        return replace(self, low=max(self.low, lowest), high=min(self.high, highest))

    @property
    def detectable(self) -> float:
        """The smallest true value that a study this noisy shows with 80 % power (interval without zero)."""
        return float((stdtrit(self.freedom, (1 + LEVEL) / 2) + stdtrit(self.freedom, POWER)) * self.error)


@dataclass(frozen=True)
class Component:
    """One source of noise: `matrix` is (places, places), `freedom` its degrees of freedom (infinite: known)."""

    matrix: np.ndarray
    freedom: float = inf


@dataclass(frozen=True)
class Noise:
    """All sources of noise of one quantity at several places."""

    components: tuple[Component, ...]

    def estimate(self, points: np.ndarray, weights: Sequence[float] | np.ndarray) -> Estimate:
        """The weighted sum of (places,) points with its interval."""
        weighing = np.asarray(weights, dtype=float)
        point = float(weighing @ points)
        parts = [(float(weighing @ one.matrix @ weighing), one.freedom) for one in self.components]
        # A known part below zero is what two counted ones both hold. It is an estimate: it takes away no more than
        # the smaller ones, which then also say less about the degrees of freedom.
        counted = [(value, freedom) for value, freedom in parts if not isinf(freedom)]
        largest = max((value for value, _ in counted), default=0.0)
        others = sum(value for value, _ in counted) - largest
        variance = max(sum(value for value, _ in parts), largest, 0.0)
        kept = min((variance - largest) / others, 1.0) if others > 0 else 1.0
        squares = sum((value if value == largest else kept * value) ** 2 / freedom for value, freedom in counted)
        freedom = max(variance**2 / squares, 1.0) if squares > 0 else inf
        error = variance**0.5
        width = float(stdtrit(freedom, (1 + LEVEL) / 2)) * error
        return Estimate(point, point - width, point + width, error, freedom)

    def draws(self, points: np.ndarray, count: int, label: str) -> np.ndarray:
        """(places, count) joint draws around (places,) points; the same for the same `label`."""
        rng = np.random.default_rng(zlib.crc32(label.encode()))
        total = np.tile(points[:, None], (1, count)).astype(float)
        known = sum((one.matrix for one in self.components if isinf(one.freedom)), np.zeros((len(points),) * 2))
        for one in (Component(known), *(one for one in self.components if not isinf(one.freedom))):
            values, vectors = np.linalg.eigh(one.matrix)
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            scale = 1.0 if isinf(one.freedom) else np.sqrt(one.freedom / rng.chisquare(one.freedom, size=count))
            total += root @ rng.standard_normal((len(points), count)) * scale
        return total


def percentiles(point: float, draws: np.ndarray) -> Estimate:
    """Percentile interval of draws (which may be infinite); the point widens it rather than fall outside."""
    low, high = np.percentile(draws, [50 * (1 - LEVEL), 50 * (1 + LEVEL)], method="closest_observation")
    spread = float(np.std(draws)) if np.isfinite(draws).all() else float("nan")
    return Estimate(float(point), float(min(low, point)), float(max(high, point)), spread)

"""What could a study see? The chance that an effect of a given size is told from none, from simulated studies.

An interval shows an effect when it leaves zero out: when the estimate lies further from zero than half the interval is
wide. Studies of the planned design are simulated for those widths; the estimate spreads around the truth as the
intervals say, which `tests/benchmarks/coverage.py` holds them to.

    found = power(planted, studies_for(planted))
    found[0].smallest, found[0].chance(2.0)          # points seen with 80 % chance; chance to see 2 points
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from study.analysis.basis import Basis, basis
from study.analysis.noise import POWER, Estimate
from study.analysis.retention import memory
from study.analysis.scaling import contrasts, slope
from study.analysis.series import Series
from study.simulation.draw import draw
from study.simulation.planted import Planted

RESAMPLES = 200
"""Enough for the variance of a draw, which is all that is used of them."""
FEWEST, MOST, WORK = 10, 50, 100_000_000
"""Simulated studies, and test answers in all of them."""

GAIN, SINGLE = "gain, all targets and sizes", "gain on one target at one size"
SLOPE, CONTRAST = "slope of the gain per tenfold parameters", "gain at the largest minus at the smallest size"
RETENTION = "retention at the largest minus at the smallest size"


@dataclass(frozen=True)
class Seen:
    """How well one quantity of one arm is seen."""

    quantity: str
    arm: str
    scope: str
    """`these` languages, or languages `like` these."""
    widths: np.ndarray
    """(estimates,) half widths of the simulated intervals."""
    spread: float
    """Standard deviation of the estimate around the truth."""

    @property
    def smallest(self) -> float:
        """The smallest effect that is seen with 80 % chance."""
        highest = float(self.widths.max()) + 10 * self.spread
        return float(brentq(lambda effect: self.chance(effect) - POWER, 0.0, highest)) if highest > 0 else 0.0

    def chance(self, effect: float) -> float:
        """The chance that an effect of this size is seen."""
        return float(np.mean(norm.cdf(effect, loc=self.widths, scale=max(self.spread, 1e-9))))


def studies_for(planted: Planted) -> int:
    """How many studies are simulated: fewer of large ones, so that it takes seconds."""
    answers = sum(len(one.languages) * one.examples for one in planted.targets.values())
    answers *= len(planted.sizes) * len(planted.arms) * len(planted.seeds)
    return int(np.clip(WORK // answers, FEWEST, MOST))


def power(planted: Planted, studies: int, each: Callable[[int], None] = lambda done: None) -> list[Seen]:
    """One entry per quantity, arm and scope, in the order of the design. `each` is told how many studies are done."""
    planted = planted.model_copy(update={"resamples": RESAMPLES})
    seen: dict[tuple[str, str, str], list[Estimate]] = defaultdict(list)
    for study in range(studies):
        for quantity, arm, scope, estimate in _estimates(basis(draw(planted, study)[0])):
            seen[(quantity, arm, scope)].append(estimate)
        each(study + 1)
    return [_seen(*key, found) for key, found in seen.items()]


def _seen(quantity: str, arm: str, scope: str, found: list[Estimate]) -> Seen:
    widths = np.array([one.point - one.low for one in found])
    return Seen(quantity, arm, scope, widths, float(np.mean([one.error**2 for one in found])) ** 0.5)


def _estimates(found: Basis) -> Iterator[tuple[str, str, str, Estimate]]:
    """(quantity, arm, scope, estimate)"""
    curves = memory(found).curves
    for arm, pool in found.pools.items():
        for scope, of in _scopes(pool.gain):
            yield GAIN, arm, scope, of.mean()
            if (line := slope(of)) is not None:
                yield SLOPE, arm, scope, line
                yield CONTRAST, arm, scope, contrasts(of)[0][2]
        for target in pool.targets:
            for scope, of in _scopes(found.gains[arm][target]):
                for place in np.eye(len(of.sizes)):
                    yield SINGLE, arm, scope, of.linear(place)
        if arm in curves and len(curves[arm].sizes) > 1:
            yield RETENTION, arm, "these", contrasts(curves[arm])[0][2]


def _scopes(of: Series) -> Iterator[tuple[str, Series]]:
    yield "these", of
    if (across := of.over_languages()) is not None:
        yield "like", across

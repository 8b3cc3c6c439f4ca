"""What could a study see? The chance that an effect of a given size is told from none, from simulated studies.

An interval shows an effect when it leaves zero out. How far an estimate's lower end lies below the truth does not
depend on how large the effect is, so one set of simulated studies answers for effects of every size.

    found = power(planted, studies_for(planted))
    found[0].smallest, found[0].chance(2.0)          # points seen with 80 % chance; chance to see 2 points
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from study.analysis import retention
from study.analysis.basis import Basis, basis
from study.analysis.noise import POWER, Estimate
from study.analysis.scaling import contrasts, slope
from study.analysis.series import Series
from study.simulation.draw import draw
from study.simulation.planted import Planted
from study.simulation.truth import Truth

RESAMPLES = 200
"""Enough for the variance of a draw, which is all that is used of them."""
FEWEST, MOST, WORK = 20, 100, 40_000_000
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
    margins: np.ndarray
    """(draws,) the true effects from which on each simulated interval would have left zero out."""

    @property
    def smallest(self) -> float:
        """The smallest effect that is seen with 80 % chance."""
        return float(np.quantile(self.margins, POWER))

    def chance(self, effect: float) -> float:
        """The chance that an effect of this size is seen."""
        return float(np.mean(self.margins < effect))


def studies_for(planted: Planted) -> int:
    """How many studies are simulated: fewer of large ones, so that it takes seconds."""
    answers = sum(len(one.languages) * one.examples for one in planted.targets.values())
    answers *= len(planted.sizes) * len(planted.arms) * len(planted.seeds)
    return int(np.clip(WORK // answers, FEWEST, MOST))


def power(planted: Planted, studies: int, each: Callable[[int], None] = lambda done: None) -> list[Seen]:
    """One entry per quantity, arm and scope, in the order of the design. `each` is told how many studies are done."""
    planted = planted.model_copy(update={"resamples": RESAMPLES})
    margins: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for study in range(studies):
        evidence, truth = draw(planted, study)
        for quantity, arm, scope, true, estimate in _estimates(basis(evidence), truth):
            margins[(quantity, arm, scope)] += [true - estimate.low, estimate.high - true]
        each(study + 1)
    return [Seen(*key, np.array(values)) for key, values in margins.items()]


def _estimates(found: Basis, truth: Truth) -> Iterator[tuple[str, str, str, float, Estimate]]:
    """(quantity, arm, scope, truth, estimate)"""
    for arm, pool in found.pools.items():
        for scope, series, true in _scopes(pool.gain, truth):
            values = true.pooled(arm, pool.targets)
            yield GAIN, arm, scope, float(values.mean()), series.mean()
            for quantity, value, estimate in _changes(series, values, true):
                yield quantity, arm, scope, value, estimate
        for target in pool.targets:
            for scope, series, true in _scopes(found.gains[arm][target], truth):
                for value, size in zip(true.gain(arm, target), series.sizes, strict=True):
                    if (estimate := series.at(size)) is not None:
                        yield SINGLE, arm, scope, float(value), estimate
        kept = retention.retention_series(retention.retention(found.rows), found.design, arm)
        if kept is not None and len(kept.sizes) > 1:
            values = truth.retention(arm)
            yield RETENTION, arm, "these", float(values[-1] - values[0]), contrasts(kept)[0][2]


def _scopes(series: Series, truth: Truth) -> Iterator[tuple[str, Series, Truth]]:
    yield "these", series, truth
    if (across := series.over_languages()) is not None:
        yield "like", across, truth.typical


def _changes(series: Series, values: np.ndarray, truth: Truth) -> Iterator[tuple[str, float, Estimate]]:
    if (found := slope(series)) is not None:
        yield SLOPE, truth.slope(values), found
        yield CONTRAST, float(values[-1] - values[0]), contrasts(series)[0][2]

"""Do the intervals of the report hold? Coverage of every kind of 95 % interval over simulated studies.

    python -m tests.benchmarks.coverage --studies 500 --out build/coverage.json
    python -m tests.benchmarks.coverage --studies 40 --scenario "two seeds"

Studies are drawn by `study.simulation` with effects that are known exactly, and analysed by the functions behind the
report. An interval covers when the truth lies within it. `these` are statements about the study's own languages,
`like` about languages like these. Intervals of one study go together, so the error of a share is taken over studies.
Beside them: how often studies without any effect find one, how well planted numbers are recovered, and the coverage
of the usual percentile bootstrap over seeds and languages, which the report does not use.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from study.analysis import gains as gain
from study.analysis import retention, scaling
from study.analysis.basis import Basis, basis
from study.analysis.noise import Estimate
from study.analysis.series import Series
from study.simulation.draw import draw
from study.simulation.planted import Planted
from study.simulation.truth import Truth
from study.spec import NONE
from tests.benchmarks.scenarios import SCENARIOS, planted_for

NOMINAL = (0.93, 0.97)


class Check(NamedTuple):
    """One interval and what it should hold."""

    kind: str
    scope: str
    truth: float
    point: float
    low: float
    high: float

    @property
    def covered(self) -> bool:
        return self.low <= self.truth <= self.high


def checks(found: Basis, truth: Truth) -> Iterator[Check]:
    """Every interval of a study, of whatever kind, with its truth."""
    for target, by_arm in found.scores.items():
        for arm, series in by_arm.items():
            yield from _levels("score", series, truth, lambda t, a=arm, g=target: t.score(a, g))
    for arm, by_target in found.gains.items():
        for target, series in by_target.items():
            yield from _levels("gain, target", series, truth, lambda t, a=arm, g=target: t.gain(a, g))
            yield from _changes("target", series, truth, lambda t, a=arm, g=target: t.gain(a, g))
            yield from _equivalents(found, truth, arm, target, series)
            yield from _languages(found, truth, arm, target)
    for arm, pool in found.pools.items():
        yield from _levels("gain, pooled", pool.gain, truth, lambda t, a=arm, p=pool: t.pooled(a, p.targets))
        yield from _changes("pooled", pool.gain, truth, lambda t, a=arm, p=pool: t.pooled(a, p.targets))
        yield from _retention(found, truth, arm)
    yield from _bootstrap(found, truth)


def _scopes(series: Series, truth: Truth) -> Iterator[tuple[str, Series, Truth]]:
    yield "these", series, truth
    if (across := series.over_languages()) is not None:
        yield "like", across, truth.typical


def _levels(kind: str, series: Series, truth: Truth, of: Any) -> Iterator[Check]:
    """By size and their mean."""
    for scope, one, true in _scopes(series, truth):
        values = of(true)
        for size, value in zip(one.sizes, values, strict=True):
            yield _check(f"{kind}, size", scope, value, one.at(size))
        yield _check(f"{kind}, mean", scope, values.mean(), one.mean())


def _changes(kind: str, series: Series, truth: Truth, of: Any) -> Iterator[Check]:
    for scope, one, true in _scopes(series, truth):
        values = of(true)
        yield _check(f"slope, {kind}", scope, true.slope(values), scaling.slope(one))
        for small, large, change in scaling.contrasts(one):
            places = [one.sizes.index(name) for name in (small, large)]
            yield _check(f"contrast, {kind}", scope, values[places[1]] - values[places[0]], change)


def _equivalents(found: Basis, truth: Truth, arm: str, target: str, series: Series) -> Iterator[Check]:
    factors = truth.equivalent(truth.score(NONE, target), truth.gain(arm, target))
    for one in scaling.equivalent_sizes(found.scores[target][NONE], series):
        true = factors[series.sizes.index(one.size)]
        yield Check("equivalent size", "these", true, one.point, one.low, one.high)


def _languages(found: Basis, truth: Truth, arm: str, target: str) -> Iterator[Check]:
    codes = truth.planted.targets[target].languages
    for code in (codes[0], codes[-1]):
        series = gain.gain(found.resampled, found.design, arm, target, code)
        for size, value in zip(series.sizes, truth.language_gain(arm, target, code), strict=True):
            yield _check("gain, language", "these", value, series.at(size))


def _retention(found: Basis, truth: Truth, arm: str) -> Iterator[Check]:
    series = retention.retention_series(retention.retention(found.rows), found.design, arm)
    if series is not None:
        values = truth.retention(arm)
        for size, value in zip(series.sizes, values, strict=True):
            yield _check("retention, size", "these", value, series.at(size))
        yield _check("retention, slope", "these", truth.slope(values), scaling.slope(series))


def _bootstrap(found: Basis, truth: Truth) -> Iterator[Check]:
    """Pooled gain by size with seeds, languages and examples drawn with replacement: what is often done."""
    rng = np.random.default_rng(0)
    for arm, pool in found.pools.items():
        for row, size in enumerate(pool.gain.sizes):
            drawn = [_draws(found, arm, pool.targets, (size, seed)) for seed in found.design.seeds]
            for scope, true in (("these", truth), ("like", truth.typical)):
                low, high = np.percentile(_redrawn(np.array(drawn), scope == "like", rng), [2.5, 97.5])
                value = true.pooled(arm, pool.targets)[row]
                yield Check("naive bootstrap: gain, pooled, size", scope, value, np.mean(drawn), low, high)


def _draws(found: Basis, arm: str, targets: Sequence[str], place: tuple[str, int]) -> np.ndarray:
    """(languages, draws) mean over the targets, which all have the same languages."""
    by_target = [gain.gains_by_language(found.resampled, arm, target, place) for target in targets]
    return np.array([np.mean([leaves[code][1] for leaves in by_target], axis=0) for code in sorted(by_target[0])])


def _redrawn(values: np.ndarray, languages: bool, rng: np.random.Generator) -> np.ndarray:
    """(seeds, languages, draws) -> (draws,) means of redrawn seeds, and languages if they are to be redrawn."""
    seeds, codes, count = values.shape
    which = rng.integers(0, codes, (count, codes)) if languages else np.tile(np.arange(codes), (count, 1))
    chosen = rng.integers(0, seeds, (count, seeds))
    return values[chosen[:, :, None], which[:, None, :], np.arange(count)[:, None, None]].mean(axis=(1, 2))


def _check(kind: str, scope: str, truth: float, estimate: Estimate | None) -> Check:
    assert estimate is not None, f"{kind}: a finished study has every estimate"
    return Check(kind, scope, float(truth), estimate.point, estimate.low, estimate.high)

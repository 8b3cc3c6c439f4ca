"""What does a point cost: bought with an intermediate phase, or bought with the next size up?

A gain of 4 points (2 to 8) that took 1e15 FLOPs costs 2.5e14 a point (1.25e14 to 5e14). What was paid counts as known,
so the interval of a price is that of the gain. Where the gain's interval holds zero there is no price, only the least
that a point costs, and no upper limit.

Costs are per seed: a search that all seeds use is divided among them, and among the sizes that searched around it.
What an arm costs is its intermediate phases (its target phases cost what those of `none` cost), for one target its
share of them (`study.analysis.shares`); `alone` is the price as if no other target used the same intermediate phase.
What the next size costs is the difference of the target phases without an intermediate one. Scoring is for
knowing a gain, not for having it, and is left out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf, nan
from typing import Any

import numpy as np
import pandas as pd

from study.analysis.basis import Basis
from study.analysis.frame import NONE
from study.analysis.gains import POOLED, pooled_score
from study.analysis.noise import Estimate
from study.analysis.series import Series
from study.analysis.shares import UNITS, Shares

PAID = [*UNITS, "money"]
GAIN = ["gain", "low", "high"]
PER_POINT = [f"{unit}_per_point{end}" for unit in PAID for end in ("", "_low", "_high")]
PRICES = ["arm", "target", "size", *GAIN, *PAID, *PER_POINT, "alone_flops_per_point", "alone_hours_per_point"]
STEPS = ["target", "size", "larger", *GAIN, *PAID, *PER_POINT, "lacking"]


def price(paid: float, gain: Estimate) -> Estimate:
    """Price of a point with its interval; NaN where there is none, infinite where it has no upper limit."""
    if gain.high <= 0:
        return Estimate(nan, nan, nan)
    if paid <= 0:  # nothing was paid, or less than for the alternative: a point is free once there is one
        return Estimate(0.0, 0.0, 0.0) if gain.positive else Estimate(nan, 0.0, nan)
    if gain.low <= 0:
        return Estimate(nan, paid / gain.high, inf)
    return Estimate(paid / gain.point, paid / gain.high, paid / gain.low)


def prices(base: Basis, shared: Shares, rate: float | None) -> pd.DataFrame:
    """One row per (arm, target or pool, size), columns `PRICES`; `rate` is the price of a GPU-hour."""
    rows = []
    for arm, gain, targets in _bought(base):
        for size in gain.sizes:
            whole = shared.per_seed(["intermediate"], size, arm, base.design.targets)
            # The mean of targets is bought with all of the phase, though degenerate targets are not in the mean.
            paid = whole if gain.target == POOLED else shared.per_seed(["intermediate"], size, arm, targets)
            estimate = gain.at(size)
            if paid is None or whole is None or estimate is None:
                continue
            alone = {f"alone_{unit}_per_point": price(whole[unit], estimate).point for unit in ("flops", "hours")}
            rows.append({"arm": arm, "target": gain.target, "size": size, **_row(paid, estimate, rate), **alone})
    return pd.DataFrame(rows, columns=PRICES)


def steps(base: Basis, shared: Shares, rate: float | None) -> pd.DataFrame:
    """One row per (target or pool, neighbouring sizes) of arm none, columns `STEPS`: the price of the other lever.

    Where a target phase has no record (`lacking`), what it cost is not known, and there is no price.
    """
    pool = pooled_score(base.resampled, base.design, NONE, base.design.targets)
    curves = [(found[NONE], (target,)) for target, found in base.scores.items() if NONE in found]
    rows = []
    for curve, targets in [*curves, *([(pool.gain, pool.targets)] if pool else [])]:
        places = np.eye(len(curve.sizes))
        for place, (small, large) in enumerate(zip(curve.sizes, curve.sizes[1:], strict=False)):
            # A target that is scored without tuning costs nothing at any size.
            here, there = (shared.per_seed(["target"], size, NONE, targets) or {} for size in (small, large))
            lacking = [name for size in (small, large) for name in _lacking(base, shared, curve, targets, size)]
            extra = {unit: nan if lacking else there.get(unit, 0.0) - here.get(unit, 0.0) for unit in UNITS}
            estimate = curve.linear(places[place + 1] - places[place])
            names = {"target": curve.target, "size": small, "larger": large, "lacking": ", ".join(lacking)}
            rows.append({**names, **_row(extra, estimate, rate)})
    return pd.DataFrame(rows, columns=STEPS)


def _lacking(base: Basis, shared: Shares, curve: Series, targets: Sequence[str], size: str) -> list[str]:
    """Scored cells of none whose target phase has no record."""
    tuned = [target for target in targets if target not in base.design.direct]
    there = np.isfinite(curve.values[curve.sizes.index(size)])
    seeds = [seed for seed, scored in zip(curve.seeds, there, strict=True) if scored]
    return shared.lacking("target", size, NONE, tuned, seeds)


def _bought(base: Basis) -> Iterator[tuple[str, Series, Sequence[str]]]:
    """(arm, its gain, the targets whose shares paid for it); the pool first."""
    for arm, gains in base.gains.items():
        if arm in base.pools:
            yield arm, base.pools[arm].gain, base.pools[arm].targets
        for target, gain in gains.items():
            yield arm, gain, (target,)


def _row(paid: dict[str, float], gain: Estimate, rate: float | None) -> dict[str, Any]:
    amounts = {**paid, "money": nan if rate is None else paid["hours"] * rate}
    row: dict[str, Any] = {"gain": gain.point, "low": gain.low, "high": gain.high, **amounts}
    for unit in PAID:
        found = price(amounts[unit], gain) if amounts[unit] == amounts[unit] else Estimate(nan, nan, nan)
        row |= {f"{unit}_per_point": found.point, f"{unit}_per_point_low": found.low}
        row[f"{unit}_per_point_high"] = found.high
    return row


def pooled(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the means over targets."""
    return table[table["target"] == POOLED]

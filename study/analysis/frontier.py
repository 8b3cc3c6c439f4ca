"""Which (size, arm) is worth its cost, and which is the cheapest way to a given score?

A way is one (size, arm): its mean score over all targets of the study, and what tuning it costs per seed: intermediate
and target phases, the search included (what a base model cost to make, and scoring, are paid on every way). It is on
the frontier when no other way scores as much for less. Ways that lack a target or a seed are left out, and ways with
a phase that has no record: what they cost is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from study.analysis.basis import Basis
from study.analysis.frame import NONE, lines
from study.analysis.gains import scores_by_language
from study.analysis.series import POINTS, Entry, mean_entry, noise
from study.analysis.shares import UNITS, Shares
from study.analysis.spent import TUNED

SCORE = ["score", "score_low", "score_high"]
WAYS = ["size", "arm", *UNITS, "money", *SCORE, "on_flops", "on_hours", "often_flops", "often_hours"]
CHEAPEST = ["score", "unit", "size", "arm", "flops", "hours", "money", "reached", "chance"]
DRAWS = 1000
STEPS = (0.5, 1, 2, 5, 10)
ROWS = 8
"""Most scores for which the cheapest way is told."""


@dataclass(frozen=True)
class Frontier:
    """All complete ways. `draws` is (ways, draws): their scores drawn together, in the order of the rows."""

    ways: pd.DataFrame
    """Columns `WAYS`: `on_` the frontier by that cost, and how `often` over the draws."""
    draws: np.ndarray


def pareto(cost: np.ndarray, score: np.ndarray) -> np.ndarray:
    """(ways, ...) scores with their (ways,) costs -> what is not dominated.

    Dominated: another way costs no more and scores no less, and is better in one of the two.
    """
    best = np.ones(score.shape, dtype=bool)
    for index in range(len(cost)):
        for other in range(len(cost)):
            no_worse = (cost[other] <= cost[index]) & (score[other] >= score[index])
            better = (cost[other] < cost[index]) | (score[other] > score[index])
            best[index] &= ~(no_worse & better)
    return best


def frontier(base: Basis, shared: Shares, rate: float | None) -> Frontier:
    """All complete ways; `rate` is the price of a GPU-hour."""
    design = base.design
    entries: dict[tuple[tuple[str, str], int], Entry] = {}
    for arm in design.arms:
        for size in design.sizes:
            places = [(size, seed) for seed in design.seeds]
            leaves = {
                place: {target: scores_by_language(base.resampled, arm, target, place) for target in design.targets}
                for place in places
            }
            paid = not _lacking(base, shared, arm, size)
            if paid and all(found for here in leaves.values() for found in here.values()):
                entries |= {((size, arm), seed): mean_entry(leaves[size, seed]) for seed in design.seeds}
    ways = list(dict.fromkeys(place for place, _ in entries))
    if not ways:
        return Frontier(pd.DataFrame(columns=WAYS), np.empty((0, 0)))
    points = np.array([np.mean([entries[way, seed].point for seed in design.seeds]) for way in ways])
    together, _, _ = noise(entries, ways)
    draws = together.draws(points, DRAWS, "frontier")
    rows = []
    for way, weights, point in zip(ways, np.eye(len(ways)), points, strict=True):
        amounts = shared.per_seed(TUNED, way[0], way[1], design.targets) or dict.fromkeys(UNITS, 0.0)
        estimate = together.estimate(points, weights).within(*POINTS)
        money = None if rate is None else amounts["hours"] * rate
        rows.append((*way, *(amounts[unit] for unit in UNITS), money, point, estimate.low, estimate.high))
    found = pd.DataFrame(rows, columns=WAYS[:-4])
    for unit in ("flops", "hours"):
        cost = found[unit].to_numpy(dtype=float)
        found[f"on_{unit}"] = pareto(cost, points)
        found[f"often_{unit}"] = pareto(cost, draws).mean(axis=1)
    return Frontier(found[WAYS], draws)


def _lacking(base: Basis, shared: Shares, arm: str, size: str) -> list[str]:
    design = base.design
    tuned = [target for target in design.targets if target not in design.direct]
    found = shared.lacking("target", size, arm, tuned, design.seeds)
    return found + ([] if arm == NONE else shared.lacking("intermediate", size, arm, design.targets, design.seeds))


def cheapest(of: Frontier) -> pd.DataFrame:
    """One row per (round score, unit of cost): the cheapest way whose score reaches it, columns `CHEAPEST`.

    `reached` is that way's own score, `chance` the share of draws in which it reaches the score asked for.
    """
    rows = []
    for score in grid(of.ways["score"].to_numpy(dtype=float)):
        reaching = of.ways[of.ways["score"] >= score]
        for unit in ("flops", "hours"):
            way = next(lines(reaching.sort_values([unit, "score"], ascending=[True, False], kind="stable").head(1)))
            index = int(np.flatnonzero((of.ways["size"] == way.size) & (of.ways["arm"] == way.arm))[0])
            chance = float((of.draws[index] >= score).mean())
            rows.append((score, unit, way.size, way.arm, way.flops, way.hours, way.money, way.score, chance))
    return pd.DataFrame(rows, columns=CHEAPEST)


def grid(scores: Sequence[float] | np.ndarray) -> list[float]:
    """Round scores from just below the lowest to the highest that is reached, `ROWS` or fewer.

    grid([61.2, 74.0]) -> [60, 62, 64, 66, 68, 70, 72, 74]
    """
    if not len(scores):
        return []
    low, high = min(scores), max(scores)
    step = next((step for step in STEPS if np.floor(high / step) - np.floor(low / step) < ROWS), STEPS[-1])
    first = np.floor(low / step)
    return [float(step * place) for place in np.arange(first, np.floor(high / step) + 1)]

"""Does a score, or a gain, fall with a language's distance from English?

Distances are given (the lab states its own; for real languages none is invented). Two summaries per (arm, target):
the least-squares slope in points per unit of distance, by size and with an interval like any other series, and
Spearman's rank correlation of the seed means, as a number without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from study.analysis.frame import NONE, Design
from study.analysis.resample import Resampled
from study.analysis.series import Entry, Series, series

FEWEST = 3
"""Languages with a distance below which nothing is said."""


@dataclass(frozen=True)
class Language:
    """Facts about one language. `distance` is None where nobody measured it."""

    code: str
    name: str = ""
    family: str = ""
    script: str = ""
    distance: float | None = None


def distance_slope(
    resampled: Resampled, design: Design, arm: str, target: str, languages: Mapping[str, Language], gain: bool = False
) -> Series | None:
    """Points per unit of distance by size, of the score or (with `gain`) of the gain over `none`."""
    entries = {}
    for size in design.sizes:
        for seed in design.seeds:
            codes = resampled.languages(size, arm, target, seed)
            if gain:
                codes = codes & resampled.languages(size, NONE, target, seed)
            known = sorted(code for code in codes if code in languages and languages[code].distance is not None)
            x = np.array([languages[code].distance for code in known], dtype=float)
            if len(known) < FEWEST or np.ptp(x) == 0:
                continue
            weights = (x - x.mean()) / ((x - x.mean()) @ (x - x.mean()))
            points = np.array([resampled.points[(size, arm, target, seed, code)] for code in known])
            draws = np.stack([resampled.draws[(size, arm, target, seed, code)] for code in known])
            if gain:
                points = points - np.array([resampled.points[(size, NONE, target, seed, code)] for code in known])
                draws = draws - np.stack([resampled.draws[(size, NONE, target, seed, code)] for code in known])
            entries[(size, seed)] = Entry(float(weights @ points), weights @ draws)
    return series(arm, target, entries, design.sizes, design.parameters)


def rank_correlation(values: Mapping[str, float], languages: Mapping[str, Language]) -> float | None:
    """Spearman's rho of value and distance; None with fewer than three known distances or no spread."""
    pairs = [
        (known.distance, value)
        for code, value in values.items()
        if (known := languages.get(code)) is not None and known.distance is not None
    ]
    if len(pairs) < FEWEST or len({x for x, _ in pairs}) < 2 or len({y for _, y in pairs}) < 2:
        return None
    return float(spearmanr(*zip(*pairs, strict=True)).statistic)


def by_language(cells: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds, one row per (target, arm, size, language): score, examples, baselines, number of seeds."""
    groups = cells.groupby(["target", "arm", "size", "language"], sort=False)
    table = groups.agg(
        score=("score", "mean"),
        seeds=("seed", "nunique"),
        examples=("examples", "first"),
        majority=("majority", "mean"),
        random=("random", "mean"),
        key=("key", "first"),
    )
    return table.reset_index()

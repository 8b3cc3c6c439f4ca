"""Does a score, or a gain, fall with a language's distance from English?

Distances are given (see `languages`). Two summaries: the least-squares slope in points per unit of distance over the
languages other than English, by size and with an interval like any other series (`slopes`), and Spearman's rank
correlation of the means with any fact that has an order, as a number without one (`rank_correlation`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from study.analysis.frame import Design
from study.analysis.gains import POOLED
from study.analysis.languages import DISTANCES, ENGLISH, FEWEST, Language, others
from study.analysis.series import Series
from study.analysis.weighted import ByTarget, Weigh, by_target, pooled


def slopes(leaves: ByTarget, languages: Mapping[str, Language], design: Design, arm: str) -> dict[str, Series]:
    """{target, and `POOLED` for their mean: points per unit of distance by size}; targets that have a slope."""
    weigh = per_distance(languages)
    found = by_target(leaves, weigh, design, arm)
    pool = pooled(leaves, weigh, design, arm)
    return {**found, POOLED: pool.gain} if pool else found


def per_distance(languages: Mapping[str, Language]) -> Weigh:
    """Weights of the least-squares slope over distance; none with fewer than three known ones, or without spread."""

    def weigh(codes: Collection[str], _: str) -> Mapping[str, float] | None:
        known = {
            code: distance
            for code in sorted(codes)
            if code != ENGLISH and code in languages and (distance := languages[code].distance) is not None
        }
        x = np.array(list(known.values()), dtype=float)
        if len(x) < FEWEST or np.ptp(x) == 0:
            return None
        centred = x - x.mean()
        return dict(zip(known, (centred / (centred @ centred)).tolist(), strict=True))

    return weigh


def ranks(leaves: ByTarget, languages: Mapping[str, Language]) -> list[tuple[str, int, float]]:
    """(fact, languages, Spearman's rho of it with the languages' values) for every fact that has an order.

    Languages are not tested by the same targets, so a language's value is its distance from the mean of a target,
    averaged over its targets, sizes and seeds.
    """
    above: dict[str, list[float]] = {}
    for places in leaves.values():
        values: dict[str, list[float]] = {}
        for found in places.values():
            for code, (value, _) in found.items():
                values.setdefault(code, []).append(value)
        means = {code: float(np.mean(many)) for code, many in values.items() if code != ENGLISH}
        for code, mean in means.items():
            above.setdefault(code, []).append(mean - float(np.mean(list(means.values()))))
    standing = {code: float(np.mean(many)) for code, many in above.items()}
    rows = []
    for name, fact in ordered_facts(languages).items():
        rho = rank_correlation(standing, fact)
        if rho is not None:
            rows.append((name, len(set(standing) & set(fact)), rho))
    return rows


def ordered_facts(languages: Mapping[str, Language]) -> dict[str, dict[str, float]]:
    """{fact: {language: its number}} of all facts that have an order and are known, English left out."""
    facts: dict[str, dict[str, float]] = {}
    for language in others(languages):
        told: dict[str, float | None] = {f"{kind} distance": language.distances.get(kind) for kind in DISTANCES}
        told |= {} if language.distances else {"distance": language.distance}
        told |= {"resource class": language.resource, "web text": language.text}
        for name, value in told.items():
            if value is not None:
                facts.setdefault(name, {})[language.code] = float(value)
    return facts


def rank_correlation(values: Mapping[str, float], fact: Mapping[str, float]) -> float | None:
    """Spearman's rho over the languages that have both; None with fewer than three, or where one side is constant."""
    both = [(fact[code], value) for code, value in values.items() if code in fact]
    if len(both) < FEWEST or any(len({pair[side] for pair in both}) < 2 for side in (0, 1)):
        return None
    return float(spearmanr(*zip(*both, strict=True)).statistic)


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

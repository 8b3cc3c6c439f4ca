"""Which tables tell of single languages and of their distance from English?"""

from __future__ import annotations

import pandas as pd

from study.analysis.distance import rank_correlation
from study.report.findings import Findings
from study.report.tables.gains import three


def language_table(found: Findings) -> pd.DataFrame:
    """One row per (target, size, language): facts, score of every arm (mean of seeds), gain of every arm."""
    columns = ["target", "size", "language", "name", "family", "script", "distance", "examples", "majority", "random"]
    scores = found.by_language
    if scores.empty:
        return pd.DataFrame(columns=columns)
    place = ["target", "size", "language"]
    table = scores.pivot_table(index=place, columns="arm", values="score", sort=False).add_prefix("score_")
    table = table.join(scores.groupby(place, sort=False)[["examples", "majority", "random"]].first())
    for arm in found.design.treated:
        ours = found.language_gains[found.language_gains["arm"] == arm].set_index(place)[["gain", "low", "high"]]
        table = table.join(ours.add_suffix(f"_{arm}"))
    table = table.reset_index()
    for name in ("name", "family", "script", "distance"):
        table[name] = [getattr(found.languages[code], name) for code in table["language"]]
    rest = [column for column in table.columns if column not in columns]
    order = {size: rank for rank, size in enumerate(found.design.sizes)}
    ranks = {"size": order, "target": {name: rank for rank, name in enumerate(found.design.targets)}}
    distance = pd.to_numeric(table["distance"], errors="coerce")
    table = table.assign(distance=distance, english=table["language"] != "en")
    table = table.sort_values(
        ["target", "size", "english", "distance", "family", "language"],
        key=lambda column: column.map(ranks[str(column.name)]) if column.name in ranks else column,
    )
    return table[columns + rest].reset_index(drop=True)


def distance_table(found: Findings) -> pd.DataFrame:
    """Points per unit of distance from English by (target, arm, size), and Spearman's rho of the seed means."""
    rows = []
    for (target, arm), line in found.distance_slopes.items():
        here = found.by_language[(found.by_language["target"] == target) & (found.by_language["arm"] == arm)]
        for size in line.sizes:
            estimate = line.at(size)
            assert estimate is not None
            chosen = here[here["size"] == size]
            values = {str(k): float(v) for k, v in zip(chosen["language"], chosen["score"], strict=True)}
            rows.append(
                (target, arm, size, *three(estimate), estimate.clear, rank_correlation(values, found.languages))
            )
    return pd.DataFrame(rows, columns=["target", "arm", "size", "per_unit", "low", "high", "clear", "spearman"])

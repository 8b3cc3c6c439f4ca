"""Which table tells of every language of every target, with its facts and its baselines?"""

from __future__ import annotations

import pandas as pd

from study.analysis.languages import ENGLISH
from study.report.findings import Findings


def language_table(found: Findings) -> pd.DataFrame:
    """One row per (target, size, language): facts, score of every arm (mean of seeds), gain of every arm.

    Beside the scores: the predictors that do not look, and the English score of every arm at the same target and size.
    """
    columns = ["target", "size", "language", "name", "family", "script", "resource", "text", "distance"]
    columns += ["examples", "majority", "random"]
    scores = found.by_language
    if scores.empty:
        return pd.DataFrame(columns=columns)
    place = ["target", "size", "language"]
    table = scores.pivot_table(index=place, columns="arm", values="score", sort=False).add_prefix("score_")
    table = table.join(scores.groupby(place, sort=False)[["examples", "majority", "random"]].first())
    english = scores[scores["language"] == ENGLISH].pivot_table(index=place[:2], columns="arm", values="score")
    table = table.join(english.add_prefix("english_"))
    for arm in found.design.treated:
        ours = found.language_gains[found.language_gains["arm"] == arm].set_index(place)[["gain", "low", "high"]]
        table = table.join(ours.add_suffix(f"_{arm}"))
    table = table.reset_index()
    for name in ("name", "family", "script", "resource", "text", "distance"):
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

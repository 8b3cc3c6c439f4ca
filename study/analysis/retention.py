"""Question 3: is the intermediate task still known after the target phase? English dev score after / before.

The intermediate head is kept through the target phase, so the same checkpoint line can be scored twice on the arm's
own tasks. A ratio means nothing when there was little to retain: `learned` says how far the score before stood above
the better predictor that does not look.

    found = memory(basis)
    found.curves["siqa"].at("m")             # per cent left, an Estimate over seeds and dev examples
    found.relation                           # how gain goes with retention, or why that cannot be told

Both evaluations judge the same dev examples, which are drawn again together: the ratio is paired by example.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import pandas as pd

from study.analysis.basis import Basis
from study.analysis.frame import NONE, Design, lines
from study.analysis.multiple import Family, correct
from study.analysis.noise import Estimate
from study.analysis.relation import Relation, relation
from study.analysis.resample import Resampled, resample
from study.analysis.scaling import contrasts
from study.analysis.series import Entry, Series, series

LITTLE = 5.0
"""Points above the blind baseline below which a retention is marked as "little to retain"."""
CLASSIFICATION = ("xnli", "pawsx", "xcopa")
"""The targets on which the question was first asked."""

COLUMNS = [
    "size",
    "parameters",
    "arm",
    "target",
    "seed",
    "task",
    "language",
    "before",
    "after",
    "retention",
    "learned",
    "key",
    "key_before",
]


@dataclass(frozen=True)
class Memory:
    """What the study says about question 3."""

    table: pd.DataFrame
    """Rows of `retention`."""
    curves: dict[str, Series]
    """{arm: per cent left by size, over all targets}"""
    classification: dict[str, Series]
    """The same over XNLI, PAWS-X and XCOPA, where there are other targets too."""
    lost: Family
    """Of the arms' mean retention minus 100, by (arm,)."""
    changes: Family
    """Of the arms' change from the smallest to the largest size, by (arm,)."""
    examples: bool
    """True when the intervals hold the noise of dev examples."""
    relation: Relation


def memory(basis: Basis) -> Memory:
    """Works on an empty and on a half-finished study."""
    table = retention(basis.rows)
    drawn = resample(
        {(key, "", task, 0, language): judged for (key, task, language), judged in basis.dev_judged.items()},
        basis.design.resamples,
    )
    ratios = ratio_draws(table, drawn, basis.design.resamples)
    design = basis.design
    curves = {arm: one for arm in design.treated if (one := retention_series(table, ratios, design, arm))}
    targets = [target for target in CLASSIFICATION if target in set(table["target"])]
    some = 0 < len(targets) < table["target"].nunique()
    narrow = {arm: one for arm in curves if some and (one := retention_series(table, ratios, design, arm, targets))}
    return Memory(
        table,
        curves,
        narrow,
        correct("arms' mean retention", {(arm,): below_hundred(one) for arm, one in curves.items()}),
        correct(
            "changes of an arm's retention with size",
            {(arm,): pairs[0][2] for arm, one in curves.items() if (pairs := contrasts(one))},
        ),
        bool(drawn.points),
        relation(table[table["learned"] >= LITTLE], basis.gains, design),
    )


def retention(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per (size, arm, target, seed, intermediate task) with both scores, from the rows of `frame.scores`."""
    dev = rows[(rows["split"] == "dev") & (rows["arm"] != NONE)]
    before = dev[dev["stage"] == "intermediate"]
    after = dev[dev["stage"] == "target"]
    same = ["size", "arm", "seed", "task", "language"]
    joined = after.merge(before[[*same, "score", "majority", "random", "key"]], on=same, suffixes=("", "_before"))
    blind = joined[["majority_before", "random_before"]].max(axis=1)
    positive = joined["score_before"].where(joined["score_before"] > 0)
    joined = joined.assign(
        before=joined["score_before"],
        after=joined["score"],
        retention=100.0 * joined["score"] / positive,
        learned=joined["score_before"] - blind,
    )
    return joined[COLUMNS].reset_index(drop=True)


def ratio_draws(table: pd.DataFrame, drawn: Resampled, count: int) -> np.ndarray:
    """(rows, count): each retention on resampled dev examples; without noise where predictions are missing."""
    result = np.tile(table["retention"].to_numpy(dtype=float)[:, None], (1, count))
    for index, row in enumerate(lines(table)):
        after, before = (drawn.draws.get((key, "", row.task, 0, row.language)) for key in (row.key, row.key_before))
        if after is not None and before is not None:
            np.divide(100.0 * after, before, out=result[index], where=before > 0)
    return result


def retention_series(
    table: pd.DataFrame, ratios: np.ndarray, design: Design, arm: str, targets: Sequence[str] | None = None
) -> Series | None:
    """Mean retention over targets and tasks by size, where there was something to retain.

    Only tasks that were learned at every size and seed at which any was, and only (size, seed) that have all of them
    after all targets: a mean must not change because its parts do. None when nothing is left, or without any noise.
    """
    mine = table[(table["arm"] == arm) & (table["learned"] >= LITTLE)]
    if targets is not None:
        mine = mine[mine["target"].isin(targets)]
    places = {task: set(zip(rows["size"], rows["seed"], strict=True)) for task, rows in mine.groupby("task")}
    everywhere = set().union(*places.values())
    mine = mine[mine["task"].isin([task for task in places if places[task] == everywhere])]
    units = set(zip(mine["target"], mine["task"], strict=True))
    entries = {}
    for size, seed in design.places:
        rows = mine[(mine["size"] == size) & (mine["seed"] == seed)]
        if len(rows) and set(zip(rows["target"], rows["task"], strict=True)) == units:
            entries[(size, seed)] = Entry(float(rows["retention"].mean()), ratios[rows.index].mean(axis=0))
    found = series(arm, "retention", entries, design.sizes, design.parameters)
    return found.bounded(0.0, inf) if found is not None and found.mean().error > 0 else None


def below_hundred(curve: Series) -> Estimate:
    """Mean retention over the sizes minus 100."""
    mean = curve.mean()
    return Estimate(mean.point - 100, mean.low - 100, mean.high - 100, mean.error, mean.freedom)

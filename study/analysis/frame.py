"""Which cells does a study hold, which does it lack? Records in, tidy tables out.

    rows = scores(records, design)          # one row per scored (checkpoint, task, language, split)
    cells = result_cells(rows)                # size, parameters, arm, target, seed, language, score, ...
    missing_cells(cells, design)            # the (size, arm, target, seed) that the spec asks for and nobody scored

How an evaluation finds its cell: with `task` set it scored a target checkpoint (its own task on test, the arm's
tasks on English dev); without it an intermediate checkpoint, or, when `seed` is None too, the bare backbone, which
counts for every seed of arm `none`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pandas as pd

from study.records import Record

NONE = "none"
COLUMNS = [
    "size",
    "parameters",
    "arm",
    "seed",
    "stage",
    "target",
    "task",
    "language",
    "split",
    "score",
    "examples",
    "majority",
    "random",
    "stand_in",
    "seconds",
    "key",
    "scored",
]
CELL = ["size", "arm", "target", "seed"]


@dataclass(frozen=True)
class Design:
    """What the study set out to do, in the order of its spec."""

    name: str
    sizes: tuple[str, ...]
    arms: tuple[str, ...]
    targets: tuple[str, ...]
    seeds: tuple[int, ...]
    direct: frozenset[str] = frozenset()
    """Targets scored without a target phase (retrieval)."""
    degenerate: frozenset[tuple[str, str]] = frozenset()
    """(arm, target) that train twice on the same data; left out of pooled gains."""
    resamples: int = 1000
    parameters: dict[str, int] = field(default_factory=dict)
    """Parameters by size, as far as records tell."""

    @property
    def places(self) -> list[tuple[str, int]]:
        """Every (size, seed)."""
        return list(product(self.sizes, self.seeds))

    def poolable(self, arm: str) -> tuple[str, ...]:
        """Targets whose gain may be pooled for this arm."""
        return tuple(target for target in self.targets if (arm, target) not in self.degenerate)

    @property
    def treated(self) -> tuple[str, ...]:
        """Arms other than `none`."""
        return tuple(arm for arm in self.arms if arm != NONE)


def observed(records: Iterable[Record]) -> Design:
    """The design as far as records show it, for a store without a readable spec. Sizes from small to large."""
    records = list(records)
    parameters = {record.size: record.parameters for record in records}
    arms = {record.arm for record in records if record.arm}
    trained = {record.task for record in records if record.task}
    direct = {
        score.task
        for record in records
        for score in record.scores
        if record.kind == "evaluation" and record.task is None and score.split == "test"
    }
    return Design(
        name=records[0].study if records else "study",
        sizes=tuple(sorted(parameters, key=lambda size: parameters[size])),
        arms=tuple(sorted(arms, key=lambda arm: (arm != NONE, arm))),
        targets=tuple(sorted(trained)) + tuple(sorted(direct - trained)),
        seeds=tuple(sorted({record.seed for record in records if record.seed is not None})),
        direct=frozenset(direct - trained),
        parameters=parameters,
    )


def scores(records: Iterable[Record], design: Design) -> pd.DataFrame:
    """Every score of every evaluation, columns `COLUMNS`; a backbone's scores appear once per seed."""
    rows = []
    for record in records:
        if record.kind != "evaluation":
            continue
        stage = "target" if record.task else "intermediate" if record.seed is not None else "backbone"
        for seed in (record.seed,) if record.seed is not None else design.seeds:
            for score in record.scores:
                rows.append(
                    {
                        "size": record.size,
                        "parameters": record.parameters,
                        "arm": record.arm or NONE,
                        "seed": seed,
                        "stage": stage,
                        "target": record.task or score.task,
                        "task": score.task,
                        "language": score.language,
                        "split": score.split,
                        "score": score.score,
                        "examples": score.examples,
                        "majority": score.baselines.get("majority", float("nan")),
                        "random": score.baselines.get("random", float("nan")),
                        "stand_in": str(score.details.get("stand_in", "")),
                        "seconds": score.seconds,
                        "key": record.key,
                        "scored": record.parent,
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)


def lines(table: pd.DataFrame) -> Iterator[Any]:
    """Rows as named tuples."""
    return iter(table.itertuples(index=False))


def result_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that are results: a target checkpoint on its own test languages, or a direct target."""
    cells = rows[(rows["split"] == "test") & (rows["target"] == rows["task"])]
    return cells.drop(columns=["task", "split"]).reset_index(drop=True)


def task_scores(cells: pd.DataFrame, design: Design) -> pd.DataFrame:
    """One row per (size, arm, target, seed): unweighted mean over test languages, English and the rest apart."""
    if cells.empty:
        return pd.DataFrame(
            columns=[*CELL, "parameters", "score", "english", "others", "majority", "random", "languages", "key"]
        )
    cells = cells.assign(
        english=cells["score"].where(cells["language"] == "en"), others=cells["score"].where(cells["language"] != "en")
    )
    groups = cells.groupby(CELL, sort=False)
    table = groups[["parameters", "score", "english", "others", "majority", "random"]].mean().reset_index()
    table["parameters"] = table["parameters"].astype(int)
    table["languages"] = groups["language"].nunique().to_numpy()
    table["key"] = groups["key"].first().to_numpy()
    return _ordered(table, design)


def missing_cells(cells: pd.DataFrame, design: Design) -> list[tuple[str, str, str, int]]:
    """(size, arm, target, seed) that the design asks for and that have no score, in the design's order."""
    present = set(cells[CELL].itertuples(index=False, name=None))
    return [cell for cell in product(design.sizes, design.arms, design.targets, design.seeds) if cell not in present]


def _ordered(table: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Rows in the order of the spec; names that the spec does not know come last."""

    def rank(column: pd.Series) -> pd.Series:
        order = {"size": design.sizes, "arm": design.arms, "target": design.targets}.get(str(column.name))
        if order is None:
            return column
        return column.map(lambda name: (order.index(name), "") if name in order else (len(order), name))

    return table.sort_values(["target", "arm", "size", "seed"], key=rank, kind="stable").reset_index(drop=True)

"""What does a point of gain cost? Seconds and FLOPs of every phase, its whole search included.

An arm's price is its intermediate phases (an arm and `none` pay the same for their target phases): all seeds and the
search together, divided by the number of seeds. The price of size is the same sum for the target phases.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from study.analysis.frame import NONE, Design
from study.analysis.series import Series
from study.records import Record

PHASES = [
    "key",
    "kind",
    "size",
    "parameters",
    "arm",
    "target",
    "seed",
    "trials",
    "seconds",
    "wall_seconds",
    "tokens",
    "flops",
    "winner_seconds",
    "winner_flops",
    "peak_memory_mb",
    "learning_rate",
    "dev_score",
    "tuned_by",
    "parent",
    "policy",
    "lineage",
]


def phases(records: Iterable[Record]) -> pd.DataFrame:
    """One row per finished phase with its cost, columns `PHASES`."""
    rows = [
        {
            "key": record.key,
            "kind": record.kind,
            "size": record.size,
            "parameters": record.parameters,
            "arm": record.arm,
            "target": record.task,
            "seed": record.seed,
            "trials": len(record.trials),
            **record.cost.model_dump(),
            "learning_rate": record.winner.learning_rate if record.winner else None,
            "dev_score": record.winner.score if record.winner else None,
            "tuned_by": record.tuned_by,
            "parent": record.parent,
            "policy": record.policy,
            "lineage": " > ".join(record.lineage),
        }
        for record in records
    ]
    return pd.DataFrame(rows, columns=PHASES)


def by_kind(table: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Sums per (kind, size): phases, trials, seconds, FLOPs; in the order of the ladder."""
    kinds = ["pretrain", "import", "intermediate", "target", "evaluation"]
    sums = table.groupby(["kind", "size"], sort=False).agg(
        phases=("key", "size"),
        trials=("trials", "sum"),
        seconds=("seconds", "sum"),
        winner_seconds=("winner_seconds", "sum"),
        flops=("flops", "sum"),
        winner_flops=("winner_flops", "sum"),
        tokens=("tokens", "sum"),
    )
    ranks = {
        "kind": {kind: rank for rank, kind in enumerate(kinds)},
        "size": {s: r for r, s in enumerate(design.sizes)},
    }
    return (
        sums.reset_index()
        .sort_values(["kind", "size"], key=lambda column: column.map(ranks[str(column.name)]))
        .reset_index(drop=True)
    )


def tuning_cost(table: pd.DataFrame) -> pd.DataFrame:
    """Per (size, arm): seconds and FLOPs of intermediate + target phases, search included, per seed."""
    tuned = table[table["kind"].isin(["intermediate", "target"])]
    tuned = tuned.assign(arm=tuned["arm"].fillna(NONE))
    groups = tuned.groupby(["size", "arm"], sort=False)
    sums = groups[["seconds", "flops"]].sum()
    return sums.div(groups["seed"].nunique().clip(lower=1), axis=0).reset_index()


def price_of_gain(table: pd.DataFrame, gain: Series) -> pd.DataFrame:
    """Per size: extra seconds and FLOPs of the arm per seed, its gain, and the price of a point where it gains."""
    extra = table[(table["kind"] == "intermediate") & (table["arm"] == gain.arm)]
    rows = []
    for size in gain.sizes:
        phase = extra[extra["size"] == size]
        estimate = gain.at(size)
        if phase.empty or estimate is None:
            continue
        seeds = phase["seed"].nunique()
        seconds, flops = phase["seconds"].sum() / seeds, phase["flops"].sum() / seeds
        won = estimate.positive
        rows.append(
            {
                "arm": gain.arm,
                "size": size,
                "extra_seconds": seconds,
                "extra_flops": flops,
                "gain": estimate.point,
                "low": estimate.low,
                "high": estimate.high,
                "seconds_per_point": seconds / estimate.point if won else None,
                "flops_per_point": flops / estimate.point if won else None,
                "keys": " ".join(phase["key"]),
            }
        )
    return pd.DataFrame(rows)

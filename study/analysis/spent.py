"""What did every phase use? Seconds, device-hours and FLOPs, its whole search and its lost trials included.

A device-hour is an hour of one GPU: the seconds that a trial trained, times the GPUs that it held (those of all its
workers, or a part of a card). Without GPUs it is an hour of one training process. Records keep seconds alone; how many
devices a trial had is what the spec of the last run says.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from study.analysis.frame import Design
from study.records import LOST, Record

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
    "hours",
    "winner_hours",
    "lost_seconds",
    "lost_flops",
    "learning_rate",
    "dev_score",
    "tuned_by",
    "narrowed_by",
    "parent",
    "policy",
    "lineage",
]
TUNED = ("intermediate", "target")
"""Kinds of phase that search a learning rate, and that run in a group of workers where there is one."""


def phases(records: Iterable[Record], spec: dict[str, Any]) -> pd.DataFrame:
    """One row per finished phase with its cost, columns `PHASES`; `spec` is a dumped `StudySpec` or empty."""
    return pd.DataFrame([_row(record, devices(spec, record.kind)) for record in records], columns=PHASES)


def devices(spec: dict[str, Any], kind: str) -> float:
    """GPUs (or, without any, processes) that work on one trial of a phase of this kind."""
    compute = spec.get("compute") or {}
    workers = max(int(compute.get("workers") or 0), 1) if kind in TUNED else 1
    return workers * (float(compute.get("gpus_per_trial") or 0) or 1.0)


def on_gpus(spec: dict[str, Any]) -> bool:
    """Simulated time is that of GPUs, whatever the study behind it runs on."""
    return bool(spec.get("simulated")) or float((spec.get("compute") or {}).get("gpus_per_trial") or 0) > 0


def _row(record: Record, count: float) -> dict[str, Any]:
    cost = record.cost.model_dump()
    if record.kind not in TUNED:  # nothing was searched: all of it would have to be paid again
        cost |= {"winner_seconds": record.cost.seconds, "winner_flops": record.cost.flops}
    lost = [trial for trial in record.trials if trial.status in LOST]
    return {
        "key": record.key,
        "kind": record.kind,
        "size": record.size,
        "parameters": record.parameters,
        "arm": record.arm,
        "target": record.task,
        "seed": record.seed,
        "trials": len(record.trials),
        **cost,
        "hours": cost["seconds"] * count / 3600,
        "winner_hours": cost["winner_seconds"] * count / 3600,
        "lost_seconds": sum(trial.seconds for trial in lost),
        "lost_flops": sum(trial.flops for trial in lost),
        "learning_rate": record.winner.learning_rate if record.winner else None,
        "dev_score": record.winner.score if record.winner else None,
        "tuned_by": record.tuned_by,
        "narrowed_by": record.search.narrowed_by if record.search else None,
        "parent": record.parent,
        "policy": record.policy,
        "lineage": " > ".join(record.lineage),
    }


def by_kind(table: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Sums per (kind, size); scoring and trials that diverged or failed included. In the order of the ladder."""
    kinds = ["pretrain", "import", *TUNED, "evaluation"]
    sums = ["seconds", "winner_seconds", "lost_seconds", "hours", "flops", "winner_flops", "lost_flops", "tokens"]
    groups = table.groupby(["kind", "size"], sort=False)
    found = groups[["trials", *sums]].sum()
    found.insert(0, "phases", groups.size())
    ranks = {
        "kind": {kind: rank for rank, kind in enumerate(kinds)},
        "size": {s: r for r, s in enumerate(design.sizes)},
    }
    return (
        found.reset_index()
        .sort_values(["kind", "size"], key=lambda column: column.map(ranks[str(column.name)]))
        .reset_index(drop=True)
    )

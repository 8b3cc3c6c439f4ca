"""How did the searches go? Trials lost or stopped early, optima on the edge, and the overhead of a warm trial.

Overhead is wall_seconds - seconds of one trial. The first trial of each search pays imports and loading, so the warm
figure leaves it out and the two are reported apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from study.records import Record

SEARCHES = [
    "key",
    "size",
    "arm",
    "target",
    "seed",
    "window_low",
    "window_high",
    "learning_rate",
    "dev_score",
    "verdict",
    "extended",
    "narrowed_by",
    "trials",
    "diverged",
    "failed",
    "pruned",
]
TRIALS = [
    "key",
    "trial",
    "learning_rate",
    "status",
    "dev_score",
    "steps",
    "seconds",
    "wall_seconds",
    "overhead",
    "warm",
    "note",
]


@dataclass(frozen=True)
class Overhead:
    """Seconds that trials took beyond training; None where there is no such trial."""

    warm: int
    warm_median: float | None
    warm_max: float | None
    first: int
    first_median: float | None
    first_max: float | None


def searches(records: Iterable[Record]) -> pd.DataFrame:
    """One row per phase that searched its learning rate itself."""
    rows = []
    for record in records:
        if record.search is None or record.tuned_by is not None:
            continue
        states = [trial.status for trial in record.trials]
        rows.append(
            {
                "key": record.key,
                "size": record.size,
                "arm": record.arm,
                "target": record.task,
                "seed": record.seed,
                "window_low": record.search.window[0],
                "window_high": record.search.window[1],
                "learning_rate": record.winner.learning_rate if record.winner else None,
                "dev_score": record.winner.score if record.winner else None,
                "verdict": record.search.verdict,
                "extended": record.search.extended,
                "narrowed_by": record.search.narrowed_by,
                "trials": record.search.trials,
                "diverged": states.count("diverged"),
                "failed": states.count("failed"),
                "pruned": states.count("pruned"),
            }
        )
    return pd.DataFrame(rows, columns=SEARCHES)


def trials(records: Iterable[Record]) -> pd.DataFrame:
    """One row per trial of every phase; `warm` is False for the first trial of a phase."""
    rows = []
    for record in records:
        first = min((trial.number for trial in record.trials), default=None)
        for trial in record.trials:
            rows.append(
                {
                    "key": record.key,
                    "trial": trial.number,
                    "learning_rate": trial.learning_rate,
                    "status": trial.status,
                    "dev_score": trial.score,
                    "steps": trial.steps,
                    "seconds": trial.seconds,
                    "wall_seconds": trial.wall_seconds,
                    "overhead": trial.wall_seconds - trial.seconds,
                    "warm": trial.number != first,
                    "note": trial.note,
                }
            )
    return pd.DataFrame(rows, columns=TRIALS)


def overhead(table: pd.DataFrame) -> Overhead:
    """Median and maximum overhead, warm trials and first trials apart; failed trials are left out."""
    ended = table[table["status"] != "failed"]
    warm = ended[ended["warm"].astype(bool)]["overhead"].to_numpy(dtype=float)
    first = ended[~ended["warm"].astype(bool)]["overhead"].to_numpy(dtype=float)
    return Overhead(len(warm), *_middle_and_top(warm), len(first), *_middle_and_top(first))


def _middle_and_top(values: np.ndarray) -> tuple[float | None, float | None]:
    return (float(np.median(values)), float(values.max())) if len(values) else (None, None)

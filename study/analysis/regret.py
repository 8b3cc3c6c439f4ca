"""What does a narrowed search lose? The English dev score of a full search minus that of a narrowed one.

    find(records)       # one row per phase that was searched both ways (`search.transfer`), with the same search seed

Both searched the same phase: its training, data, backbone and search seed are equal. Behind an intermediate phase each
goes on from the winner of its own kind of search, so that such a row holds what was lost before, too. Dev scores are
those by which the winners were chosen: they flatter the search with more trials.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from study.records import Record

COLUMNS = [
    "kind",
    "size",
    "arm",
    "target",
    "seed",
    "search_seed",
    "full",
    "narrowed_score",
    "regret",
    "full_trials",
    "trials",
    "full_flops",
    "flops",
]
SAME = ("config", "versions", "data", "backbone")
"""Fields of the identity in which the two agree."""


def find(records: Iterable[Record]) -> pd.DataFrame:
    """Rows with COLUMNS: scores and regret in points (above zero: the narrowed search found a worse rate)."""
    searched = {record.key: record for record in records if record.search and record.winner}
    whole = {_phase(record): record for record in searched.values() if not _narrowed_by(record)}
    rows = []
    for record in searched.values():
        twin, full = searched.get(_narrowed_by(record) or ""), whole.get(_phase(record))
        if twin is not None and full is not None and _asked(full) == _asked(twin):
            rows.append(_row(full, record))
    found = pd.DataFrame(rows, columns=COLUMNS)
    return found.sort_values(["kind", "size", "arm", "target", "search_seed"], ignore_index=True)


def _row(full: Record, narrowed: Record) -> tuple[Any, ...]:
    scores = [record.winner.score if record.winner else None for record in (full, narrowed)]
    regret = None if None in scores else float(scores[0] or 0.0) - float(scores[1] or 0.0)
    return (
        *(narrowed.kind, narrowed.size, narrowed.arm, narrowed.task, narrowed.seed),
        narrowed.identity["search"]["seed"],
        *(*scores, regret),
        *(len(full.trials), len(narrowed.trials)),
        *(full.cost.flops, narrowed.cost.flops),
    )


def _narrowed_by(record: Record) -> str | None:
    return record.search.narrowed_by if record.search else None


def _phase(record: Record) -> str:
    """Equal for two searches of the same phase."""
    search = record.identity.get("search") or {}
    same = [record.identity.get(name) for name in SAME]
    return repr((record.kind, record.size, record.arm, record.task, record.seed, search.get("seed"), same))


def _asked(record: Record) -> Any:
    """The window and the number of trials of a full search."""
    return record.identity.get("search")

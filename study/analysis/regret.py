"""What does a narrowed search lose? The English dev score of a full search minus that of a narrowed one.

    find(records)       # one row per phase that was searched both ways (`search.transfer`), with the same search seed

Both searched the same phase: its training, data, backbone and search seed are equal, and so are those of the
intermediate phase behind it. From that each goes on from the winner of its own kind of search, so that such a row
holds what was lost before, too. Dev scores are those by which the winners were chosen: they flatter the search with
more trials.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """Rows with COLUMNS: scores and regret in points (above zero: the narrowed search's winner scores less)."""
    found = sorted((one for one in records if one.search and one.winner), key=lambda one: (one.finished, one.key))
    searched = {record.key: record for record in found}
    whole = {
        (_phase(record, searched), _asked(record)): record for record in found if not _narrowed_by(record)
    }  # a phase may have been searched in full in several ways
    rows = []
    for record in found:
        twin = searched.get(_narrowed_by(record) or "")
        full = whole.get((_phase(record, searched), _asked(twin))) if twin else None
        if full is not None:
            rows.append(_row(full, record))
    by = ["kind", "size", "arm", "target", "search_seed"]
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(by, ignore_index=True, kind="stable")


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


def _phase(record: Record, searched: Mapping[str, Record]) -> str:
    """Equal for two searches of the same phase, with the same behind it."""
    search = record.identity.get("search") or {}
    same = [record.identity.get(name) for name in SAME]
    parent = searched.get(record.parent or "")
    behind = _phase(parent, searched) if parent else record.parent
    return repr((record.kind, record.size, record.arm, record.task, record.seed, search.get("seed"), same, behind))


def _asked(record: Record) -> str:
    """The window and the number of trials of a full search."""
    return repr(record.identity.get("search"))

"""What does the report read? The store alone: records, failures, predictions, languages and the spec.

Anything unreadable becomes one line in `notes` and counts as missing; nothing is ever filled in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from study.analysis.basis import Evidence
from study.analysis.design import design
from study.analysis.frame import result_cells, scores
from study.records import Record
from study.report.facts import languages
from study.report.judged import predictions
from study.store import Store
from trainables import storage


@dataclass
class Loaded:
    """Everything that was read, as it lay there."""

    spec: dict[str, Any]
    records: list[Record]
    failures: dict[str, str]
    """{key: one line} of phases that failed last time and have no record."""
    notes: list[str] = field(default_factory=list)


def evidence(store: Store) -> Evidence:
    """Everything that a report rests on. An empty or absent study gives empty evidence."""
    loaded = load(store)
    cells = result_cells(scores(loaded.records, design(loaded.spec, loaded.records)))
    judged, notes = predictions(store, cells, loaded.records)
    facts = languages(store, loaded.spec, sorted(set(cells["language"])))
    return Evidence(loaded.spec, loaded.records, judged, facts, loaded.failures, (*loaded.notes, *notes))


def load(store: Store) -> Loaded:
    """Records and failures. An empty or absent study gives an empty `Loaded`."""
    found, broken = store.scan()
    done = {record.key for record in found}
    records = latest(found)
    failures = {
        key: line for key in storage.names(store.join("phases")) if key not in done and (line := store.failure(key))
    }
    notes = [
        f"{key}: its record does not hold and counts as missing ({reason})." for key, reason in sorted(broken.items())
    ]
    if older := sorted(done - {record.key for record in records}):
        notes.append(f"Left out, because a newer record of the same phase is there: {', '.join(older)}.")
    return Loaded(store.spec(), records, failures, notes)


def latest(records: list[Record]) -> list[Record]:
    """One record per (kind, size, arm, task, seed): the one finished last. A changed spec leaves older ones behind."""
    newest: dict[tuple, Record] = {}
    for record in sorted(records, key=lambda record: (record.finished, record.key)):
        newest[(record.kind, record.size, record.arm, record.task, record.seed)] = record
    return sorted(newest.values(), key=lambda record: record.key)

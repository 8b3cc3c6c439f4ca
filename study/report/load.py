"""What does the report read? The store alone: records, failures, predictions, languages and the spec.

Anything unreadable becomes one line in `notes` and counts as missing; nothing is ever filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import yaml

from study.analysis.basis import Evidence
from study.analysis.design import design
from study.analysis.frame import result_cells, scores
from study.analysis.replication import Paper, paper
from study.progress import Told, silent
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
    older: tuple[Record, ...] = ()
    """Records that were left out, because one of the last run or a newer one of the same phase is there."""


def evidence(store: Store, settings: Mapping[str, Any] | None = None, progress: Told = silent) -> Evidence:
    """Everything that a report rests on. An empty or absent study gives empty evidence.

    `settings` stand in place of the stored spec's `report`: how a report is made may change after the run.
    """
    loaded = load(store)
    if settings is not None and loaded.spec:
        loaded.spec = {**loaded.spec, "report": dict(settings)}
    rows = scores(loaded.records, design(loaded.spec, loaded.records))
    judged, kept, notes = predictions(store, rows, loaded.records, progress)
    facts = languages(store, loaded.spec, sorted(set(result_cells(rows)["language"])))
    told = (*loaded.notes, *notes)
    return Evidence(loaded.spec, loaded.records, judged, facts, loaded.failures, told, kept, loaded.older)


def load(store: Store) -> Loaded:
    """Records and failures. An empty or absent study gives an empty `Loaded`."""
    found, broken = store.scan()
    done = {record.key for record in found}
    spec = store.spec()
    records = latest(found, spec.get("phases", ()))
    failures = {
        key: line for key in storage.names(store.join("phases")) if key not in done and (line := store.failure(key))
    }
    notes = [
        f"{key}: its record does not hold and counts as missing ({reason})." for key, reason in sorted(broken.items())
    ]
    kept = {record.key for record in records}
    older = tuple(sorted((record for record in found if record.key not in kept), key=lambda record: record.key))
    if older:
        names = ", ".join(record.key for record in older)
        notes.append(f"Left out for a newer record of the same phase, or for one that the last run asked for: {names}.")
    return Loaded(spec, records, failures, notes, older)


def latest(records: list[Record], asked: Iterable[str] = ()) -> list[Record]:
    """One record per (kind, size, arm, task, seed): the one that the last run asked for, else the one finished last.

    A changed spec leaves older ones behind, and one that was changed back newer ones. `asked`: the last run's keys.
    """
    wanted = frozenset(asked)
    newest: dict[tuple, Record] = {}
    for record in sorted(records, key=lambda record: (record.key in wanted, record.finished, record.key)):
        newest[(record.kind, record.size, record.arm, record.task, record.seed)] = record
    return sorted(newest.values(), key=lambda record: record.key)


def published() -> Paper:
    """What the paper reports that this study continues."""
    text = files("study.analysis").joinpath("phang2020.yaml").read_text(encoding="utf-8")
    return paper(yaml.safe_load(text))

"""What does the report read? The store alone: records, failures, predictions, languages and the spec.

Anything unreadable becomes one line in `notes` and counts as missing; nothing is ever filled in.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import yaml

from study.analysis.basis import Evidence
from study.analysis.design import design
from study.analysis.distance import Language
from study.analysis.frame import lines, result_cells, scores
from study.analysis.replication import Paper, paper
from study.analysis.resample import Cell, Judged
from study.records import Record
from study.store import Store
from trainables import storage
from trainables.errors import CheckpointError, StorageError

COLUMNS = ["id", "hits", "predicted", "possible"]


@dataclass
class Loaded:
    """Everything that was read, as it lay there."""

    spec: dict[str, Any]
    records: list[Record]
    failures: dict[str, str]
    """{key: one line} of phases that failed last time and have no record."""
    notes: list[str] = field(default_factory=list)


def evidence(store: Store, settings: Mapping[str, Any] | None = None) -> Evidence:
    """Everything that a report rests on. An empty or absent study gives empty evidence.

    `settings` stand in place of the stored spec's `report`: how a report is made may change after the run.
    """
    loaded = load(store)
    if settings is not None and loaded.spec:
        loaded.spec = {**loaded.spec, "report": dict(settings)}
    cells = result_cells(scores(loaded.records, design(loaded.spec, loaded.records)))
    judged, notes = predictions(store, cells)
    facts = languages(store, sorted(set(cells["language"])))
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


def predictions(store: Store, cells: pd.DataFrame) -> tuple[dict[Cell, Judged], list[str]]:
    """({cell: judged predictions}, notes) for the rows of `frame.result_cells`."""
    judged: dict[Cell, Judged] = {}
    read: dict[tuple[str, str, str], Judged | None] = {}
    notes = []
    for row in lines(cells):
        place = (row.key, row.target, row.language)
        if place not in read:
            path = store.join("phases", row.key, "predictions", f"{row.target}.{row.language}.test.parquet")
            read[place] = _read(path)
            if read[place] is None:
                notes.append(f"{path}: predictions cannot be read; the cell is left out of gains and intervals.")
        if (found := read[place]) is not None:
            judged[(row.size, row.arm, row.target, row.seed, row.language)] = found
    return judged, notes


def _read(path: str) -> Judged | None:
    try:
        table = pd.read_parquet(io.BytesIO(storage.read_bytes(path)), columns=COLUMNS)
    except (OSError, ValueError, KeyError, StorageError):  # pyarrow's errors are OSErrors and ValueErrors
        return None
    numbers = [table[name].to_numpy(dtype=float) for name in COLUMNS[1:]]
    return Judged(table["id"].astype(str).to_numpy(dtype=object), *(np.nan_to_num(column) for column in numbers))


def languages(store: Store, codes: list[str]) -> dict[str, Language]:
    """Facts about the study's languages: a lab's own file where there is one, else the XTREME-R table."""
    table = yaml.safe_load(files("study.analysis").joinpath("languages.yaml").read_text(encoding="utf-8"))
    known = {code: Language(code, name, family, script) for code, (name, _, family, script) in table.items()}
    for name in storage.names(store.join("data")):
        if not name.startswith("lab-"):
            continue
        try:
            lab = storage.read_json(store.join("data", name, "languages.json"))
        except (FileNotFoundError, CheckpointError):
            continue
        known.update(_lab_languages(lab))
    return {code: known.get(code, Language(code)) for code in codes}


def published() -> Paper:
    """What the paper reports that this study continues."""
    text = files("study.analysis").joinpath("phang2020.yaml").read_text(encoding="utf-8")
    return paper(yaml.safe_load(text))


def _lab_languages(lab: Any) -> dict[str, Language]:
    """{code: {"distance": 0.14, ...}} -> languages; entries of another shape are passed over."""
    if not isinstance(lab, dict):
        return {}
    found = {}
    for code, facts in lab.items():
        if isinstance(facts, dict):
            distance = facts.get("distance")
            number = float(distance) if isinstance(distance, int | float) else None
            name, family, script = (str(facts.get(fact, "")) for fact in ("name", "family", "script"))
            found[code] = Language(code, name, family, script, number)
    return found

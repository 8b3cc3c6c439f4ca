"""How does the report get into MLflow? As one run: figures and main tables are its artifacts, the answers its note.

    summary_rows(store)[0].name         # "summary lab"

Written once per content: the row's digest holds the checksums that the report left behind.
"""

from __future__ import annotations

from study import summary
from study.mirror_rows import File, Row, points
from study.store import Store
from trainables import storage

NOTE_TAG = "mlflow.note.content"
"""What MLflow shows, as Markdown, on the page of a run."""
NOTE_LENGTH = 5000


def summary_rows(store: Store) -> list[Row]:
    """One row, or none while the study has no report."""
    found = summary.read(store)
    if found is None:
        return []
    note = found.answers if len(found.answers) <= NOTE_LENGTH else found.answers[: NOTE_LENGTH - 4] + " ..."
    row = Row(
        id="summary",
        name=f"summary {found.study}",
        tags={"study": found.study, "kind": "summary", NOTE_TAG: note},
        params={},
        points=points({"cells": found.cells, "missing_cells": found.missing}),
        files=tuple(File(name, storage.join(store.report_folder, name), sha) for name, sha in found.files.items()),
    )
    return [row]

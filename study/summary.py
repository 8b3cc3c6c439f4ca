"""What does a report leave for MLflow to show? A small file in the report's folder, written after everything else.

    write(store, Summary(study="lab", cells=36, missing=0, answers="### 1. ...", files={"gains.csv": "<sha256>"}))
    read(store)         # None while there is no report, or while one is being written

It names the figures and the main tables with their checksums, so that whoever shows them sees at a glance whether
they changed.
"""

from __future__ import annotations

from pydantic import ValidationError

from study.store import Store
from trainables import storage
from trainables.config import Frozen
from trainables.errors import CheckpointError

FILE = "summary.json"


class Summary(Frozen):
    """One report in short."""

    study: str
    cells: int
    """Scored cells."""
    missing: int
    answers: str
    """Markdown."""
    files: dict[str, str]
    """{path in the report's folder: sha256}"""


def write(store: Store, summary: Summary) -> None:
    """Publish it; from now on the report is what it says."""
    storage.write_json(storage.join(store.report_folder, FILE), summary.model_dump(mode="json"))


def clear(store: Store) -> None:
    """Take it away: the report is about to be written anew."""
    storage.remove(storage.join(store.report_folder, FILE))


def read(store: Store) -> Summary | None:
    """None when there is none that can be read."""
    try:
        return Summary.model_validate(storage.read_json(storage.join(store.report_folder, FILE)))
    except (FileNotFoundError, CheckpointError, ValidationError):
        return None

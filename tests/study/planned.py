"""Specs and records of studies that nobody ran, for the tests of plan, store and command line."""

from pathlib import Path
from typing import Any

from study.plan import Phase
from study.records import Cost, Record
from study.spec import StudySpec
from study.specfile import merge, parse
from study.store import Store
from study.verified import hashed
from trainables import storage

BASE: dict[str, Any] = {
    "name": "tiny",
    "ladder": "mini",
    "arms": {"none": None, "siqa": "siqa"},
    "targets": ["xcopa", "tatoeba"],
    "data": {"source": "local", "partial": True},
    "tracking": {"enabled": False},
    "training": {"steps": {"default": 120, "siqa": 200}},
}


def spec_on(root: Path, **changes: Any) -> StudySpec:
    """A small study (two sizes, two arms, two targets, two seeds) on the files below `root`."""
    return parse(merge(merge(BASE, {"data": {"root": str(root)}}), changes))


def finish(store: Store, phase: Phase, text: bytes = b"weights", finished: str = "2026-01-01T00:00:00") -> Record:
    """Write a checkpoint file and the record of a phase as if it had run for four seconds."""
    folder = store.checkpoint_folder(phase.key)
    storage.write_bytes(storage.join(folder, "adapter", "weights.bin"), text)
    record = Record(
        key=phase.key,
        kind=phase.kind,
        study="tiny",
        ladder="mini",
        size=phase.size,
        parameters=1000,
        arm=phase.arm,
        task=phase.task,
        seed=phase.seed,
        identity=phase.identity,
        parent=phase.parent,
        tuned_by=phase.tuned_by,
        cost=Cost(seconds=3.0, wall_seconds=4.0),
        checkpoint=hashed(store.path, f"phases/{phase.key}/checkpoint"),
        versions={},
        host="here",
        started=finished,
        finished=finished,
    )
    store.write_record(record)
    return record

"""A finished phase is read once. What happens to its files later is noticed: by a plan, or by whoever loads them."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import fsspec
import pytest

from study import plan, verified
from study.foreground import foreground
from study.records import Record
from study.store import Store
from study.work import Job, run_phase, tune_once
from tests.study import phases
from tests.study.planned import finish, spec_on
from trainables import listing, storage
from trainables.config import Places, Runtime, TuneConfig
from trainables.errors import CheckpointError, StorageError
from trainables.results import Outcome, Report

WEIGHTS = "adapter/weights.bin"


@pytest.fixture
def memory(lab_root: Path, tmp_path: Path) -> Iterator[Store]:
    """A storage whose files can decay behind everybody's back: their times and names stay."""
    yield Store(f"memory://verified/{tmp_path.name}")
    storage.remove("memory://verified")


def decay(path: str) -> None:
    """Other bytes of the same length, at the same time."""
    file = fsspec.filesystem("memory").store[path.removeprefix("memory:/")]
    file.seek(0)
    file.write(b"?")


def marks(store: Store, key: str) -> list[str]:
    return [name for name in storage.names(store.phase_folder(key)) if ".verified-" in name]


@pytest.fixture
def record(lab_root: Path, tmp_path: Path) -> Record:
    store = Store(tmp_path / "tiny")
    return finish(store, plan.build(spec_on(lab_root), store)[0])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "tiny")


def write(path: Path) -> None:
    path.write_bytes(b"WEIGHTS")


def write_and_set_the_time_back(path: Path) -> None:
    before = path.stat()
    path.write_bytes(b"WEIGHTS")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def move_in_another_of_the_same_age(path: Path) -> None:
    before, other = path.stat(), path.with_name("other")
    other.write_bytes(b"WEIGHTS")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def cut_short(path: Path) -> None:
    os.truncate(path, 3)


def swap_for_a_link(path: Path) -> None:
    path.rename(path.with_name("other"))
    path.symlink_to(path.with_name("other"))
    write(path)


@pytest.mark.parametrize(
    "harm", [write, write_and_set_the_time_back, move_in_another_of_the_same_age, cut_short, swap_for_a_link]
)
def test_a_plan_notices_what_was_written_or_moved(store: Store, record: Record, harm: Callable[[Path], None]) -> None:
    path = Path(store.checkpoint_folder(record.key), WEIGHTS)
    assert store.check(record.key) == (record, "")
    harm(path)
    assert store.check(record.key) == (None, f"record's checksum differs: {path}")


def test_who_wrote_a_phase_has_read_it_and_nobody_reads_again(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(marks(store, record.key)) == 1
    monkeypatch.setattr(storage, "checksum", lambda path: pytest.fail(f"{path} was read"))
    assert store.check(record.key) == (record, "")
    assert store.scan(verify=True) == ([record], {})


def test_files_that_look_different_every_time_leave_no_more_marks_than_so_many(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mount that numbers its files anew (FUSE)."""
    real, numbers = listing._entry, itertools.count()
    monkeypatch.setattr(listing, "_entry", lambda found: real(found)._replace(state=str(next(numbers))))
    for _ in range(3 * verified.MARKS):
        assert store.check(record.key) == (record, "")
    assert len(marks(store, record.key)) <= verified.MARKS


def test_a_copied_study_is_read_once(store: Store, record: Record, tmp_path: Path) -> None:
    shutil.copytree(store.path, tmp_path / "copy")
    copy, read = Store(tmp_path / "copy"), []
    with pytest.MonkeyPatch.context() as patch:
        original = storage.checksum
        patch.setattr(storage, "checksum", lambda path: read.append(path) or original(path))
        for _ in range(2):
            assert copy.check(record.key) == (record, "")
    assert read == [copy.join("phases", record.key, "checkpoint", WEIGHTS)]


def test_without_marks_files_are_read_and_a_storage_that_takes_none_is_no_error(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.doubt(record.key)
    assert marks(store, record.key) == []

    def refuse(path: str, data: bytes) -> None:
        raise StorageError(f"cannot write {path}: Read-only file system")

    monkeypatch.setattr(storage, "write_bytes", refuse)
    assert store.check(record.key) == (record, "")
    monkeypatch.undo()
    assert store.check(record.key) == (record, "") and len(marks(store, record.key)) == 1


def test_a_record_that_says_something_else_is_not_covered_by_the_mark(store: Store, record: Record) -> None:
    kept = record.checkpoint
    assert kept is not None
    told = record.model_copy(update={"checkpoint": kept.model_copy(update={"files": {WEIGHTS: "0" * 64}})})
    store.write_record(told)
    assert "checksum differs" in store.check(record.key)[1]
    store.write_record(record.model_copy(update={"checkpoint": kept.model_copy(update={"files": {"gone": "0" * 64}})}))
    assert "a recorded file is missing" in store.check(record.key)[1]


def test_what_decays_unseen_is_noticed_when_it_is_loaded_and_then_by_the_plan(memory: Store, tmp_path: Path) -> None:
    """A finished parent decays, the phase on top of it fails, and the next plan makes the parent anew."""
    base, parent = phases.pretrain_phase(), phases.target_phase(seed=1)
    memory.write_record(phases.record(base))
    record = _finished(memory, parent)
    path = f"{memory.checkpoint_folder(parent.key)}/{WEIGHTS}"
    memory.write_record(record)
    decay(path)
    assert memory.check(parent.key) == (record, ""), "nothing can be seen from outside"

    child = phases.target_phase(seed=2, tuned_by=parent.key)
    job = Job(_on(child, parent.key), phases.spec(), memory.path, str(tmp_path / "data"))
    result = run_phase(job, partial(tune_once, host=loading))
    assert result.status == "failed" and path in result.line and "was recorded" in result.line
    assert memory.check(parent.key) == (None, f"record's checksum differs: {path}")


def test_what_decayed_is_noticed_by_one_phase_in_the_foreground_and_then_by_the_plan(
    memory: Store, lab_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, parent = phases.pretrain_phase(), phases.target_phase(seed=1)
    memory.write_record(phases.record(base))
    memory.write_record(_finished(memory, parent))
    decay(f"{memory.checkpoint_folder(parent.key)}/{WEIGHTS}")
    monkeypatch.setattr("trainables.phase.train", loading)
    row = plan.Row(_on(phases.target_phase(seed=2), parent.key), "run", "")
    with pytest.raises(CheckpointError, match="was recorded"):
        foreground(spec_on(lab_root), memory, row, 1e-3, print)
    assert memory.check(parent.key)[0] is None


def _finished(store: Store, phase: plan.Phase) -> Record:
    storage.write_bytes(f"{store.checkpoint_folder(phase.key)}/{WEIGHTS}", b"weights")
    kept = verified.hashed(store.path, f"phases/{phase.key}/checkpoint")
    return phases.record(phase, learning_rate=1e-3).model_copy(update={"checkpoint": kept})


def _on(phase: plan.Phase, parent: str) -> plan.Phase:
    from dataclasses import replace

    return replace(phase, parent=parent)


def loading(config: TuneConfig, rate: float, places: Places, runtime: Runtime, report: Report) -> Outcome:
    """A host that gets as far as its parent's checkpoint."""
    with storage.checked(places.parent or "", places.parent_files):
        raise AssertionError("it was loaded")


def test_predictions_are_hashed_when_they_are_read(memory: Store) -> None:
    folder = memory.join("phases", "e", "predictions")
    storage.write_bytes(f"{folder}/xnli.de.test.parquet", b"content")
    kept = verified.hashed(memory.path, "phases/e/predictions")
    assert verified.read(f"{folder}/xnli.de.test.parquet", kept) == b"content"
    decay(f"{folder}/xnli.de.test.parquet")
    with pytest.raises(CheckpointError, match=r"xnli.de.test.parquet: sha256 .* was recorded; run the study again"):
        verified.read(f"{folder}/xnli.de.test.parquet", kept)
    assert marks(memory, "e") == [], "running the study again has to find it"

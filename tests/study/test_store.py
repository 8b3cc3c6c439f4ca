"""The store: atomic writes, broken records named rather than raised, storages that refuse."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from study import plan
from study.records import Record, Trial
from study.store import NO_RECORD, Store
from tests.study.planned import finish, spec_on
from trainables import storage
from trainables.errors import StorageError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs" / "tiny")


@pytest.fixture
def record(lab_root: Path, store: Store) -> Record:
    return finish(store, plan.build(spec_on(lab_root), store)[0])


def record_file(store: Store, key: str) -> Path:
    return Path(store.phase_folder(key), "record.json")


def trial(number: int) -> Trial:
    return Trial(
        number=number, learning_rate=1e-3, status="finished", score=50.0, steps=1, tokens=1, flops=1.0,
        seconds=1.0, wall_seconds=1.5, first_loss=1.0, last_loss=0.5,
    )  # fmt: skip


def test_snapshots_are_shared_by_the_studies_of_a_storage() -> None:
    assert Store("s3://bucket/runs/one").snapshots == Store("s3://bucket/runs/two").snapshots
    assert Store("s3://bucket/runs/one").snapshots == "s3://bucket/runs/snapshots"


def test_record_is_read_back(store: Store, record: Record) -> None:
    assert store.check(record.key) == (record, "")
    assert store.records() == [record]
    assert store.check("pretrain-xs-0000000000") == (None, NO_RECORD)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "record cannot be read"),
        (b'{"key": ', "record cannot be read"),
        (b"\xff\xfe\x00", "record cannot be read"),
        (b"[]", "record is not valid"),
        (b'{"key": "x"}', "record is not valid (kind)"),
    ],
)
def test_broken_record_is_a_reason(store: Store, record: Record, content: bytes, reason: str) -> None:
    record_file(store, record.key).write_bytes(content)
    found, said = store.check(record.key)
    assert found is None and reason in said and "\n" not in said
    assert store.scan() == ([], {record.key: said})


def test_record_of_another_phase_does_not_count(store: Store, record: Record) -> None:
    other = "pretrain-xs-0000000000"
    storage.write_json(str(record_file(store, other)), record.model_dump(mode="json"))
    assert store.record(other) is None
    assert "record is of another phase" in store.check(other)[1]


def test_changed_or_missing_file_undoes_the_record(store: Store, record: Record) -> None:
    path = Path(store.checkpoint_folder(record.key), "adapter", "weights.bin")
    path.write_bytes(b"WEIGHTS")
    assert store.check(record.key) == (None, f"record's checksum differs: {path}")
    assert store.record(record.key, verify=False) == record
    path.unlink()
    assert store.check(record.key) == (None, f"a recorded file is missing: {path}")


def test_checksums_are_computed_once_while_a_file_stays(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.record(record.key) is not None
    calls: list[str] = []
    original = storage.checksum
    monkeypatch.setattr(storage, "checksum", lambda path: calls.append(path) or original(path))
    assert store.record(record.key) is not None and calls == []
    path = Path(store.checkpoint_folder(record.key), "adapter", "weights.bin")
    os.utime(path, (1, 1))
    assert store.record(record.key) is not None and calls == [str(path)]


def test_trials_are_kept_and_unreadable_ones_left_out(store: Store) -> None:
    for number in (10, 2):
        store.write_trial("k", trial(number))
    Path(store.join("phases", "k", "trials", "3.json")).write_text("{")
    Path(store.trial_folder("k", 4)).mkdir()
    assert [one.number for one in store.trials("k")] == [2, 10]
    assert store.trials("absent") == []


def test_failure_is_one_line_and_forgotten_on_success(store: Store, record: Record) -> None:
    store.write_failure(record.key, "first line\nsecond line")
    store.write_progress(record.key, {"step": 1})
    assert store.failure(record.key) == "first line"
    assert store.progress(record.key) == {"step": 1}
    store.write_record(record)
    assert (store.failure(record.key), store.progress(record.key)) == ("", {})


def test_half_written_notes_count_as_none(store: Store) -> None:
    Path(store.phase_folder("k")).mkdir(parents=True)
    for name in ("failure.json", "progress.json"):
        Path(store.phase_folder("k"), name).write_text('{"line": ')
    assert (store.failure("k"), store.progress("k"), store.spec()) == ("", {}, {})


def test_interrupted_write_leaves_the_old_record(store: Store, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("trainables.patience.WAITS", (0.0,))
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(StorageError, match="Input/output error"):
        store.write_record(record.model_copy(update={"host": "there"}))
    monkeypatch.undo()
    assert store.record(record.key) == record
    assert [name for name in os.listdir(store.phase_folder(record.key)) if name.endswith(".tmp")] == []


@pytest.mark.parametrize(
    ("number", "text"),
    [(errno.ENOSPC, "No space left on device"), (errno.EROFS, "Read-only file system"), (errno.EACCES, "denied")],
)
def test_refusing_storage_is_one_line(store: Store, monkeypatch: pytest.MonkeyPatch, number: int, text: str) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "makedirs", refuse)
    with pytest.raises(StorageError) as error:
        store.check_writable()
    assert text in str(error.value) and store.path in str(error.value) and "\n" not in str(error.value)


def test_storage_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        Store(tmp_path / "file" / "runs").check_writable()


def test_store_on_another_filesystem(lab_root: Path, tmp_path: Path) -> None:
    store = Store("memory://runs/tiny")
    try:
        found = finish(store, plan.build(spec_on(lab_root), Store(tmp_path))[0])
        assert store.check(found.key) == (found, "")
        store.check_writable()
        storage.write_bytes(storage.join(store.checkpoint_folder(found.key), "adapter", "weights.bin"), b"other")
        assert "checksum differs" in store.check(found.key)[1]
    finally:
        storage.remove("memory://runs")


def test_record_file_is_plain_sorted_json(store: Store, record: Record) -> None:
    value = json.loads(record_file(store, record.key).read_text())
    assert list(value) == sorted(value) and value["key"] == record.key


@pytest.mark.parametrize("address", ["s3://bucket/runs[1]/lab", "memory://what?/lab", "gs://bucket/*/lab"])
def test_an_address_that_would_match_the_folders_of_others_is_refused(address):
    with pytest.raises(StorageError, match="which clients of object stores take for a pattern; choose another"):
        Store(address)
    assert Store("/runs[1]/lab").path == "/runs[1]/lab", "a file system takes it as it is"

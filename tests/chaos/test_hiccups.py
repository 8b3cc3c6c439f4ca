"""A storage that stumbles and is slow: everything is made once, and the numbers are those of a good storage."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import filelock
import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from study import lease, phaselog, plan
from study.records import Record
from study.store import Store
from study.work import Job, Tuned, finished_trials, run_phase, run_trial
from tests.chaos import tiny
from tests.chaos.driver import results
from tests.study.planned import finish, spec_on
from trainables import listing, many, patience, storage
from trainables.errors import StorageError
from trainables.lab import write_root

FAIL, OF = 3, 12
"""Of so many calls one after another the first three fail."""
LATENCY = 0.001


class Stumbling(MemoryFileSystem):
    """Stands for an object store: no moves, no locks."""

    protocol = "stumbling"
    store: dict[str, Any] = {}
    pseudo_dirs = [""]


FUNCTIONS: tuple[dict[Any, tuple[str, ...]], ...] = (
    {LocalFileSystem: ("info", "ls", "_open", "rm"), os: ("replace", "fsync", "makedirs")},
    {Stumbling: ("_open", "cat_file", "pipe_file", "rm")},
)
"""What fails: of a local storage, of a remote one."""


class Hiccups:
    """Makes functions fail and be slow; counts over all of them."""

    def __init__(self) -> None:
        self.calls = self.failed = 0

    def on(self, owner: Any, name: str) -> None:
        good = getattr(owner, name)

        def stumbling(*arguments: Any, **named: Any) -> Any:
            if any(isinstance(one, os.DirEntry) for one in arguments):
                return good(*arguments, **named)  # a part of listing a folder
            self.calls += 1
            time.sleep(LATENCY)
            if self.calls % OF < FAIL:
                self.failed += 1
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return good(*arguments, **named)

        setattr(owner, name, stumbling)


def _run(base: str, root: Path, out: Path, hiccups: bool) -> None:
    """In a process of its own: all phases of a small study; leaves what came out, and what was called."""
    fsspec.register_implementation("stumbling", Stumbling, clobber=True)
    tiny.install()
    tiny.STEP_SECONDS = 0.0
    lease.SETTLE_SECONDS, patience.WAITS = 0.0, (0.001,) * 4
    trained = []
    spec, store, counted = spec_on(root, sizes=["xs"], seeds=[0]), Store(f"{base}/tiny"), Hiccups()
    rows = plan.rows(spec, store)
    if hiccups:
        for owner, names in FUNCTIONS["://" in base].items():
            for name in names:
                counted.on(owner, name)

    def tune(job: Job) -> Tuned:
        trained.append(job.phase.key)
        return Tuned(finished_trials(job) or [run_trial(job, 0, 3e-3, tiny.train)])

    for row in rows:
        done = run_phase(Job(row.phase, spec, store.path, str(root)), tune)
        assert done.status == "done", done.line
    assert len(trained) == len(set(trained))
    assert all(row.action == "done" for row in plan.rows(spec, store)), "every record and file is seen"
    (out / "results").write_text(repr(sorted(results(store).items())))
    (out / "failed").write_text(str(counted.failed))


def _apart(job: Callable[[], None]) -> int | None:
    process = multiprocessing.get_context("fork").Process(target=job)
    process.start()
    process.join(60)
    return process.exitcode


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_root(str(folder), 0)
    return folder


@pytest.mark.parametrize("remote", [False, True])
def test_a_study_on_a_storage_that_stumbles_is_the_same_study(tmp_path: Path, root: Path, remote: bool) -> None:
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
        base = f"stumbling://{name}" if remote else str(tmp_path / name / "runs")
        assert _apart(partial(_run, base, root, tmp_path / name, name == "bad")) == 0
    good, bad = ((tmp_path / name / "results").read_text() for name in ("good", "bad"))
    assert good == bad and "evaluation-" in good
    assert int((tmp_path / "bad" / "failed").read_text()) > 100


def test_an_error_that_does_not_pass_is_not_waited_for_and_one_that_stays_is_one_line(tmp_path, monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr("trainables.patience.time.sleep", waited.append)
    path = str(tmp_path / "record.json")
    for number, waits in ((errno.ENOSPC, 0), (errno.ESTALE, len(patience.WAITS))):
        waited.clear()
        monkeypatch.setattr(os, "fsync", Mock(side_effect=OSError(number, os.strerror(number))))
        with pytest.raises(StorageError, match=f"cannot write .*record.json: {os.strerror(number)}; "):
            storage.write_json(path, {})
        assert waited == list(patience.WAITS[:waits])


def test_a_storage_that_does_not_answer_has_not_said_that_a_file_is_absent(tmp_path, monkeypatch):
    """Else a finished phase would be trained again, or a record would vouch for a part of its files."""
    monkeypatch.setattr(patience, "WAITS", (0.0,))
    path = tmp_path / "checkpoint" / "weights"
    path.parent.mkdir()
    path.write_text("x")
    monkeypatch.setattr(os, "stat", Mock(side_effect=OSError(errno.EIO, os.strerror(errno.EIO))))
    monkeypatch.setattr(os, "scandir", Mock(side_effect=OSError(errno.EIO, os.strerror(errno.EIO))))
    one = listing.looking(str(tmp_path), "checkpoint")
    for look in (storage.exists, storage.names, listing.below, lambda _: one("checkpoint/weights")):
        with pytest.raises(StorageError, match="cannot read .*checkpoint"):
            look(str(path))
    for every in (storage.checksums, listing.below):
        with pytest.raises(StorageError, match="cannot read .*checkpoint"):
            every(str(path.parent))


@pytest.fixture
def lost_answers(monkeypatch):
    """The first rename, and every other, is done, but the answer to it is lost."""
    monkeypatch.setattr(patience, "WAITS", (0.0,) * 4)
    calls = dict.fromkeys(("replace", "rename"), 0)

    def losing(name: str, real: Callable[[str, str], None], source: str, target: str) -> None:
        real(source, target)
        calls[name] += 1
        if calls[name] % 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    for name in calls:
        monkeypatch.setattr(os, name, partial(losing, name, getattr(os, name)))
    return calls


def test_a_move_that_was_made_though_its_answer_was_lost_is_not_made_again(tmp_path, lost_answers):
    """Else what was published is removed to make room for what is no longer there."""
    folder = str(tmp_path / "checkpoint")
    with storage.publish(folder) as here:
        Path(here, "weights").write_text("x")
    assert storage.names(folder) == ["weights"]
    (tmp_path / "large").write_text("y")
    storage.move_in(str(tmp_path / "large"), str(tmp_path / "models" / "large"))
    assert storage.names(str(tmp_path / "models")) == ["large"] and min(lost_answers.values()) > 0


def test_a_file_survives_that_its_last_move_fails_once(tmp_path, monkeypatch):
    monkeypatch.setattr(patience, "WAITS", (0.0,))
    real = os.replace
    failed: list[str] = []

    def stumbling(source: str, target: str) -> None:
        if not failed:
            failed.append(source)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(source, target)

    monkeypatch.setattr(os, "replace", stumbling)
    (tmp_path / "large").write_text("y")
    storage.move_in(str(tmp_path / "large"), str(tmp_path / "models" / "large"))
    assert failed and (tmp_path / "models" / "large").read_text() == "y"


def test_patience_within_patience_does_not_multiply(tmp_path, monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr("trainables.patience.time.sleep", waited.append)
    monkeypatch.setattr(LocalFileSystem, "info", Mock(side_effect=OSError(errno.EIO, os.strerror(errno.EIO))))
    with pytest.raises(StorageError, match="cannot remove"), storage.publish(str(tmp_path / "checkpoint")):
        pass
    assert waited == list(patience.WAITS)


@pytest.mark.parametrize("error", [PermissionError("Forbidden"), OSError(errno.EIO, "no answer"), ValueError("odd")])
def test_of_many_files_a_refusal_is_one_line_and_a_storage_that_is_away_is_waited_for_once(monkeypatch, error):
    waited: list[float] = []
    monkeypatch.setattr("trainables.patience.time.sleep", waited.append)
    for name in ("cat_file", "modified"):
        monkeypatch.setattr(MemoryFileSystem, name, Mock(side_effect=error))
    paths = [f"memory://away/{number}.json" for number in range(100)]
    for look in (many.read, many.modified):
        waited.clear()
        with pytest.raises(StorageError, match="cannot read memory://away/0.json: "):
            look(paths)
        assert waited == (list(patience.WAITS) if patience.passes(error) else [])
    with pytest.raises(StorageError, match="cannot read memory://away/phases/k/record.json: "):
        Store("memory://away").check("k")


WAITS = (*patience.WAITS, *patience.LONG_WAITS)


def test_work_of_hours_waits_for_a_file_server_that_starts_again_and_a_command_does_not(tmp_path, monkeypatch, caplog):
    """Away for two minutes. What is said of it stands in the phase's log in the end, once."""
    clock, real, store = [0.0], os.fsync, Store(tmp_path / "runs" / "tiny")

    def away(number: int) -> None:
        if clock[0] < 120:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        real(number)

    monkeypatch.setattr(os, "fsync", away)
    monkeypatch.setattr("trainables.patience.time.sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    path = store.join("state")
    with pytest.raises(StorageError, match="cannot write .*state: Stale file handle"):
        storage.write_bytes(path, b"x")
    assert clock[0] == sum(patience.WAITS) and not caplog.messages
    with phaselog.to(store.join("log.txt")), patience.long():
        state = threading.Thread(target=storage.write_bytes, args=(path, b"x"))  # as training writes its states
        state.start()
        state.join()
    assert storage.read_bytes(path) == b"x" and 120 <= clock[0] < 140
    said = f"cannot write {path}: Stale file handle; choose another --storage; trying again for up to 5 minutes"
    assert caplog.messages == [said] and Path(store.join("log.txt")).read_text().endswith(f"{said}\n")


def away_at_the_end(monkeypatch, root, store: Store, clock: list[float]) -> tuple[Job, Record]:
    """A phase, and its record, that is finished while the storage is away: until it is 120 by the clock."""
    real, spec = os.fsync, spec_on(root)
    phase = plan.build(spec, store)[0]
    record = finish(store, phase)
    storage.remove(store.join("phases", phase.key, "record.json"))

    def trained(*_: object) -> Record:
        def away(number: int) -> None:
            if clock[0] < 120:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            real(number)

        monkeypatch.setattr(os, "fsync", away)
        return record

    monkeypatch.setattr("study.work._make", trained)
    return Job(phase, spec, store.path, str(root)), record


def test_a_phase_that_is_finished_while_the_storage_is_away_is_recorded_when_it_is_back(tmp_path, root, monkeypatch):
    clock, store = [0.0], Store(tmp_path / "tiny")
    job, record = away_at_the_end(monkeypatch, root, store, clock)
    monkeypatch.setattr("trainables.patience.time.sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    assert run_phase(job, Mock()).status == "done"
    assert store.record(job.phase.key) == record and clock[0] >= 120


def test_a_phase_that_another_driver_took_over_while_the_storage_was_away_is_not_recorded(tmp_path, root, monkeypatch):
    clock, store = [0.0], Store(tmp_path / "tiny")
    job, _ = away_at_the_end(monkeypatch, root, store, clock)

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        if clock[0] > 60:
            other = {"owner": "other", "host": "elsewhere", "pid": 1, "started": 0.0, "since": 0.0}
            Path(store.join("phases", job.phase.key, "lease.json")).write_text(json.dumps(other))

    monkeypatch.setattr("trainables.patience.time.sleep", sleep)
    assert run_phase(job, Mock()).status == "held"
    assert not storage.exists(store.join("phases", job.phase.key, "record.json"))


def test_patience_has_an_end(tmp_path, monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr("trainables.patience.time.sleep", waited.append)
    monkeypatch.setattr(os, "fsync", Mock(side_effect=OSError(errno.EIO, os.strerror(errno.EIO))))
    with pytest.raises(StorageError, match="cannot write"), patience.long():
        storage.write_bytes(str(tmp_path / "a"), b"")
    assert waited == list(WAITS) and 280 < sum(waited) < 320
    waited.clear()
    with pytest.raises(StorageError), patience.long(), patience.once():
        storage.write_bytes(str(tmp_path / "a"), b"")
    assert waited == []


def test_a_storage_that_stays_away_is_waited_for_once_and_not_at_every_step_of_the_end(tmp_path, monkeypatch):
    """Else a phase that failed held its device for three times as long: its lease, its log and its failure follow."""
    waited: list[float] = []
    monkeypatch.setattr("trainables.patience.time.sleep", waited.append)

    def write(*waits: float) -> None:
        waited.clear()
        with pytest.raises(StorageError):
            storage.write_bytes(str(tmp_path / "a"), b"")
        assert waited == list(waits)

    with monkeypatch.context() as away, patience.long():
        away.setattr(os, "fsync", Mock(side_effect=OSError(errno.EIO, os.strerror(errno.EIO))))
        write(*WAITS)
        write(*patience.WAITS)
        away.undo()
        storage.write_bytes(str(tmp_path / "a"), b"")
        away.setattr("trainables.patience.time.sleep", waited.append)
        away.setattr(os, "fsync", Mock(side_effect=OSError(errno.EIO, os.strerror(errno.EIO))))
        write(*WAITS)
        with patience.long():
            pass
        write(*patience.WAITS)
    with monkeypatch.context() as away, patience.long():
        away.setattr(os, "fsync", Mock(side_effect=OSError(errno.EIO, os.strerror(errno.EIO))))
        write(*WAITS)


def test_what_clients_of_object_stores_have_given_up_on_is_waited_for_where_it_is_worth_it():
    """Their own exceptions. At a terminal what they have tried is enough."""
    for client in ("aiohttp", "botocore", "gcsfs"):
        pytest.importorskip(client, reason="needs s3fs and gcsfs: pip install -c constraints.txt -e '.[dev]'")
    from aiohttp import ClientOSError, ServerDisconnectedError
    from botocore.exceptions import EndpointConnectionError, NoCredentialsError, ReadTimeoutError
    from gcsfs.retry import HttpError
    from requests.exceptions import ProxyError

    away = [
        *(HttpError({"code": code}) for code in (429, "503")),
        *(EndpointConnectionError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x")),
        *(ServerDisconnectedError(), ClientOSError(), ProxyError(), TimeoutError()),
    ]
    refused = [HttpError({"code": 401}), NoCredentialsError(), PermissionError("403"), ValueError("Bad Request")]
    for error in (*away, *refused):
        wrapped = StorageError("cannot read a")
        wrapped.__cause__ = error
        assert not patience.passes(wrapped)
        with patience.long():
            assert patience.passes(wrapped) == patience.passes(error) == (error in away), repr(error)
    with patience.long():
        assert not patience.passes(filelock.Timeout("a lock that another process holds"))

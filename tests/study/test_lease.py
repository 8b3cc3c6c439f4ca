"""Leases: one owner at a time, dead owners replaced, lost leases noticed."""

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from filelock import Timeout
from fsspec.implementations.memory import MemoryFileSystem

from study import lease
from study.lease import Lease, LeaseHeld
from study.store import Store
from tests.study.leases import held, leave
from trainables import locks, patience, storage
from trainables.errors import StorageError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "tiny")


def test_second_owner_is_refused_by_name(store: Store) -> None:
    with Lease(store, "k"):
        with pytest.raises(LeaseHeld, match=f"k: being run by process {os.getpid()} on ") as error, Lease(store, "k"):
            pass
        assert "\n" not in str(error.value)
        with Lease(store, "other"):
            pass
    assert held(store) == {}
    with Lease(store, "k") as again:
        assert not again.lost


def test_lease_is_given_back_after_an_error(store: Store) -> None:
    with pytest.raises(KeyError), Lease(store, "k"):
        raise KeyError
    assert held(store) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"ago": 3600},
        {"host": lease.socket.gethostname(), "pid": 2**22 + 1},
        {"host": lease.socket.gethostname(), "pid": os.getpid(), "started": 1.0},
        {"host": lease.socket.gethostname(), "pid": "x"},
        {"host": lease.socket.gethostname(), "processes": lease._processes(), "pid": 2**22 + 1},
    ],
)
def test_stale_lease_is_taken_over(store: Store, fields: dict) -> None:
    leave(store, **fields)
    with Lease(store, "k") as mine:
        assert held(store)["owner"] == mine.owner


def test_live_lease_of_another_host_is_respected(store: Store) -> None:
    leave(store)
    with pytest.raises(LeaseHeld, match="process 1 on elsewhere"), Lease(store, "k"):
        pass


def test_a_container_that_shares_the_hosts_name_and_not_its_processes_is_another_host(store: Store) -> None:
    leave(store, host=lease.socket.gethostname(), processes="another pid:[1]", pid=2**22 + 1)
    with pytest.raises(LeaseHeld, match="being run by process"), Lease(store, "k"):
        pass


def test_a_server_that_refuses_every_beat_keeps_nobody_from_ending(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Lease(store, "k", beat=3600.0) as mine:
        refused = []
        monkeypatch.setattr(lease.conditional, "replace", lambda *place: refused.append(place[0]))
        renewing = threading.Thread(target=mine.renew, daemon=True)
        renewing.start()
        renewing.join(timeout=20)
        monkeypatch.undo()
        assert not renewing.is_alive() and len(refused) == lease.TRIES and not mine.lost


def test_nobody_waits_for_the_storage_while_others_wait_for_the_lock(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They give up after `ttl`, and work that took hours would not be recorded: a storage may be away for minutes."""
    path, real, stumbles, waited = store.join("phases", "k", "lease.json"), Path.read_bytes, [], []

    def stumbling(file: Path) -> bytes:
        try:
            with locks.taken(path, timeout=0):
                pass
        except Timeout:  # it is read under the lock
            if len(stumbles) < asked:
                stumbles.append(file)
                raise OSError(errno.EIO, os.strerror(errno.EIO)) from None
        return real(file)

    def sleep(seconds: float) -> None:
        with locks.taken(path, timeout=0):
            waited.append(seconds)

    monkeypatch.setattr(Path, "read_bytes", stumbling)
    monkeypatch.setattr("trainables.patience.time.sleep", sleep)
    leave(store, ago=3600)
    with patience.long():
        asked = 1
        with Lease(store, "k", beat=3600.0) as mine:
            assert len(waited) == 1
            asked = 2
            assert not mine.lost and len(waited) == 2
            asked = 3
    assert len(waited) == 3 and held(store) == {}


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_unreadable_lease_counts_as_none(store: Store, content: str) -> None:
    path = Path(store.join("phases", "k", "lease.json"))
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with Lease(store, "k") as mine:
        assert held(store)["owner"] == mine.owner


def test_killed_process_frees_its_lease_at_once(store: Store) -> None:
    code = "import sys, time\nfrom study.lease import Lease\nfrom study.store import Store\n"
    code += "with Lease(Store(sys.argv[1]), 'k'):\n    print('held', flush=True)\n    time.sleep(60)\n"
    child = subprocess.Popen([sys.executable, "-c", code, store.path], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None and child.stdout.readline() == "held\n"
        with pytest.raises(LeaseHeld), Lease(store, "k"):
            pass
    finally:
        child.kill()
        child.wait()
    with Lease(store, "k") as mine:
        assert held(store)["owner"] == mine.owner


def test_heartbeat_keeps_the_lease_fresh_and_taking_it_is_noticed(store: Store) -> None:
    with Lease(store, "k", ttl=5.0, beat=0.05) as mine:
        first = held(store)["beat"]
        deadline = time.monotonic() + 5
        while held(store)["beat"] == first and time.monotonic() < deadline:
            time.sleep(0.02)
        assert held(store)["beat"] > first and not mine.lost
        with mine._exclusive():
            leave(store)
        while not mine.lost and time.monotonic() < deadline:
            time.sleep(0.02)
        assert mine.lost
    assert held(store)["owner"] == "other"


def test_of_many_at_once_exactly_one_gets_a_stale_lease(store: Store) -> None:
    leave(store, ago=3600)
    got, release, start = [], threading.Event(), threading.Barrier(8)

    def compete() -> None:
        start.wait()
        try:
            with Lease(store, "k"):
                got.append(True)
                release.wait(10)
        except LeaseHeld:
            got.append(False)

    threads = [threading.Thread(target=compete) for _ in range(8)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while len(got) < 8 and time.monotonic() < deadline:
        time.sleep(0.01)
    release.set()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]


def test_no_rename_need_be_atomic(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a rename over a file is a removal and a rename: for a moment nothing is there."""
    real = os.replace

    def slow(source: str, target: str) -> None:
        Path(target).unlink(missing_ok=True)
        time.sleep(0.02)
        real(source, target)

    monkeypatch.setattr(os, "replace", slow)
    inside, taken, most = threading.Lock(), [], []

    def compete() -> None:
        for _ in range(10):
            try:
                with Lease(store, "k", beat=0.005) as mine:
                    most.append(inside.acquire(blocking=False))
                    time.sleep(0.03)
                    taken.append(not mine.lost)
                    inside.release()
            except LeaseHeld:
                time.sleep(0.01)

    threads = [threading.Thread(target=compete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) >= 4 and all(taken) and all(most), "one at a time, and none lost what it held"


class Late(MemoryFileSystem):
    """Listings are one call old, and nothing can be renamed."""

    protocol = "late"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    before: ClassVar[dict[str, list[Any]]] = {}

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.removeprefix("late:/"))

    def ls(self, path: str, detail: bool = True, **more: Any) -> list[Any]:
        try:
            now = super().ls(path, detail=True, **more)
        except FileNotFoundError:
            now = []
        shown, self.before[path] = self.before.get(path, []), now
        return shown if detail else [one["name"] for one in shown]

    def mv(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError("no rename here")


def test_neither_leases_nor_records_need_a_fresh_listing_or_a_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.0)
    fsspec.register_implementation("late", Late, clobber=True)
    store = Store("late://place/study")
    with Lease(store, "k") as mine:
        with pytest.raises(LeaseHeld), Lease(store, "k"):
            pass
        assert not mine.lost
    assert held(store) == {}
    storage.write_json(mine.path, {"owner": "gone", "host": lease.socket.gethostname(), "pid": 1, "started": -1.0})
    with Lease(store, "k") as again:
        assert held(store)["owner"] == again.owner
    store.write_progress("k", {"step": 1})
    assert store.progress("k") == {"step": 1}
    store.clear("k")
    assert store.progress("k") == {}
    for text in ("old", "new"):
        with storage.publish(store.checkpoint_folder("k")) as here:
            Path(here, text).write_text(text)
    assert storage.read_bytes(f"{store.checkpoint_folder('k')}/new") == b"new"


@pytest.mark.parametrize("number", locks.NO_LOCKS)
def test_a_mount_without_locks_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StorageError, match=r"cannot lock .*lease.json: .*; mount it with locks \(NFS 4\)") as error:
        Lease(store, "k").__enter__()
    assert "\n" not in str(error.value)


def test_a_claim_whose_answer_was_lost_is_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second try finds a lease there: that of the first."""
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.0)
    real, lost = MemoryFileSystem.pipe_file, []

    def put(*arguments: Any, **named: Any) -> None:
        real(*arguments, **named)
        if not lost:
            lost.append(arguments)
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", put)
    with Lease(Store("memory://lost"), "k") as mine:
        assert lost and not mine.lost


@pytest.mark.parametrize("remote", [False, True])
def test_a_storage_that_is_slow_to_say_its_time_makes_no_lease_stale(
    store: Store, monkeypatch: pytest.MonkeyPatch, remote: bool
) -> None:
    """The holder beats meanwhile; what was read of it before would be as old as the answer is late."""
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.0)
    store, real = Store("memory://slow") if remote else store, lease.clock

    def slow(probe: str) -> float:
        time.sleep(1.5)
        return real(probe)

    with Lease(store, "k", beat=0.1) as mine:
        monkeypatch.setattr(lease, "clock", slow)
        monkeypatch.setattr(lease, "_alive", lambda *_: True)
        with pytest.raises(LeaseHeld, match=r"last sign of life \d s ago"), Lease(store, "k", ttl=1.0):
            pass
        assert not mine.lost


def test_a_lease_is_taken_where_looking_at_its_folder_fails_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder handle that a network file system has forgotten."""
    real, failed = os.scandir, []

    def stumbling(path: str) -> Any:
        if not failed:
            failed.append(path)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return real(path)

    leave(store, ago=3600)
    monkeypatch.setattr(os, "scandir", stumbling)
    with Lease(store, "k") as mine:
        assert failed and not mine.lost


def test_a_lease_that_was_taken_and_given_back_meanwhile_is_lost(store: Store) -> None:
    """A driver that was suspended: another has taken the phase over, finished it, and is gone."""
    with Lease(store, "k", beat=3600.0) as mine:
        assert not mine.lost
        leave(store, ago=3600)
        with mine._exclusive():
            Path(mine.path).unlink()
        assert mine.lost
    with Lease(store, "k", beat=0.05) as mine:
        with mine._exclusive():
            Path(mine.path).unlink()
        deadline = time.monotonic() + 5
        while not mine._lost.is_set() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert mine.lost and held(store) == {}, "it is not taken anew in passing"


def test_lease_on_a_refusing_storage_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot lock .*: Not a directory"), Lease(Store(tmp_path / "file"), "k"):
        pass


def test_lease_on_another_filesystem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.0)
    store = Store("memory://leases")
    with Lease(store, "k"), pytest.raises(LeaseHeld), Lease(store, "k"):
        pass
    assert held(store) == {}

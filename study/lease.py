"""Who is working on a phase? The holder of its lease: a small file with a heartbeat.

Two drivers never train the same phase twice. A lease is stale when its last beat is older than `ttl`, or when it
was taken on this host by a process that is gone; a stale lease is taken over. A driver that was suspended for
longer than that finds its lease taken: `lost` is then true, and it must not publish the phase.

Clocks of machines may be hours apart, so no clock of a machine is asked: a beat is the time that the storage gave the
file, and its age the difference to that of a file written now.

    with Lease(store, key) as lease:          # raises LeaseHeld when another live driver has it
        ...
        if not lease.lost:
            store.write_record(record)

Nothing rests on a rename being atomic. On a file system whoever reads and writes the lease holds a lock (flock). On NFS
that holds from version 4 on, and for version 3 where the server runs its lock service; not on mounts with `nolock` or
`local_lock`, whose locks end at the host: there two drivers that start within the same moment both begin, and one of
them loses its lease at its next beat. On object stores a free lease is taken by a put on the condition that nothing is
there; later writes and the removal are on the condition that nobody wrote meanwhile (`trainables.conditional`), so that
the beat of a process that was suspended comes too late to undo a take-over.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any, Self

import psutil
from filelock import Timeout

from study.store import Store
from trainables import conditional, locks, machine, patience, storage
from trainables.errors import CheckpointError, StorageError

TTL_SECONDS = 30.0
BEAT_SECONDS = 5.0
SETTLE_SECONDS = 1.0
"""On an object store: how long a claim must stand before it counts."""
TRIES = 3
"""How often a beat is written that the storage refuses though nobody else wrote. A server that always does must not
keep the holder from ending."""
PIDS = "/proc/self/ns/pid"


class LeaseHeld(StorageError):
    """Another live driver works on this phase."""


class Lease:
    """A phase's lease. `ttl` and `beat` are seconds; `beat` must be well below `ttl`."""

    def __init__(self, store: Store, key: str, ttl: float = TTL_SECONDS, beat: float = BEAT_SECONDS) -> None:
        self.path = store.join("phases", key, "lease.json")
        self.key = key
        self.ttl = ttl
        self.beat = beat
        self.owner = uuid.uuid4().hex
        self._since = time.time()
        self._beats = 0
        self._version = ""
        """Of the file as we last wrote it, or as we are about to find it."""
        self._lost = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def lost(self) -> bool:
        """True once another driver has taken this lease over; also if it has given it back since."""
        return self._lost.is_set() or self._taken_away()

    @patience.patient
    def _taken_away(self) -> bool:
        with self._exclusive():  # else a beat may just be moving its file into place
            return not self._ours()

    def __enter__(self) -> Self:
        held = self._fresh()
        # The time first and the beat after it: however long the storage takes, a beat looks younger than it is. And
        # without the lock, so that the holder can beat meanwhile.
        now = clock(f"{self.path}.now") if held else 0.0
        if storage.is_local(self.path):
            self._take(now)
        else:
            held = held and self._fresh()
            self._check(held, now)
            self._claim(taken_over=bool(held))
        self._thread = threading.Thread(target=self._run, name=f"lease-{self.key}", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        with suppress(StorageError, OSError):
            self._give_back()  # else it simply runs out; what matters, the record, is already written or not

    @patience.patient
    def _give_back(self) -> None:
        with self._exclusive():
            if self._ours():
                conditional.remove(self.path, self._version)

    @patience.patient
    def _take(self, now: float) -> None:
        """Take a lease under its lock. Raises `LeaseHeld`."""
        with self._exclusive():
            self._check(self._fresh(), now)
            storage.write_bytes(self.path, self._content())

    def _check(self, held: dict[str, Any], now: float) -> None:
        """Raises `LeaseHeld` when another driver is behind what the lease says; of a try of ours whose answer was lost
        nobody is."""
        if held and held.get("owner") != self.owner and not stale(held, now, self.ttl):
            raise LeaseHeld(f"{self.key}: being run by {describe(held, now)}; wait for it, or stop that process")

    def _claim(self, taken_over: bool) -> None:
        """Take a lease where nothing can be locked. Raises `LeaseHeld` when another driver was faster.

        A free one is taken by a put on the condition that nothing is there, a stale or unreadable one by a put on the
        condition that it is still the one that was seen: one of several succeeds. On a storage that does not know or
        ignores such conditions who wrote last has it, and all look again after a while.
        """
        if taken_over or self._version:
            taken = conditional.replace(self.path, self._content(), self._version) is not None
        else:
            taken = storage.create(self.path, self._content())
        if taken or self._ours():  # ours all the same: of a try whose answer was lost
            time.sleep(SETTLE_SECONDS)
            self._version = conditional.version(self.path)  # before its content
            if self._ours():
                return
        raise LeaseHeld(f"{self.key}: another driver took it at the same moment; it will run it")

    def _fresh(self) -> dict[str, Any]:
        """What the lease says, also when another host of a network file system has just written it; of which version,
        stands in `_version`.

        Such a host may take a name that it has seen missing for missing for up to a minute. Opening the folder makes
        it ask the server (NFS: close-to-open).
        """
        if storage.is_local(self.path):
            storage.names(os.path.dirname(self.path))
        self._version = conditional.version(self.path)  # before its content: what is written later has another one
        return holder(self.path)

    def _ours(self) -> bool:
        return bool(_content_of(self.path).get("owner") == self.owner)

    def _run(self) -> None:
        while not self._lost.is_set() and not self._stop.wait(self.beat):
            try:
                with patience.once():
                    self.renew()
            except (StorageError, OSError):
                continue  # A full or unreachable storage: try again at the next beat.

    def renew(self) -> None:
        """One beat, which a thread does by itself every `beat` seconds. Raises `StorageError`."""
        with self._exclusive():
            for _ in range(TRIES):
                if not self._ours():
                    self._lost.set()
                    return
                written = conditional.replace(self.path, self._content(), self._version)
                if written is not None:
                    self._version = written
                    return
                self._version = conditional.version(self.path)  # of a beat whose answer was lost, if it is still ours

    def _content(self) -> bytes:
        """What is written next. No two are equal: S3's version of a file is made of its content."""
        self._beats += 1
        value = {
            "beats": self._beats,
            "owner": self.owner,
            "host": socket.gethostname(),
            "processes": _processes(),
            "pid": os.getpid(),
            "started": _started(psutil.Process()),
            "since": self._since,
        }
        return json.dumps(value, sort_keys=True).encode()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Nobody else looks at or changes the lease meanwhile (local storage only). Others give up after a while, so
        nobody waits in here for a storage that is away: who can try again does it from outside."""
        if not storage.is_local(self.path):
            yield
            return
        with patience.once(), ExitStack() as lock:
            try:
                lock.enter_context(locks.taken(storage.filesystem(self.path)[1], self.ttl))
            except Timeout as error:
                raise LeaseHeld(f"{self.key}: its lease file is locked by another process; try again") from error
            yield


def holder(path: str) -> dict[str, Any]:
    """Content of a lease file and its `beat`, by the storage's clock; empty when there is none or it cannot be read
    (a half-written one counts as none)."""
    held = _content_of(path)
    try:
        return held and {**held, "beat": storage.modified(path)}
    except FileNotFoundError:
        return {}


def _content_of(path: str) -> dict[str, Any]:
    try:
        value = storage.read_json(path)
    except (FileNotFoundError, CheckpointError):
        return {}
    return value if isinstance(value, dict) else {}


def clock(probe: str) -> float:
    """What time the storage has now (seconds since 1970), by a file that is written for that. Raises `StorageError`.

    The next look removes the file of one that was killed. Of two at the same time one may remove it under the other,
    which then writes it again.
    """
    while True:
        storage.write_bytes(probe, b"")
        try:
            return storage.modified(probe)
        except FileNotFoundError:
            continue
        finally:
            storage.remove(probe)


def stale(held: dict[str, Any], now: float, ttl: float = TTL_SECONDS) -> bool:
    """True when nobody can be behind this lease any more. `now`: see `clock`."""
    if now - held["beat"] > ttl:
        return True
    here = held.get("host") == socket.gethostname() and held.get("processes", _processes()) == _processes()
    return here and not _alive(held.get("pid"), held.get("started"))


def _processes() -> str:
    """Whose process numbers are these? Containers can share the name of a host and not its processes. (Linux.)"""
    try:
        return f"{machine.start()} {os.readlink(PIDS)}"
    except OSError:
        return ""


def _alive(pid: Any, started: Any) -> bool:
    """Is this very process still there? A process number can be given again, its start time cannot."""
    if not isinstance(pid, int) or not isinstance(started, int | float):
        return False
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and abs(_started(process) - started) < 1.0
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return False
    except psutil.AccessDenied:
        return True


def _started(process: psutil.Process) -> float:
    """When a process was started, in seconds since the machine was: the time of day may be set meanwhile."""
    return float(process.create_time() - psutil.boot_time())


def describe(held: dict[str, Any], now: float) -> str:
    """Who is behind a lease. `now`: see `clock`; it may have been asked before the last beat."""
    ago = max(0.0, now - held["beat"])
    return f"process {held.get('pid')} on {held.get('host')} (last sign of life {ago:.0f} s ago)"

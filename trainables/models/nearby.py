"""Where is a frozen base loaded from, when the storage is an object store? From a copy on this machine's disk.

All phases of a size use the same files; without a copy every process would fetch them for itself. One process makes the
copy and hashes it, the others wait:

    <temporary folder>/study-<user>-bases/
      nf4-0123456789abcdef-<sha256>/            the files; copy.json: what the disk said of them when they were hashed
      nf4-0123456789abcdef-<sha256>.lock        shared by those that load, held alone by who makes or removes the copy

A copy becomes visible as a whole. One whose files were touched since, or that is of an earlier start of the machine
(the disk may not have kept all of it), is made again. Where the disk is nearly full those go that were not used for
longest, never one in use; where that is not enough a process fetches the files for itself, as long as it loads them.
The temporary folder is to be the machine's own: of one that machines share each would make the others' copies again.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from trainables import listing, machine, storage
from trainables.errors import StorageError
from trainables.models.basefiles import Base, verify

LOG = logging.getLogger(__name__)
FREE = 0.1
"""Share of the disk that stays free. Ray writes no more objects to a disk that is 95 % full."""
COPY = "copy.json"


@contextmanager
def files(base: Base) -> Iterator[str]:
    """A local folder with the files of a base: its own where that is local, else a copy. They were hashed, now or when
    the copy was made. Raises `CheckpointError` when they are not what was recorded, `StorageError`."""
    if storage.is_local(base.folder):
        here = storage.filesystem(base.folder)[1]
        verify(base, here)
        yield here
        return
    with ExitStack() as held:
        try:
            here = held.enter_context(_copy(base))
        except (OSError, StorageError) as error:
            LOG.warning("no copy of %s on this machine: %s; it is fetched for this process alone", base.folder, error)
            here = held.enter_context(storage.local_copy(base.folder))
            verify(base, here)
        yield here


@contextmanager
def _copy(base: Base) -> Iterator[str]:
    """A lock is given back before it is turned into the other kind (on NFS two would wait for each other's), so what
    is there is looked at after each turn."""
    # A snapshot's name also stands for its tokenizer, which is not among the files that are hashed.
    name = f"{base.folder.rstrip('/').rsplit('/', 1)[-1]}-{base.sha256[:32]}"
    folder = _home() / name
    with _lock(folder) as lock:
        while True:
            fcntl.flock(lock, fcntl.LOCK_SH)
            if _whole(folder):
                break
            fcntl.flock(lock, fcntl.LOCK_UN)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _whole(folder):
                _make(base, folder)
        os.utime(lock)
        yield str(folder)


def _make(base: Base, folder: Path) -> None:
    temporary = _temporary(folder)
    for left in (folder, temporary):
        shutil.rmtree(left, ignore_errors=True)
    _make_room(folder.parent, sum(entry.size for entry in listing.below(base.folder).values()))
    try:
        temporary.mkdir(mode=0o700)
        storage.download(base.folder, str(temporary))
        verify(base, str(temporary))
        (temporary / COPY).write_text(json.dumps(_facts(temporary)))
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _whole(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / COPY).read_text()) == _facts(folder))
    except (OSError, ValueError):
        return False


def _facts(folder: Path) -> dict[str, str]:
    found = {name: entry.state for name, entry in listing.below(str(folder)).items() if name != COPY}
    return {**found, "": machine.start()}


def _make_room(home: Path, need: int) -> None:
    """Remove copies until so many bytes fit. Raises `OSError` when they do not."""
    for lock in sorted(home.glob("*.lock"), key=lambda lock: lock.stat().st_mtime_ns):
        if _fits(home, need):
            return
        _remove(lock.with_suffix(""))
    if not _fits(home, need):
        raise OSError(errno.ENOSPC, f"{need / 1e9:.1f} GB are too much for what is free at {home}")


def _fits(home: Path, need: int) -> bool:
    disk = shutil.disk_usage(home)
    return disk.free - need >= FREE * disk.total


def _remove(folder: Path) -> None:
    """Remove a copy, and what a process that was killed has left of one, unless somebody holds it."""
    with _lock(folder) as lock, suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in (folder, _temporary(folder)):
            shutil.rmtree(left, ignore_errors=True)


def _temporary(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.tmp")


@contextmanager
def _lock(folder: Path) -> Iterator[int]:
    """The lock of a copy, opened; it ends with the process at the latest."""
    lock = os.open(folder.with_name(f"{folder.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        yield lock
    finally:
        os.close(lock)


def _home() -> Path:
    """This user's folder of copies. Raises `OSError` when somebody else could have put something there."""
    home = Path(tempfile.gettempdir(), f"study-{os.getuid()}-bases")
    home.mkdir(mode=0o700, exist_ok=True)
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(errno.EACCES, f"{home} is not this user's alone; remove it")
    return home

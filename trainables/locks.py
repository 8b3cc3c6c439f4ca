"""How is a process alone with a file? By a lock of the operating system (flock), which ends with the process at the
latest.

    with taken("/runs/lab/phases/k/lease.json", timeout=30.0): ...      # the lock lies beside it, in lease.json.lock
    with alone("/runs/lab/data/lab-0"): ...                             # any storage; only a local one knows locks

A file system without such locks is refused. A file whose presence says "locked" would outlive a machine that is lost,
and then nobody would ever get in.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from filelock import FileLock, Timeout

from trainables import storage
from trainables.errors import StorageError
from trainables.patience import patient

NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)
"""What a file system without locks answers (an NFS 3 mount whose server runs no lock service, Lustre without flock)."""


@patient
def taken(target: str, timeout: float = -1) -> AbstractContextManager[Any]:
    """Nobody else is alone with this local path until the end of the block. Waits for so many seconds (-1: for ever).

    Raises `Timeout`, and `StorageError` where nothing can be locked.
    """
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        return FileLock(f"{target}.lock", timeout=timeout, fallback_to_soft=False).acquire()
    except Timeout:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        no_locks = error.errno in NO_LOCKS
        fix = "mount it with locks (NFS 4), or choose another --storage" if no_locks else storage.way_out(error)
        raise StorageError(f"cannot lock {target}: {reason}; {fix}") from error


@contextmanager
def alone(path: str) -> Iterator[None]:
    """Nobody else is inside for the same path; only on a local storage, others know no locks. Raises `StorageError`."""
    if not storage.is_local(path):
        yield
        return
    with taken(storage.filesystem(path)[1]):
        yield

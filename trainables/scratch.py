"""Where do files lie that nobody needs afterwards? In a folder of this machine, which goes with the block.

    with folder("search") as here: ...

A process that is killed removes nothing. Each folder is therefore locked (flock), as long as its process lives, and
whoever makes the next one on the machine removes those that no process holds any more: of this machine since it was
started, as the temporary folder may be shared with others, whose locks need not be seen here (Lustre, NFS).
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from trainables import machine

PREFIX = f"study-scratch-{machine.start()[:8]}-"
YOUNG_SECONDS = 60.0
"""A folder is made before it is locked: one so young is left alone."""


@contextmanager
def folder(what: str) -> Iterator[str]:
    """Path of an empty local folder; `what` goes into its name."""
    _sweep()
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{what}-") as here:
        held = os.open(here, os.O_RDONLY)
        try:
            with suppress(OSError):  # a file system without locks: then nothing can be locked below, and all is left
                fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
            yield here
        finally:
            os.close(held)


def _sweep() -> None:
    for left in glob.glob(os.path.join(glob.escape(tempfile.gettempdir()), f"{PREFIX}*")):
        with suppress(OSError):  # in use, another user's, or gone meanwhile
            if time.time() - os.stat(left).st_mtime > YOUNG_SECONDS:
                _remove(left)


def _remove(left: str) -> None:
    """Raises `OSError` while a process holds the folder, and where it is none: anybody can write into /tmp, and to open
    a pipe would wait for ever."""
    held = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(left, ignore_errors=True)
    finally:
        os.close(held)

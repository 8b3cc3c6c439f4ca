"""What does a storage say about its files without handing them out? Enough to tell whether one is still the same.

below("s3://bucket/phases/k")["checkpoint/weights"]     # Entry(size=126000000, state="... etag ...")
look = looking("s3://bucket", "phases")                 # one listing; on a file system nothing yet
look("phases/k/checkpoint/weights")                     # its entry, None where there is no such file
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import NamedTuple

from trainables import storage
from trainables.patience import patient


class Entry(NamedTuple):
    """A file as it is listed."""

    size: int
    """Bytes."""
    state: str
    """Times and inode, or a digest of all that an object store lists (etag, generation, time): where it is another, it
    may be another file."""


Look = Callable[[str], Entry | None]
"""From the relative name of a file to its entry, None where there is none."""


@patient
def below(folder: str) -> dict[str, Entry]:
    """{relative name: its entry} of every file below a folder, sorted; an absent folder has none. One listing of an
    object store. Raises `StorageError`."""
    fs, target = storage.filesystem(folder)
    target = target.rstrip("/")
    if storage.is_local(folder):
        names = storage.below(folder)
        return {name: entry for name in names if (entry := _looked_at(target, name)) is not None}
    with storage.named(folder, "read"):
        found = fs.find(target, detail=True)
    return {path[len(target) :].lstrip("/"): _listed(one) for path, one in sorted(found.items())}


def looking(base: str, part: str) -> Look:
    """A way to ask for many files by their names below `base`, all of them below its folder `part`: a file system is
    asked for each, anything else for one listing of the part, now. Raises `StorageError`, here or at a look."""
    if storage.is_local(base):
        top = storage.filesystem(base)[1]
        return lambda name: _looked_at(top, name)
    return {f"{part}/{name}": entry for name, entry in below(storage.join(base, part)).items()}.get


def _listed(said: dict[str, object]) -> Entry:
    text = str(sorted((name, str(value)) for name, value in said.items()))  # a study may have 200,000 files
    return Entry(int(str(said["size"])), hashlib.sha256(text.encode()).hexdigest()[:32])


def _looked_at(top: str, name: str) -> Entry | None:
    path = f"{top}/{name}"
    try:
        found = os.stat(path)
    except OSError:
        return _looked_again(path)
    return _entry(found)


@patient
def _looked_again(path: str) -> Entry | None:
    try:
        with storage.named(path, "read"):
            return _entry(os.stat(path))
    except FileNotFoundError:
        return None


def _entry(found: os.stat_result) -> Entry:
    return Entry(found.st_size, f"{found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}")

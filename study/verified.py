"""Must the files of a finished phase be read to know that they are what its record says? Not if somebody has read them,
and the storage has said the same about each of them since.

Whoever has hashed the files of a folder leaves a mark beside it: an empty file, named by a digest of what the storage
said of them just before (size, times, inode or etag; see `trainables.listing`) and of their checksums:

    phases/<key>/checkpoint/...      phases/<key>/checkpoint.verified-0123456789abcdef

So a plan needs one listing. It notices what is absent, written anew or moved in, and then reads. A file that decays and
keeps its times is noticed by who loads it: all that is loaded is hashed (`read` here, `trainables.storage.checked`),
and who notices calls `doubt`. Marks can be deleted at any time: then files are read once more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress

from study.records import Checkpoint, Record
from trainables import listing, patience, storage
from trainables.errors import CheckpointError, StorageError

MARK = ".verified-"
MARKS = 8
"""Of one folder at most."""


def hashed(base: str, path: str) -> Checkpoint:
    """The files of a folder, `path` below `base`, with their checksums; marked. Raises `StorageError`."""
    folder = storage.join(base, path)
    entries = listing.below(folder)
    files = {name: storage.checksum(storage.join(folder, name)) for name in entries if not name.endswith(".tmp")}
    kept = Checkpoint(path=path, files=files, bytes=sum(entries[name].size for name in files))
    _mark(base, kept, {name: entries[name] for name in files})
    return kept


def unseen(record: Record, look: listing.Look) -> list[Checkpoint]:
    """Those of a record's folders whose files nobody has read since they were last written. `look` knows names below
    the study's folder."""
    return [kept for kept in _vouched(record) if look(_name(kept, _entries(kept, look))) is None]


def damage(base: str, kept: Checkpoint, look: listing.Look) -> str:
    """Read the files of a folder: why they are not what the record says, else empty, and they are marked."""
    entries = _entries(kept, look)
    for name, wanted in kept.files.items():
        path = storage.join(base, kept.path, name)
        try:
            found = storage.checksum(path)
        except FileNotFoundError:
            return f"a recorded file is missing: {path}"
        if found != wanted:
            return f"record's checksum differs: {path}"
    if None not in entries.values():
        _thin_out(storage.join(base, kept.path))
        _mark(base, kept, entries)
    return ""


def read(path: str, kept: Checkpoint | None) -> bytes:
    """The content of a file that `kept` vouches for; what nothing vouches for is read as it is. Raises as
    `storage.read_bytes` does, and `CheckpointError` when it is another than was recorded: the next plan then reads the
    files of the phase."""
    content = storage.read_bytes(path)
    wanted = kept.files.get(path.rsplit("/", 1)[-1]) if kept else None
    found = hashlib.sha256(content).hexdigest()
    if wanted not in (None, found):
        with suppress(StorageError):
            doubt(path.rsplit("/", 2)[0])
        raise CheckpointError(f"{path}: sha256 {found[:12]} but {str(wanted)[:12]} was recorded; run the study again")
    return content


def doubt(folder: str) -> None:
    """The files of a phase, given its folder, are read by the next who asks whether it is done."""
    for name in storage.names(folder):
        if MARK in name:
            storage.remove(storage.join(folder, name))


def _thin_out(folder: str) -> None:
    """Marks of a folder are removed where there are many: some mounts (FUSE) number their files anew each time. A few
    stay, of other machines, to which the same files look different."""
    top, name = folder.rsplit("/", 1)
    with suppress(StorageError), patience.once():
        there = [other for other in storage.names(top) if other.startswith(f"{name}{MARK}")]
        for other in there if len(there) >= MARKS else ():
            storage.remove(storage.join(top, other))


def _vouched(record: Record) -> list[Checkpoint]:
    return [kept for kept in (record.checkpoint, record.predictions) if kept]


def _entries(kept: Checkpoint, look: listing.Look) -> dict[str, listing.Entry | None]:
    return {name: look(f"{kept.path}/{name}") for name in kept.files}


def _name(kept: Checkpoint, entries: Mapping[str, listing.Entry | None]) -> str:
    said = [(name, kept.files[name], entry) for name, entry in sorted(entries.items())]
    return f"{kept.path}{MARK}{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]}"


def _mark(base: str, kept: Checkpoint, entries: Mapping[str, listing.Entry | None]) -> None:
    # A storage that may only be read, or stumbles: the next one reads the files again.
    with suppress(StorageError), patience.once():
        storage.write_bytes(storage.join(base, _name(kept, entries)), b"")

"""Which files is a frozen base, and are these the ones?

    verify(base, "/tmp/a-copy-of-it")       # raises CheckpointError naming the first that is not

Light to import, unlike `trainables.models.snapshots`, which finds or makes them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from trainables import storage
from trainables.errors import CheckpointError, StorageError

FACTS = "snapshot.json"
"""Of a snapshot: sha256 of its files. Without it there is none."""


@dataclass(frozen=True)
class Base:
    """The files of a frozen base."""

    folder: str
    files: dict[str, str]
    """Name -> sha256 of config.json and of everything that holds weights; of a model's own files the tokenizer too."""

    @property
    def sha256(self) -> str:
        """One digest over all files: equal for every phase of a size, or something is wrong."""
        lines = [f"{value}  {name}\n" for name, value in sorted(self.files.items())]
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def verify(found: Base, here: str) -> None:
    """Raises `CheckpointError` naming the first file that differs in `here`, the base's own folder or a local copy; a
    snapshot is then made again by the next call. A copy that differs from a good base says nothing about that, which
    others load from: `StorageError`."""
    for name, wanted in found.files.items():
        copy = storage.join(here, name)
        value = storage.checksum(copy) if storage.exists(copy) else "nothing"
        if value != wanted:
            path = storage.join(found.folder, name)
            if storage.exists(path) and storage.checksum(path) == wanted:
                what = f"sha256 is {value[:12]}, but {wanted[:12]} where it was copied from"
                raise StorageError(f"{copy}: {what}; check the disk and the memory of this machine")
            snapshot = storage.join(found.folder, FACTS)
            again = "it will be made again" if storage.exists(snapshot) else "fetch or pretrain the model again"
            storage.remove(snapshot)
            raise CheckpointError(f"{path}: sha256 is {value[:12]}, but {wanted[:12]} was recorded; {again}")

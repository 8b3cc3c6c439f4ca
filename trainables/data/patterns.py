"""Which files do a user's patterns mean? Those below the data root, or anywhere when a pattern is absolute.

find(Root("/data"), ["domain/*.jsonl", "s3://bucket/news/*.parquet"])
# [(Root("/data"), "domain/law.jsonl"), (Root("s3://bucket/news"), "a.parquet")]
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from trainables import storage
from trainables.data.root import Root
from trainables.errors import DataError


def find(root: Root, patterns: Sequence[str]) -> list[tuple[Root, str]]:
    """(root, path below it) of every file that matches, in the order of the patterns, sorted within each, none twice.

    Raises `DataError` for a pattern that matches nothing, and for a relative one that leads out of the root.
    """
    found: dict[tuple[str, str], tuple[Root, str]] = {}
    for pattern in patterns:
        place, below = _split(root, pattern)
        matches = place.glob(below)
        if not matches:
            raise DataError(f"{place.at(below)}: no file matches; put one there or correct the pattern")
        found.update({(place.path, path): (place, path) for path in matches})
    return list(found.values())


def fingerprint(root: Root, patterns: Sequence[str]) -> str:
    """16 hexadecimal digits that change with the content of any matching file, not with where it lies."""
    digest = hashlib.sha256()
    for place, path in find(root, patterns):
        digest.update(f"{storage.checksum(place.at(path))}\n".encode())
    return digest.hexdigest()[:16]


def _split(root: Root, pattern: str) -> tuple[Root, str]:
    """The folder above the first * or ?, and the rest; relative patterns start at the root."""
    if "://" not in pattern and not pattern.startswith("/"):
        if ".." in pattern.split("/"):
            raise DataError(f"{pattern!r:.80}: leads out of the data root {root.path}; give it as an absolute path")
        return root, pattern
    fixed = pattern.split("*")[0].split("?")[0]
    folder = fixed.rsplit("/", 1)[0]
    return Root(folder or "/"), pattern[len(folder) + 1 :]

"""How are many files of a storage looked at, where each look is a journey? At the same time.

    read(["s3://bucket/a.json", "s3://bucket/b.json"])      # {path: its content, None where there is none}
    modified([...])                                         # {path: when it was last written, None}

Both raise `StorageError` when the storage does not say of one of them, as soon as that is sure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from trainables import storage
from trainables.patience import passes

WIDTH = 32
"""Looks at the same time, where the client itself knows only one."""
Found = TypeVar("Found")


def read(paths: Sequence[str]) -> dict[str, bytes | None]:
    """{path: its content}"""
    if not paths or not storage.is_remote(paths[0]):
        return {path: _or_none(storage.read_bytes, path) for path in paths}
    fs, targets = storage.filesystem(paths[0])[0], {storage.filesystem(path)[1]: path for path in paths}
    with storage.named(paths[0], "read"):
        found = fs.cat(list(targets), on_error="return")
    return _sure(storage.read_bytes, {path: found[name] for name, path in targets.items()})


def modified(paths: Sequence[str]) -> dict[str, float | None]:
    """{path: when it was last written, see `storage.modified`}"""
    if not paths or not storage.is_remote(paths[0]):
        return {path: _or_none(storage.modified, path) for path in paths}
    fs = storage.filesystem(paths[0])[0]  # one client for all threads: to make one takes longer than a look

    def look(path: str) -> float | Exception:
        try:
            return float(fs.modified(storage.filesystem(path)[1]).timestamp())
        except Exception as error:  # a client's own errors have no common root
            return error

    with ThreadPoolExecutor(WIDTH) as pool:
        found = dict(zip(paths, pool.map(look, paths), strict=True))
    return _sure(storage.modified, found)


def _sure(look: Callable[[str], Found], found: Mapping[str, Found | Exception]) -> dict[str, Found | None]:
    """What was found; what failed for a reason that may pass is looked at again. Raises `StorageError`."""
    sure: dict[str, Found | None] = {}
    for path, got in found.items():
        if not isinstance(got, Exception):
            sure[path] = got
        elif isinstance(got, FileNotFoundError):
            sure[path] = None
        elif passes(got):
            sure[path] = _or_none(look, path)
        else:
            with storage.named(path, "read"):
                raise got
    return sure


def _or_none(look: Callable[[str], Found], path: str) -> Found | None:
    try:
        return look(path)
    except FileNotFoundError:
        return None

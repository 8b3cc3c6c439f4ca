"""How does a file reach the storage so that nobody ever sees half of it?

Every path is any fsspec URL (a plain path is local). A write goes to a sibling temporary name, is flushed to
disk and then moved over the target; object stores publish a put as a whole, so there the move is the put. Of a remote
storage nothing is remembered between two calls: others write there, too.

    write_json("/runs/lab/phases/k/record.json", {...})     # atomic
    read_json("s3://bucket/lab/phases/k/record.json")
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from trainables import scratch
from trainables.errors import CheckpointError, StorageError
from trainables.patience import patient

FULL = (errno.ENOSPC, errno.EDQUOT)
LOCAL = LocalFileSystem()
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}
"""Kind of address -> the extra of this project that installs its client."""


def filesystem(path: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """(filesystem, path on it) of any fsspec URL. Raises `StorageError` for one that cannot be used here."""
    if not is_remote(path):  # what fsspec comes to as well, in a tenth of the time: a plan asks ten thousand times
        return LOCAL, os.path.abspath(os.path.expanduser(path))
    kind = str(path).partition("://")[0]
    if EXTRAS.get(kind) == "gcs":
        # Plain buckets only: the client would ask by another service, with rights of its own, which kind a bucket is.
        os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it logs tracebacks of errors that we say in a line
    try:
        return fsspec.core.url_to_fs(str(path), use_listings_cache=False)
    except ImportError as error:
        fix = f"pip install -c constraints.txt '.[{EXTRAS[kind]}]'" if kind in EXTRAS else str(error)
        raise StorageError(f"{path}: the client of {kind}:// is not installed here; {fix}") from error
    except ValueError as error:
        raise StorageError(f"{path}: not a usable storage address ({error})") from error


def is_remote(path: str) -> bool:
    """Whether a path is an address. (`file://` is one, too, of a storage that is local.)"""
    return "://" in str(path)


def is_local(path: str) -> bool:
    return isinstance(filesystem(path)[0], LocalFileSystem)


def join(base: str, *parts: str) -> str:
    return "/".join([str(base).rstrip("/"), *(part.strip("/") for part in parts)])


def way_out(error: Exception, option: str = "--storage", remote: bool = False) -> str:
    """What can be done about a failed write or read; `option` names the place on the command line."""
    if isinstance(error, PermissionError):
        return (
            "check the credentials and what they may do"
            if remote
            else f"get the right to it or choose another {option}"
        )
    if remote:
        return "check the address, the network and the credentials"
    number = getattr(error, "errno", None)
    if number in FULL:
        return f"free space or choose another {option}"
    return f"mount it for writing or choose another {option}" if number == errno.EROFS else f"choose another {option}"


@contextmanager
def named(path: str, verb: str) -> Iterator[None]:
    """Turn a storage's error into one line that names the path; of reading, what is absent stays so.

    A remote storage's client raises more than operating-system errors: no route, no credentials, a broken answer.
    """
    known: type[Exception] = Exception if is_remote(path) else OSError
    try:
        yield
    except StorageError:
        raise
    except known as error:
        if verb == "read" and isinstance(error, FileNotFoundError):
            raise
        if verb == "read" and isinstance(error, NotADirectoryError):  # nothing lies below a file
            raise FileNotFoundError(error.errno, error.strerror, path) from error
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        fix = way_out(error, remote=is_remote(path))
        if isinstance(error, FileNotFoundError) and not error.strerror:
            reason = f"not found ({reason})"
        raise StorageError(f"cannot {verb} {path}: {reason[:300]}; {fix}") from error


@patient
def write_bytes(path: str, data: bytes) -> None:
    """Write a whole file atomically. Raises `StorageError` when the storage refuses; leaves no partial file."""
    fs, target = filesystem(path)
    with named(path, "write"):
        if not isinstance(fs, LocalFileSystem):
            fs.pipe_file(target, data)
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        temporary = f"{target}.{uuid.uuid4().hex[:8]}.tmp"
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        finally:
            Path(temporary).unlink(missing_ok=True)


@patient
def read_bytes(path: str) -> bytes:
    """Raises `FileNotFoundError` when absent, `StorageError` when unreadable."""
    fs, target = filesystem(path)
    with named(path, "read"):
        return Path(target).read_bytes() if isinstance(fs, LocalFileSystem) else fs.cat_file(target)


def move_in(local: str, path: str) -> None:
    """Move a local file of any size to the storage; nobody sees half of it. Raises `StorageError`."""
    fs, target = filesystem(path)
    if not isinstance(fs, LocalFileSystem):
        _sent(local, path)
        return
    temporary = f"{target}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        _made(os.path.dirname(target))
        _moved(shutil.move, local, temporary, path)  # may lie on another disk
        _moved(os.replace, temporary, target, path)
    finally:
        with suppress(OSError):  # where nothing can be removed nothing was made
            os.unlink(temporary)


@patient
def _sent(local: str, path: str) -> None:
    fs, target = filesystem(path)
    with named(path, "write"):
        fs.put_file(local, target)
        Path(local).unlink()


@patient
def _moved(move: Callable[[str, str], object], source: str, target: str, path: str) -> None:
    """Move what nobody else touches; `path`: what to call it. What is gone was moved by the try before this one, whose
    answer was lost."""
    with named(path, "write"):
        try:
            move(source, target)
        except FileNotFoundError:
            os.stat(target)


@patient
def create(path: str, data: bytes) -> bool:
    """Write a file that is not there yet; False when it is, also by an earlier try of this call whose answer was lost
    (clients try again by themselves, too): its content tells. Raises `StorageError`.

    Of several who try at once one gets True on S3 (If-None-Match: *), on Google Cloud Storage (ifGenerationMatch=0) and
    on file systems. A server that does not know these conditions lets all of them write: see `study.lease`.
    """
    fs, target = filesystem(path)
    with named(path, "write"):
        try:
            fs.pipe_file(target, data, mode="create")
        except FileExistsError:
            return False
        return True


def write_json(path: str, value: Any) -> None:
    write_bytes(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode())


def read_json(path: str) -> Any:
    """Raises `FileNotFoundError` when absent and `CheckpointError` when the text is not JSON."""
    try:
        return json.loads(read_bytes(path))
    except ValueError as error:
        raise CheckpointError(f"{path}: not valid JSON ({error}); it will be made again") from error


@patient
def exists(path: str) -> bool:
    """Raises `StorageError` when the storage does not say. (`fs.exists` takes any error for a no.)"""
    fs, target = filesystem(path)
    with named(path, "read"):
        return _there(fs, target)


def _there(fs: fsspec.AbstractFileSystem, target: str) -> bool:
    try:
        return bool(fs.info(target))
    except (FileNotFoundError, NotADirectoryError):
        return False


@patient
def modified(path: str) -> float:
    """When a file was last written, by the storage's own clock (seconds since 1970). Raises as `read_bytes` does."""
    fs, target = filesystem(path)
    with named(path, "read"):
        return float(fs.modified(target).timestamp())


@patient
def remove(path: str) -> None:
    """Remove a file or a folder; absent is fine, also when it goes meanwhile. Raises `StorageError` when refused.

    The worker of a node that was lost may live on for a moment and clean up in the same folder.
    """
    fs, target = filesystem(path)
    with named(path, "remove"):
        while _there(fs, target):  # (`exists` has a patience of its own)
            with suppress(FileNotFoundError):
                fs.rm(target, recursive=True)


@patient
def names(path: str) -> list[str]:
    """Sorted base names inside a folder; an absent folder is empty."""
    fs, target = filesystem(path)
    try:
        with named(path, "read"):
            return sorted(entry.rstrip("/").rsplit("/", 1)[-1] for entry in fs.ls(target, detail=False))
    except FileNotFoundError:
        return []


@patient
def checksum(path: str) -> str:
    """sha256 of one file, hexadecimal. Raises `FileNotFoundError` when absent, `StorageError` when unreadable."""
    digest = hashlib.sha256()
    fs, target = filesystem(path)
    with named(path, "read"), open(target, "rb") if isinstance(fs, LocalFileSystem) else fs.open(target) as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


@patient
def below(folder: str) -> list[str]:
    """Sorted relative names of every file below a folder; an absent folder has none. Raises `StorageError`."""
    fs, target = filesystem(folder)
    target = target.rstrip("/")
    with named(folder, "read"):
        found = _walked(target) if isinstance(fs, LocalFileSystem) else fs.find(target)
    return sorted(str(path)[len(target) :].lstrip("/") for path in found)


def _walked(folder: str) -> list[str]:
    """Every file below a local folder. (fsspec leaves out what it cannot list, however it is asked.)"""

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise error

    return [os.path.join(top, name) for top, _, files in os.walk(folder, onerror=refuse) for name in files]


def checksums(folder: str) -> dict[str, str]:
    """{relative name: sha256} of every file below a folder."""
    return {name: checksum(join(folder, name)) for name in below(folder) if not name.endswith(".tmp")}


def verify(folder: str, expected: Mapping[str, str], known_as: str = "") -> None:
    """Raise `CheckpointError` naming the first file that is absent or differs from its checksum; `known_as`: the folder
    that this one is a copy of."""
    for name, wanted in expected.items():
        path, known = join(folder, name), join(known_as or folder, name)
        if not exists(path):
            raise CheckpointError(f"{known}: missing; the phase will be trained again")
        found = checksum(path)
        if found != wanted:
            raise CheckpointError(f"{known}: sha256 {found[:12]} but {wanted[:12]} was recorded; it will be made again")


@contextmanager
def local_copy(folder: str) -> Iterator[str]:
    """A local path with the folder's content: the folder itself when it is local, else a download."""
    fs, target = filesystem(folder)
    if isinstance(fs, LocalFileSystem):
        yield target
        return
    with scratch.folder("copy") as here:
        download(folder, here)
        yield here


@contextmanager
def checked(folder: str, files: Mapping[str, str]) -> Iterator[str]:
    """`local_copy` of a folder whose files have these checksums; raises `CheckpointError` naming one that has not."""
    with local_copy(folder) as here:
        verify(here, files, known_as=folder)
        yield here


@patient
def download(folder: str, here: str) -> None:
    """All files below a folder, into a local one that is there. Raises `StorageError`."""
    fs, target = filesystem(folder)
    with named(folder, "read"):
        fs.get(target.rstrip("/") + "/", here, recursive=True)


@contextmanager
def publish(folder: str) -> Iterator[str]:
    """A fresh local folder to fill; on leaving it becomes `folder`, replacing what was there.

    A local folder is moved into place, a remote one is uploaded. On an error nothing is published.
    """
    fs, target = filesystem(folder)
    if not isinstance(fs, LocalFileSystem):
        with scratch.folder("copy") as here:
            yield here
            _upload(here, folder)
        return
    here = f"{target}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        _made(here)
        yield here
        remove(target)
        _moved(os.replace, here, target, target)
    finally:
        shutil.rmtree(here, ignore_errors=True)


@patient
def _upload(here: str, folder: str) -> None:
    fs, target = filesystem(folder)
    with named(folder, "write"):
        before = set(fs.find(target))
        fs.put(here.rstrip("/") + "/", target, recursive=True)
        kept = {f"{target}/{path.relative_to(here).as_posix()}" for path in Path(here).rglob("*")}
        # Last, so that the folder is never empty. Until then checksums say that it is not what was recorded.
        for left in sorted(before - kept):
            with suppress(FileNotFoundError):  # a late listing names what is gone already
                fs.rm_file(left)


@patient
def _made(folder: str) -> None:
    with named(folder, "write"):
        os.makedirs(folder, exist_ok=True)

"""How does one of several writers change a file only while it is still the one that was looked at?

Between a look and a write a process may be suspended for minutes. Object stores therefore take a put or a removal on a
condition: that the file still has the version (S3: ETag; Google: generation) that was seen.

    seen = version(path)                       # before its content is read
    if mine(storage.read_bytes(path)):
        written = replace(path, data, seen)    # its new version, or None: somebody else was faster

A storage without such conditions has no versions (""), and is written to as ever: so is a local one, where locks do the
same. A server that says that it does not know them is, too; one that ignores them can only be looked at again.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from trainables import storage
from trainables.errors import StorageError
from trainables.patience import patient

VERSIONS = {"s3": "ETag", "gs": "generation"}
"""Kind of storage -> what it calls a version."""


class _Another(StorageError):
    """The file is not, or no longer, the one that was seen."""


@patient
def version(path: str) -> str:
    """What the storage calls the present content of a file; "" where there is none, or where it knows no conditions.

    Raises `StorageError` when the storage does not say.
    """
    fs, target = storage.filesystem(path)
    name = VERSIONS.get(_kind(fs))
    with suppress(FileNotFoundError), storage.named(path, "read"):
        return str(fs.info(target).get(name, "")) if name else ""
    return ""


def replace(path: str, data: bytes, seen: str) -> str | None:
    """Write a file that still has the version `seen`; its new one, or None when it has another or is gone.

    The other may be ours: of an earlier try whose answer was lost (clients try again by themselves, too). Its content
    tells. That must not have been there before: S3 makes its version of it. Raises `StorageError`.
    """
    if seen:
        return _replaced(path, data, seen)
    storage.write_bytes(path, data)
    return ""


@patient
def _replaced(path: str, data: bytes, seen: str) -> str | None:
    fs, target = storage.filesystem(path)
    try:
        with storage.named(path, "write"):
            return _put_s3(fs, target, data, seen) if _kind(fs) == "s3" else _put_google(fs, target, data, seen)
    except _Another:
        return None


def remove(path: str, seen: str) -> None:
    """Remove a file that still has the version `seen`; any other one stays. Raises `StorageError`."""
    _removed(path, seen) if seen else storage.remove(path)


@patient
def _removed(path: str, seen: str) -> None:
    fs, target = storage.filesystem(path)
    with suppress(_Another), storage.named(path, "remove"):
        bucket, key, _ = fs.split_path(target)
        if _kind(fs) == "s3":
            _asked(fs.call_s3, "delete_object", Bucket=bucket, Key=key, IfMatch=seen)
        else:
            _asked(fs.call, "DELETE", "b/{}/o/{}", bucket, key, ifGenerationMatch=seen)


def _put_s3(fs: Any, target: str, data: bytes, seen: str) -> str:
    return str(_asked(fs.pipe_file, target, data, IfMatch=seen).get("ETag", ""))


def _put_google(fs: Any, target: str, data: bytes, seen: str) -> str:
    """gcsfs itself knows only the condition that nothing is there."""
    bucket, key, _ = fs.split_path(target)
    url = f"{fs.base.removesuffix('/storage/v1/')}/upload/storage/v1/b/{quote(bucket)}/o"
    condition = {"uploadType": "media", "name": key, "ifGenerationMatch": seen}
    headers = {"Content-Type": "application/octet-stream"}
    return str(_asked(fs.call, "POST", url, data=data, headers=headers, json_out=True, **condition)["generation"])


def _asked(call: Any, *arguments: Any, **named: Any) -> Any:
    """A request on a condition; raises `_Another` where that does not hold."""
    try:
        return call(*arguments, **named)
    except (FileNotFoundError, FileExistsError) as error:  # gone; Google: of another generation
        raise _Another(str(error)) from None
    except OSError as error:
        if _code(error) == "PreconditionFailed":
            raise _Another(str(error)) from None
        if error.errno == errno.ENOSYS and "IfMatch" in named:
            return call(*arguments, **{name: value for name, value in named.items() if name != "IfMatch"})
        raise


def _code(error: OSError) -> str:
    """What S3 calls an error. (s3fs makes of this one an invalid argument.)"""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _kind(fs: Any) -> str:
    protocols = (fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol
    return next((kind for kind in VERSIONS if kind in protocols), "")

"""How does a published archive become files below a data root?

It is downloaded once, compared with its checksum, and put where its task looks for it: a single file as it is, a zip
or tar file unpacked. A download that breaks goes on where it broke; files inside an archive can only land below
their own folder.

    Archive("https://storage.googleapis.com/.../mewsli-x.zip", "mewslix", md5="6d3f...")
    place(archive, root="/data", folder="/tmp/here")      # {"mewslix/wikipedia_pairs/train.jsonl": "9f2a...", ...}
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import urlsplit

import httpx2

from trainables import storage
from trainables.data.downloading import patiently, status_of
from trainables.data.layouts import Archive
from trainables.errors import DataError, StorageError

PACKED = (".zip", ".tgz", ".tar.gz", ".tar")
TIMEOUT = 60.0
"""Seconds without a byte after which a connection counts as broken."""


def place(archive: Archive, root: str, folder: str, mirror: str = "") -> dict[str, str]:
    """Put an archive's files below a root: {path below the root: sha256}.

    `folder` (local) holds the download meanwhile; `mirror` (scheme and host) stands in for the publisher's. Raises
    `DataError` when it cannot be had, differs from its checksum or holds nothing that is wanted, `StorageError` when
    it cannot be written.
    """
    parts = urlsplit(archive.url)
    url = f"{mirror}{parts.path}" if mirror else archive.url
    name = f"{hashlib.sha256(archive.url.encode()).hexdigest()[:12]}-{PurePosixPath(parts.path).name}"
    local = os.path.join(folder, name)
    with _named_error(folder):
        os.makedirs(folder, exist_ok=True)
        download(url, local, sha256=archive.sha256, md5=archive.md5)
    try:
        placed = {}
        for inside, path in _members(local, archive, folder):
            rel = f"{archive.path}/{inside}" if inside else archive.path
            placed[rel] = _digest(path, "sha256")
            storage.move_in(path, storage.join(root, rel))
    finally:
        Path(local).unlink(missing_ok=True)
    if not placed:
        raise DataError(f"{archive.url}: holds no file {archive.members}; its publisher may have changed it")
    return placed


def download(url: str, path: str, sha256: str = "", md5: str = "") -> None:
    """Download a file, through redirects and past broken connections.

    What an earlier call left unfinished is taken up when there is a checksum to prove the whole. Raises `DataError`.
    """
    unfinished = f"{path}.part"
    if not (sha256 or md5):
        Path(unfinished).unlink(missing_ok=True)
    with httpx2.Client(follow_redirects=True, timeout=TIMEOUT) as client:
        try:
            patiently(lambda: _go_on(client, url, unfinished))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            status = status_of(error)
            told = f"the server answers {status}" if status else f"cannot be reached ({' '.join(str(error).split())})"
            raise DataError(f"{url}: {told}; check the connection, or put the files below the root by hand") from error
    for kind, wanted in (("sha256", sha256), ("md5", md5)):
        got = _digest(unfinished, kind) if wanted else ""
        if got != wanted:
            Path(unfinished).unlink()
            told = f"{kind} {got[:12]}, expected {wanted[:12]}"
            raise DataError(f"{url}: {told}; it was thrown away, fetch again (the publisher may have changed it)")
    os.replace(unfinished, path)


def _go_on(client: httpx2.Client, url: str, path: str) -> None:
    """Append to a file what it lacks."""
    have = os.path.getsize(path) if os.path.exists(path) else 0
    # Without compression, lengths and positions are those of the file.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == 416:  # nothing lies behind what is there: too much, or all of it
            size = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
            if size and int(size[1]) == have:
                return
            Path(path).unlink()
            raise httpx2.RemoteProtocolError(f"{have} bytes were there, more than the server has")
        response.raise_for_status()
        with open(path, "ab" if response.status_code == 206 else "wb") as file:
            for block in response.iter_raw():
                file.write(block)


def _members(local: str, archive: Archive, folder: str) -> Iterator[tuple[str, str]]:
    """(name inside, local path) of every wanted file; ("", the download itself) when it is no archive."""
    if not urlsplit(archive.url).path.endswith(PACKED):
        yield "", local
        return
    unpacked = os.path.join(folder, "unpacked")
    try:
        opened = _zipped(local) if urlsplit(archive.url).path.endswith(".zip") else _tarred(local)
        for name, source in opened:
            if not fnmatchcase(name, archive.members):
                continue
            if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts:
                raise DataError(f"{archive.url}: holds a file {name!r:.80}, which would land outside {archive.path}")
            with _named_error(folder), open(unpacked, "wb") as file:
                while block := source.read(1 << 20):
                    file.write(block)
            yield name, unpacked
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{archive.url}: not a whole archive ({line}); fetch it again") from error
    finally:
        Path(unpacked).unlink(missing_ok=True)


def _zipped(local: str) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(local) as opened:
        for one in opened.infolist():
            if not one.is_dir():
                with opened.open(one) as source:
                    yield one.filename, source


def _tarred(local: str) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(local) as opened:
        for one in opened:
            source = opened.extractfile(one) if one.isfile() else None  # never links or devices
            if source:
                yield one.name.removeprefix("./"), source


def _digest(path: str, kind: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


@contextmanager
def _named_error(folder: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"cannot write {folder}: {reason}; {storage.way_out(error, '--data-root')}") from error

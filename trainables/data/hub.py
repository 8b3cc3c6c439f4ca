"""How do files come from the Hugging Face Hub, so that they are certainly the ones that were asked for?

A data set or model is looked at as one commit: its files with their sizes and checksums, in one listing. Files are
downloaded from that commit and compared with the listing, so a file that is cut, damaged or exchanged on the way is
never used. No code of a repository is ever run; data sets that are scripts are taken from the parquet copies the Hub
makes of them.

    found = snapshot("facebook/xnli", "b8dd5d7af51114dbda02c0e3f6133f332186418e")
    for file in data_files(found, "de", "test"):
        path = download(found, file, "/tmp/here")

The client is huggingface_hub: `HF_ENDPOINT` names another Hub, `HF_TOKEN` gives access to gated
repositories, `HF_HUB_OFFLINE` forbids all of it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path
from typing import Literal

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import RepoFile

from trainables import storage
from trainables.data.downloading import patiently, status_of
from trainables.errors import DataError, StorageError

CONVERTED = "refs/convert/parquet"
"""Where the Hub itself keeps parquet copies of data sets that are scripts or other files."""
SHAPES = ("{split}-[0-9]*.*", "{split}/*.*", "*-{split}.*", "{split}.*")
"""Names that the files of a split have below the folder of their configuration, the usual one first."""
SUFFIXES = ("parquet", "jsonl", "jsonl.gz")
Kind = Literal["dataset", "model"]
NAMES: dict[Kind, tuple[str, str, str]] = {
    "dataset": ("data set", "datasets/", "data.revisions"),
    "model": ("model", "", "the `revision` of its ladder"),
}
"""What a kind of repository is called, where its pages are, and where a study pins its commit."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a commit."""

    path: str
    bytes: int
    sha256: str
    """Of the content; empty for a small file that git itself holds."""
    blob: str
    """git's sha1 of the content (of the pointer to it, where there is a sha256)."""


@dataclass(frozen=True)
class Snapshot:
    """The files of a data set or model at one commit."""

    repo: str
    revision: str
    """The full commit, 40 hexadecimal digits."""
    files: tuple[RemoteFile, ...]
    kind: Kind = "dataset"


def snapshot(repo: str, revision: str = "", kind: Kind = "dataset") -> Snapshot:
    """A repository at a commit, branch or tag (empty: the newest). Raises `DataError` in words for people."""
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    with _explained(api.endpoint, repo, revision, kind):
        commit = patiently(lambda: api.repo_info(repo, revision=revision or None, repo_type=kind)).sha or ""
        listed = patiently(lambda: list(api.list_repo_tree(repo, recursive=True, revision=commit, repo_type=kind)))
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise DataError(f"{repo}: {api.endpoint} calls its commit {commit!r:.60}; is this a Hub?")
    found = [one for one in listed if isinstance(one, RepoFile)]
    files = tuple(RemoteFile(f.path, f.size, f.lfs.sha256 if f.lfs else "", f.blob_id) for f in found)
    return Snapshot(repo, commit, files, kind)


def converted(repo: str, revision: str = "") -> Snapshot | None:
    """The Hub's parquet copy of a data set (at a commit, empty: the newest); None when there is none."""
    try:
        return snapshot(repo, revision or CONVERTED)
    except DataError as error:
        if isinstance(error.__cause__, RevisionNotFoundError):
            return None
        raise


def data_files(found: Snapshot, config: str, split: str) -> list[RemoteFile]:
    """Files of a split of a configuration (empty: the only one), in order; parquet where there is a choice. Empty
    when there are none.

    Raises `DataError` when some of a numbered series (`-00000-of-00003`) are not there.
    """
    folders = (f"{config}/", f"data/{config}/") if config else ("data/", "", "default/", "plain_text/")
    for suffix in SUFFIXES:
        for folder in folders:
            inside = {file.path[len(folder) :]: file for file in found.files if file.path.startswith(folder)}
            for shape in SHAPES:
                pattern = shape.replace("{split}", escape(split)).removesuffix("*") + suffix
                names = [n for n in sorted(inside) if fnmatchcase(n, pattern) and n.count("/") == pattern.count("/")]
                if names:
                    _check_series(found, folder, names)
                    return [inside[name] for name in names]
        by_split = [file for file in found.files if config and file.path == f"{split}/{config}.{suffix}"]
        if by_split:
            return by_split
    return []


def _check_series(found: Snapshot, folder: str, names: list[str]) -> None:
    series = re.search(r"-of-(\d+)", names[0])
    if series and int(series[1]) != len(names):
        place = f"{found.repo} at {found.revision[:10]}: {folder}{names[0]}"
        raise DataError(f"{place}: {len(names)} of {int(series[1])} files of this series are there; pin another commit")


def download(found: Snapshot, file: RemoteFile, folder: str) -> str:
    """Local path of a file of the snapshot, below `folder`; its content has the listed checksum.

    Raises `DataError` when it cannot be had or differs, `StorageError` when it cannot be written. A connection that
    breaks is taken up where it broke.
    """
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    with _explained(api.endpoint, found.repo, found.revision, found.kind, folder):
        path = patiently(
            lambda: api.hf_hub_download(
                found.repo, file.path, repo_type=found.kind, revision=found.revision, local_dir=folder
            )
        )
        wanted, got = (file.sha256, _sha256(path)) if file.sha256 else (file.blob, _git_blob(path))
    if wanted != got:
        Path(path).unlink()
        told = f"checksum {got[:12]}, the Hub lists {wanted[:12]}; it was thrown away, fetch again"
        raise DataError(f"{found.repo} at {found.revision[:10]}: {file.path}: {told}")
    return path


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _git_blob(path: str) -> str:
    content = Path(path).read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@contextmanager
def _explained(endpoint: str, repo: str, revision: str, kind: Kind, folder: str = "") -> Iterator[None]:
    """Turn the client's errors into one line each that says what to do."""
    at = f"{repo} at {revision[:10]}" if revision else repo
    try:
        yield
    except Exception as error:
        # The client reports a failed first request as a missing local file, with the request's error as its cause.
        root = (error.__cause__ or error) if isinstance(error, LocalEntryNotFoundError) else error
        told = _words(root, endpoint, repo, at, kind)
        if told:
            raise DataError(told) from root
        line = " ".join(str(root).split())[:160] or type(root).__name__
        if isinstance(root, httpx2.TransportError):
            raise DataError(f"{at}: {endpoint} cannot be reached ({line}); check the connection") from root
        if isinstance(root, OSError):
            reason = f"cannot write {folder or at}: {root.strerror or line}"
            place = "--data-root" if kind == "dataset" else "--storage"
            raise StorageError(f"{reason}; {storage.way_out(root, place)}") from root
        if isinstance(root, ValueError | KeyError | TypeError | RuntimeError):
            raise DataError(f"{at}: {endpoint} does not answer as the Hub does ({line}); check HF_ENDPOINT") from root
        raise


def _words(error: BaseException, endpoint: str, repo: str, at: str, kind: Kind) -> str:
    """What the Hub's answer means; empty when it is no answer of the Hub."""
    what, folder, pin = NAMES[kind]
    page = f"{endpoint}/{folder}{repo}"
    if isinstance(error, OfflineModeIsEnabled):
        return f"{at}: HF_HUB_OFFLINE is set, so nothing can be fetched; unset it for `study fetch`"
    if isinstance(error, HFValidationError):
        return f"{repo!r}: not the name of a {what} on the Hub; expected owner/name"
    if isinstance(error, GatedRepoError):
        return f"{repo}: gated; accept its terms at {page} and set HF_TOKEN to a token of that account"
    if isinstance(error, RepositoryNotFoundError):
        return f"{repo}: no such {what} at {endpoint}, or a private one (then set HF_TOKEN)"
    if isinstance(error, RevisionNotFoundError):
        return f"{at}: no such revision; see {page}/commits/main and correct {pin}"
    status = status_of(error)
    if status == 404:
        return f"{at}: a listed file cannot be downloaded (404); pin another commit in {pin}"
    if status in (401, 403):
        return f"{at}: {endpoint} refuses access ({status}); check HF_TOKEN"
    if status is not None:
        return f"{at}: {endpoint} answers {status}; try again later"
    return ""

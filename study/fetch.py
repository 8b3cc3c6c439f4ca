"""How does a data root come into being, once, so that everything after it runs offline?

What the study wants is looked up on the Hub at pinned commits before anything is downloaded, so that a wrong name or a
gated data set shows at once. Then file after file is downloaded, checked, turned into the task's rows, counted and
written, each atomically; the downloads are removed as soon as nothing more is made of them. The root's `fetched.json`
is brought up to date after every file: run it again after any interruption, and only what is missing is fetched.

    fetch(spec, print)
    # fetched xnli/test-ar.parquet: 5,010 rows, 0.4 MB (17 of 192 files, 23 of 310 MB, 40 s to go)
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow
import pyarrow.parquet
from filelock import FileLock, Timeout
from huggingface_hub.utils import disable_progress_bars

from study import fetched
from study.fetched import FetchedArchive, FetchedFile, Manifest, Source
from study.lookup import Job, Lookup
from study.show import duration
from study.spec import StudySpec
from study.wanted import Wanted, archives, config, needs, root_of, unpacked, up_to_date, wanted
from trainables import scratch, storage
from trainables.data import archive, hub, hub_rows
from trainables.data.hub import Snapshot
from trainables.data.layouts import Archive, Hub
from trainables.data.revisions import pins
from trainables.data.root import Root
from trainables.errors import DataError, SpecError, StorageError

Echo = Callable[[str], None]


@dataclass(frozen=True)
class Summary:
    """What a fetch did."""

    root: str
    files: int
    """Files of the root that the study wants, archives apart."""
    rows: int
    made: int
    """How many of them were made by this fetch."""
    downloaded_bytes: int


@dataclass
class _Fetch:
    """One fetch under way, and how far it is."""

    spec: StudySpec
    root: str
    echo: Echo
    manifest: Manifest
    total_files: int = 0
    total_bytes: int = 0
    files: int = 0
    bytes: int = 0
    started: float = field(default_factory=time.monotonic)

    def progress(self) -> str:
        done = f"{self.files} of {self.total_files} files, {amount(self.bytes)} of {amount(self.total_bytes)}"
        left = (time.monotonic() - self.started) * (self.total_bytes - self.bytes) / max(1, self.bytes)
        return f"{done}, {duration(left)} to go"


def fetch(spec: StudySpec, echo: Echo, mirror: str = "") -> Summary:
    """Bring the data root of a study up to date, and check that it holds all the study reads.

    `mirror` (scheme and host) stands in for the publishers of archives. Raises `SpecError` for a study that reads
    something else, `DataError` and `StorageError` as one line that names what is wrong and the way out.
    """
    if spec.data.source != "hub":
        raise SpecError(
            f"data.source: found {spec.data.source!r}, allowed for `study fetch`: hub, or any with published models"
        )
    disable_progress_bars()
    root = root_of(spec)
    with alone(root), _downloads(root) as folder:
        run = _Fetch(spec, root, echo, fetched.read(root))
        everything = wanted(spec)
        jobs = Lookup(spec, run.manifest).jobs([one for one in everything if not _there(run, one)])
        run.total_files = sum(len(job.wants) for job in jobs)
        run.total_bytes = sum(job.bytes for job in jobs)
        if jobs:
            echo(f"{run.total_files} of {len(everything)} files to fetch, {amount(run.total_bytes)}")
        for job in jobs:
            _make(run, job, folder)
        for one in archives(spec):
            _unpack(run, one, folder, mirror)
    _check_whole(spec, root)
    rows = sum(run.manifest.files[one.path].rows for one in everything)
    return Summary(root, len(everything), rows, run.files, run.bytes)


def amount(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"


# What is there already.


@contextmanager
def alone(root: str, option: str = "--data-root") -> Iterator[None]:
    """Keep other fetches out of a local root, which `option` names. Raises `StorageError`."""
    if not storage.is_local(root):
        yield
        return
    folder = storage.filesystem(root)[1]
    try:
        os.makedirs(folder, exist_ok=True)
        with FileLock(os.path.join(folder, ".fetch.lock"), timeout=0):
            yield
    except Timeout as error:
        raise StorageError(f"{root}: another fetch is at work there; wait for it, or give another {option}") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"cannot write {root}: {reason}; {storage.way_out(error, option)}") from error


@contextmanager
def _downloads(root: str) -> Iterator[str]:
    """A local folder for downloads: below a local root (unfinished archives stay there), else a temporary one."""
    if not storage.is_local(root):
        with scratch.folder("fetch") as folder:
            yield folder
        return
    folder = os.path.join(storage.filesystem(root)[1], ".downloads")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _there(run: _Fetch, one: Wanted) -> bool:
    """Whether a file was fetched as it is wanted, and still is what it was; says so when it is not."""
    listed = run.manifest.files.get(one.path)
    if listed is None:
        return False
    if not up_to_date(run.spec, run.manifest, pins(), one):
        run.echo(f"{one.path}: was made from another commit or in another way; it is fetched again")
        return False
    return _unchanged(run, one.path, listed.sha256, listed.bytes)


def _unchanged(run: _Fetch, rel: str, sha256: str, size: int | None = None) -> bool:
    """Local files are read and compared; of remote ones, the size alone, which costs no transfer."""
    path = storage.join(run.root, rel)
    fs, target = storage.filesystem(path)
    if not fs.exists(target):
        told = "is gone"
    elif size is not None and fs.size(target) != size:
        told = f"has {fs.size(target)} bytes, {size} were written"
    elif storage.is_local(path) and storage.checksum(path) != sha256:
        told = f"is not what was written (sha256 {sha256[:12]})"
    else:
        return True
    run.echo(f"{rel}: {told}; it is fetched again")
    return False


# One download after the other.


def _make(run: _Fetch, job: Job, folder: str) -> None:
    """Download the files of a job and make everything that is wanted of them."""
    here = os.path.join(folder, "hub")
    tables = []
    for entry, places in zip(job.wants[0].entries, job.sources, strict=True):
        paths = [hub.download(found, file, os.path.join(here, found.revision)) for found, file in places]
        run.bytes += sum(file.bytes for _, file in places)
        name = config(entry, job.wants[0].language)
        tables.append(hub_rows.read(paths, _card(places[0][0], here), name, f"{entry.repo} {name}".rstrip()))
    sources = tuple(
        Source(repo=at.repo, revision=at.revision, path=file.path, sha256=file.sha256 or file.blob, bytes=file.bytes)
        for at, file in job.places
    )
    for one in job.wants:
        content, rows = _content(one, tables)
        storage.write_bytes(storage.join(run.root, one.path), content)
        made = FetchedFile(
            rows=rows,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            recipe=one.recipe,
            revisions=job.revisions,
            sources=sources,
        )
        run.manifest = fetched.with_file(run.manifest, one.path, made, job.pinned)
        fetched.write(run.root, run.manifest)
        run.files += 1
        run.echo(f"fetched {one.path}: {rows:,} rows, {amount(len(content))} ({run.progress()})")
    shutil.rmtree(here, ignore_errors=True)


def _content(one: Wanted, tables: list[pyarrow.Table]) -> tuple[bytes, int]:
    """A parquet file with the wanted rows, and their number."""
    parts = []
    for entry, table in zip(one.entries, tables, strict=True):
        parts.append(hub_rows.of_language(table, entry, one.language))
        _check_rows(one, entry, parts[-1].num_rows)
    rows = hub_rows.together(parts, one.path)
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(rows, buffer, compression="zstd")
    return buffer.getvalue(), rows.num_rows


def _card(found: Snapshot, here: str) -> str:
    """Folder with the data set's card, which may say what label numbers mean; empty when it has none."""
    card = next((file for file in found.files if file.path == "README.md"), None)
    return os.path.dirname(hub.download(found, card, os.path.join(here, found.revision))) if card else ""


def _check_rows(one: Wanted, entry: Hub, rows: int) -> None:
    """Raises `DataError` for an empty language, or another number of rows than was published."""
    published = entry.rows.get(f"{one.split}/{one.language}", entry.rows.get(one.split))
    what = f"{one.task.name} in {one.language}: {entry.repo} {config(entry, one.language)}".rstrip()
    if rows == 0:
        raise DataError(f"{what}: no {one.split} rows in this language; pin another commit in data.revisions")
    if published is not None and rows != published:
        raise DataError(
            f"{what}: {rows:,} {one.split} rows, published are {published:,}; pin another commit in data.revisions"
        )


def _unpack(run: _Fetch, one: Archive, folder: str, mirror: str) -> None:
    listed = unpacked(run.manifest, one)
    if listed and all(_unchanged(run, rel, sha256) for rel, sha256 in listed.files.items()):
        return
    run.echo(f"fetching {one.url}")
    placed = archive.place(one, run.root, folder, mirror)
    made = FetchedArchive(checksum=one.sha256 or one.md5, files=placed)
    run.manifest = fetched.with_archive(run.manifest, one.url, made)
    fetched.write(run.root, run.manifest)
    run.echo(f"fetched {one.path}: {len(placed)} files")


def _check_whole(spec: StudySpec, path: str) -> None:
    """Raises `DataError` naming the task, split and language of the first data that the study could not read."""
    root = Root(path)
    for task, split, language in needs(spec):
        task.files(root, split, language)

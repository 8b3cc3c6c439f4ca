"""How do published models reach the storage, once, so that everything after it runs offline?

Everything is looked up first: the commit, the list of files, and config.json, which is compared with the ladder. So a
wrong name, a gated model or a wrong shape shows before anything large is downloaded. Then file after file is
downloaded, checked and moved into place, and the model's `fetched.json` is brought up to date. Run it again after any
interruption: what is there and unchanged stays, a file that broke off goes on where it broke.

    for model in look_up(spec, store, print):
        bring(model, print)
    # fetched Qwen/Qwen3-0.6B-Base model.safetensors, 1,192.1 MB (4 of 4 files, 1,203.6 of 1,203.6 MB, 0 s to go)
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub.utils import disable_progress_bars, enable_progress_bars

from study import models
from study.fetch import Echo, alone, amount
from study.models import FetchedModel, ModelFile
from study.show import duration
from study.spec import StudySpec
from study.store import Store
from trainables import scratch, storage
from trainables.config import Architecture
from trainables.data import hub
from trainables.data.hub import Snapshot
from trainables.errors import ModelError
from trainables.models.ladders import Model
from trainables.models.published import CONFIG, check_shape, chosen


@dataclass(frozen=True)
class Wanted:
    """A model as it was found, on the Hub or whole on the storage."""

    root: str
    manifest: FetchedModel
    source: Snapshot | None
    """None: nothing of it is missing."""

    @property
    def folder(self) -> str:
        return models.folder_of(self.root, self.manifest.repo, self.manifest.commit)

    @property
    def missing(self) -> list[str]:
        return [name for name, file in self.manifest.files.items() if not file.sha256]


@dataclass(frozen=True)
class Summary:
    """What a fetch did to one model."""

    repo: str
    commit: str
    folder: str
    files: int
    bytes: int
    made: int
    """How many of the files were fetched now."""


def look_up(spec: StudySpec, store: Store, echo: Echo) -> list[Wanted]:
    """The models of a study that come from the Hub, each once, with what is missing of them.

    Raises `DataError` and `ModelError` as one line that says what to do.
    """
    root, rungs = models.root_of(store), spec.family().sizes
    found: dict[tuple[str, str | None], Wanted] = {}
    for size, model in models.wanted(spec).items():
        if model.repo is not None and (model.repo, model.revision) not in found:
            found[model.repo, model.revision] = _look_up(root, model, rungs[size], echo)
    return list(found.values())


def _look_up(root: str, model: Model, shape: Architecture, echo: Echo) -> Wanted:
    repo = model.repo or ""
    listed = models.find(root, model)
    if listed is not None:
        there = {name: _as_it_is(root, listed, name, file, echo) for name, file in listed.files.items()}
        listed = listed.model_copy(update={"files": there})
        if all(file.sha256 for file in there.values()):
            return Wanted(root, listed, None)
    source = hub.snapshot(repo, listed.commit if listed else model.revision or "", "model")
    place, page = f"{repo} at {source.revision[:10]}", f"https://huggingface.co/{repo}/discussions"
    way_out = (
        f"take a conversion (see {page}) by `models: {{revisions: {{{repo}: refs/pr/N}}}}`, or convert it and give its"
        " `path` in a ladder file of your own"
    )
    sizes_of = {file.path: file.bytes for file in source.files}
    names = chosen(list(sizes_of), place, way_out)
    with _downloads(root, repo, source.revision) as here:
        content = _json(_download(source, CONFIG, here), place)
    check_shape(content, shape, place)
    known = listed.files if listed else {}
    files = {name: known.get(name, ModelFile(bytes=sizes_of[name])) for name in names}
    manifest = FetchedModel(repo=repo, commit=source.revision, asked=model.revision or "", files=files)
    return Wanted(root, manifest, source)


def bring(model: Wanted, echo: Echo) -> Summary:
    """Download what is missing of a model. Raises `DataError` and `StorageError` as one line that says what to do."""
    (enable_progress_bars if sys.stderr.isatty() else disable_progress_bars)()
    manifest, missing = model.manifest, model.missing
    source = model.source
    if source is not None:
        with alone(model.folder, "--storage"), _downloads(model.root, manifest.repo, manifest.commit) as here:
            models.write(model.folder, manifest)
            progress = _Progress(sum(manifest.files[name].bytes for name in missing), len(missing))
            for name in missing:
                path = _download(source, name, here)
                listed = next(file.sha256 for file in source.files if file.path == name)
                file = ModelFile(bytes=os.path.getsize(path), sha256=listed or storage.checksum(path))
                storage.move_in(path, storage.join(model.folder, name))
                manifest = manifest.model_copy(update={"files": manifest.files | {name: file}})
                models.write(model.folder, manifest)
                echo(f"fetched {manifest.repo} {name}, {amount(file.bytes)} ({progress.after(file.bytes)})")
            shutil.rmtree(here, ignore_errors=True)
    size = sum(file.bytes for file in manifest.files.values())
    made = len(missing) if source is not None else 0
    return Summary(manifest.repo, manifest.commit, model.folder, len(manifest.files), size, made)


class _Progress:
    def __init__(self, total: int, files: int) -> None:
        self.total, self.files, self.done, self.count, self.started = total, files, 0, 0, time.monotonic()

    def after(self, size: int) -> str:
        """One more file of so many bytes."""
        self.done, self.count = self.done + size, self.count + 1
        left = (time.monotonic() - self.started) * (self.total - self.done) / max(1, self.done)
        told = f"{amount(self.done)} of {amount(self.total)}, {duration(left)} to go"
        return f"{self.count} of {self.files} files, {told}"


def _as_it_is(root: str, listed: FetchedModel, name: str, file: ModelFile, echo: Echo) -> ModelFile:
    """The listed file, or without its checksum when it is no longer what was fetched. Of remote files, the size alone
    is compared, which costs no transfer."""
    path = storage.join(models.folder_of(root, listed.repo, listed.commit), name)
    fs, target = storage.filesystem(path)
    whole = fs.exists(target) and fs.size(target) == file.bytes
    if file.sha256 and whole and storage.is_local(path):
        whole = storage.checksum(path) == file.sha256
    if file.sha256 and not whole:
        echo(f"{path}: gone or changed since it was fetched; it is fetched again")
    return file if whole else ModelFile(bytes=file.bytes)


def _download(source: Snapshot, name: str, folder: str) -> str:
    file = next(file for file in source.files if file.path == name)
    return hub.download(source, file, folder)


@contextmanager
def _downloads(root: str, repo: str, commit: str) -> Iterator[str]:
    """A local folder for downloads: below a local root (what broke off stays there), else a temporary one."""
    if not storage.is_local(root):
        with scratch.folder("fetch") as folder:
            yield folder
        return
    yield os.path.join(storage.filesystem(root)[1], ".downloads", repo.replace("/", "--"), commit)


def _json(path: str, place: str) -> dict[str, object]:
    try:
        value = json.loads(Path(path).read_bytes())
    except ValueError as error:
        raise ModelError(f"{place}: its {CONFIG} is not JSON ({str(error)[:80]})") from error
    if not isinstance(value, dict):
        raise ModelError(f"{place}: its {CONFIG} is no mapping")
    return value

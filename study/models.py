"""Which published models does a study need, and which of their files are there?

They lie below the storage, shared by its studies: `models/<owner--name>/<commit>/`, with a `fetched.json` that is
written again after every file. A model that the ladder gives by `path` stays where it is; its files are hashed once.

    for size, model in wanted(spec).items():
        there = files(root_of(store), model)       # where it is and what it contains; None: not fetched yet
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import ValidationError

from study.spec import StudySpec
from study.store import Store
from trainables import storage
from trainables.config import Frozen
from trainables.errors import CheckpointError, DataError, NotFetched
from trainables.models.ladders import Model
from trainables.models.published import chosen

NAME, HASHED = "fetched.json", "hashed.json"


class ModelFile(Frozen):
    bytes: int
    sha256: str = ""
    """Empty: still to be fetched."""


class FetchedModel(Frozen):
    """The files of one commit of a model."""

    repo: str
    commit: str
    asked: str
    """The revision that led to it, so that a later fetch takes the same; empty: the newest, then."""
    files: dict[str, ModelFile]


@dataclass(frozen=True)
class Files:
    """Where a model is, and what it contains."""

    folder: str
    sha256: dict[str, str]
    """By name of the file."""


def root_of(store: Store) -> str:
    """Folder of all models of a storage."""
    return store.shared("models")


def folder_of(root: str, repo: str, commit: str) -> str:
    return storage.join(root, repo.replace("/", "--"), commit)


def wanted(spec: StudySpec) -> dict[str, Model]:
    """{size: model} of the study, at the revisions it asks for; empty for a ladder that is pretrained on the spot."""
    rungs = spec.family().sizes
    found = {size: model for size in spec.sizes if (model := rungs[size].model)}
    asked = spec.models.revisions
    return {
        size: model.model_copy(update={"revision": asked[model.repo]}) if model.repo in asked else model
        for size, model in found.items()
    }


def read(folder: str) -> FetchedModel | None:
    """The manifest of a folder; None when there is none. Raises `DataError` for a damaged one."""
    path = storage.join(folder, NAME)
    try:
        return FetchedModel.model_validate(storage.read_json(path))
    except FileNotFoundError:
        return None
    except (ValidationError, CheckpointError) as error:
        raise DataError(f"{path}: not a manifest of this version; remove it to fetch the model again") from error


def write(folder: str, manifest: FetchedModel) -> None:
    storage.write_json(storage.join(folder, NAME), manifest.model_dump(mode="json"))


def find(root: str, model: Model) -> FetchedModel | None:
    """What was fetched of a model, whole or not: at its commit, else at the one found when it was first asked for."""
    asked = model.revision or ""
    repo = model.repo or ""
    if re.fullmatch(r"[0-9a-f]{40}", asked):
        return read(folder_of(root, repo, asked))
    commits = storage.names(storage.join(root, repo.replace("/", "--")))
    manifests = [read(folder_of(root, repo, commit)) for commit in commits]
    return next((one for one in manifests if one and one.asked == asked), None)


def files(root: str, model: Model) -> Files | None:
    """The files of a model; None when they are not all there. Compares names and sizes, reads none of those fetched.

    Raises `ModelError` for a folder that holds no model.
    """
    if model.path is not None:
        return _of_folder(root, model.path)
    manifest = find(root, model)
    if manifest is None:
        return None
    folder = folder_of(root, manifest.repo, manifest.commit)
    fs, target = storage.filesystem(folder)
    there = {one["name"].rsplit("/", 1)[-1]: one["size"] for one in fs.ls(target, detail=True)}
    if any(not file.sha256 or there.get(name) != file.bytes for name, file in manifest.files.items()):
        return None
    return Files(folder, {name: file.sha256 for name, file in manifest.files.items()})


def _of_folder(root: str, path: str) -> Files:
    """A model of the user's own; checksums are remembered for as long as the filesystem calls a file the same."""
    names = chosen(storage.names(path), path, "save it as safetensors (`model.save_pretrained`)")
    fs, target = storage.filesystem(path)
    known = _hashed(root)
    now = {storage.join(path, name): {"state": str(fs.ukey(storage.join(target, name)))} for name in names}
    for place, entry in now.items():
        before = known.get(place, {})
        same = before.get("state") == entry["state"]
        entry["sha256"] = before["sha256"] if same else storage.checksum(place)
    if any(known.get(place) != entry for place, entry in now.items()):
        storage.write_json(storage.join(root, HASHED), known | now)
    return Files(path, {name: now[storage.join(path, name)]["sha256"] for name in names})


def _hashed(root: str) -> dict[str, dict[str, str]]:
    try:
        return storage.read_json(storage.join(root, HASHED))
    except (FileNotFoundError, CheckpointError):
        return {}


def check_fetched(found: dict[str, Files | None], models: dict[str, Model]) -> None:
    """Raises `NotFetched` naming the models."""
    absent = [f"{models[size].repo} ({size})" for size, there in found.items() if there is None]
    if absent:
        more = f" and {len(absent) - 3} more" if len(absent) > 3 else ""
        raise NotFetched(f"not fetched yet: {', '.join(absent[:3])}{more}")

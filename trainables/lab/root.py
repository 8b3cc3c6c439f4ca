"""How does the world become files? All of them are made from the seed, then published at once.

    write_root("/data/lab-7", seed=7)      # again: nothing happens, the root is complete

Nothing is read but the code, so a damaged root can always be made again, byte for byte.
"""

from __future__ import annotations

import json
from pathlib import Path

from trainables import locks, storage
from trainables.errors import CheckpointError, StorageError
from trainables.lab.choices import choice_files, draw_items
from trainables.lab.documents import corpus
from trainables.lab.languages import Language, languages
from trainables.lab.pairs import inference_files, translation_files
from trainables.lab.tagging import name_files, treebank_files

LAB_VERSION = 1
"""Raise it when a seed no longer gives the same bytes: roots of another version are written anew."""

MARKER = "lab.json"
"""Version, seed and checksums of the root: what "complete" means."""


def root_files(seed: int) -> dict[str, str]:
    """{name below the root: text} of every file of the root but the marker."""
    spoken = languages(seed)
    items = draw_items(seed)
    return {
        "languages.json": _facts(spoken),
        "vocabulary.txt": "".join(f"{word}\n" for word in vocabulary(spoken)),
        "corpus/train.txt": corpus(seed, spoken, items.held_out),
        **choice_files(items, spoken),
        **treebank_files(seed, spoken),
        **name_files(seed, spoken),
        **inference_files(seed, spoken),
        **translation_files(seed, spoken),
    }


def vocabulary(spoken: tuple[Language, ...]) -> list[str]:
    """Every token of every language once, English first; special tokens are the tokenizer's."""
    return list(dict.fromkeys(word for language in spoken for word in language.vocabulary))


def write_root(path: str, seed: int) -> None:
    """Write the data root of a seed to any fsspec path, all files at once; the same seed gives the same bytes.

    A complete root of this seed and version is left alone; an incomplete, damaged or older one is replaced. Of several
    who begin at once one writes (on a local storage), so that nobody's files go while they are being read.
    Raises `StorageError` when the folder holds something that is not a lab root, or cannot be written.
    """
    if _is_complete(path, seed):
        return
    with locks.alone(path):
        if not _is_complete(path, seed):  # another driver may have been at it
            _write(path, seed)


def _write(path: str, seed: int) -> None:
    if storage.is_local(path) and storage.names(path) and not storage.exists(storage.join(path, MARKER)):
        raise StorageError(f"{path}: holds files but no {MARKER}, so it is not a lab root; choose an empty folder")
    with storage.publish(path) as folder:
        for name, text in root_files(seed).items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
        storage.write_json(storage.join(folder, MARKER), {**_identity(seed), "files": storage.checksums(folder)})


def _is_complete(path: str, seed: int) -> bool:
    try:
        marker = storage.read_json(storage.join(path, MARKER))
        if not isinstance(marker, dict) or not isinstance(marker.get("files"), dict):
            return False
        storage.verify(path, marker["files"])
    except (FileNotFoundError, CheckpointError):
        return False
    return {**marker, **_identity(seed)} == marker


def _identity(seed: int) -> dict[str, int]:
    return {"version": LAB_VERSION, "seed": seed}


def _facts(spoken: tuple[Language, ...]) -> str:
    return json.dumps({language.code: language.profile.facts() for language in spoken}, indent=1) + "\n"

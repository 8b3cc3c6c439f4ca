"""When is a phase new? When one of its identity fields is.

The key of a phase is a slug for people and ten hexadecimal digits of the sha256 of its identity, which holds
everything its result depends on and nothing else: configs, task versions, fingerprints of the files read, the keys
of its parent and backbone, the search. Storage, machines, tracking and the study's name are not in it.

    key("pretrain-xs", {"kind": "pretrain"})                                        # pretrain-xs-6f0a...
    changes({"config": {"steps": 120}}, {"config": {"steps": 200}})                 # ["training.steps 120 -> 200"]
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from trainables.config import Cell
from trainables.data import corpus, patterns
from trainables.data.layouts import Split
from trainables.data.root import Root
from trainables.errors import DataError
from trainables.tasks import get

Identity = dict[str, Any]
DIGITS = 10


def canonical(identity: Identity) -> str:
    return json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def key(slug: str, identity: Identity) -> str:
    return f"{slug}-{hashlib.sha256(canonical(identity).encode()).hexdigest()[:DIGITS]}"


def slug_of(key: str) -> str:
    """The readable part of a key; empty when it is not a key."""
    match = re.fullmatch(rf"(.+)-[0-9a-f]{{{DIGITS}}}", key)
    return match.group(1) if match else ""


def versions(tasks: Iterable[str]) -> dict[str, int]:
    """{name: version} of tasks and of those whose examples they borrow."""
    return {one.name: one.version for name in sorted(tasks) for one in get(name).lenders}


def tuning_data(root: Root, task: str, files: Sequence[str] = ()) -> str:
    """Fingerprint of what tuning reads: English train (or the files given in its place) and dev.

    Raises `DataError` naming the file looked for.
    """
    if files:
        found = get(task)
        # An open label set is that of the root's own training data, whatever is trained on.
        splits: tuple[Split, ...] = ("train", "dev") if found.open_labels else ("dev",)
        own = root.fingerprint(sorted({name for split in splits for name in found.files(root, split)}))
        return hashlib.sha256(f"{own} {patterns.fingerprint(root, files)}".encode()).hexdigest()[:16]
    return root.fingerprint(sorted({*get(task).files(root, "train"), *get(task).files(root, "dev")}))


def scoring_data(root: Root, cells: Iterable[Cell]) -> dict[str, str]:
    """{task: fingerprint of what scoring its cells reads}: the cells' own files, and training examples (for the
    majority baseline) or, for retrieval, the development pairs that choose the layer."""
    files: dict[str, list[str]] = {}
    for cell in cells:
        files.setdefault(cell.task, []).extend(get(cell.task).files(root, cell.split, cell.language))
    for name, found in files.items():
        task = get(name)
        extra: list[tuple[Split, str]] = (
            [("dev", language) for language in task.languages(root)] if task.head == "retrieve" else [("train", "en")]
        )
        for split, language in extra:
            try:
                found += task.files(root, split, language)
            except DataError:
                continue  # Then scoring does without it, too.
    return {name: root.fingerprint(sorted(set(found))) for name, found in sorted(files.items())}


def pretraining_data(root: Root) -> str:
    """Fingerprint of all text that pretraining reads, and of the vocabulary where the root has one."""
    vocabulary = [corpus.VOCABULARY] if root.exists(corpus.VOCABULARY) else []
    return root.fingerprint([*corpus.files(root), *vocabulary])


# Which field made a phase new?

_INHERITED = {
    "parent": "its parent changed",
    "backbone": "its backbone changed",
    "tuned_by": "the phase that tunes it changed",
    "narrowed_by": "the search at the smallest size changed",
}
_SAME_NAME = ("ladder", "quantization", "attention", "adapter")


def changes(old: Identity, new: Identity) -> list[str]:
    """What differs, in the words of the spec: own fields first, then what was inherited. Empty when nothing does."""
    before, after = _flat(old), _flat(new)
    differing = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    own = [name for name in differing if name not in _INHERITED]
    kind = str(new.get("kind", ""))
    said = [_difference(_spec_path(name, kind), before.get(name), after.get(name)) for name in own]
    return said + [text for name, text in _INHERITED.items() if name in differing]


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {path: value}
    flat: dict[str, Any] = {}
    for name, item in value.items():
        flat.update(_flat(item, f"{path}.{name}".lstrip(".")))
    return flat


def _spec_path(name: str, kind: str) -> str:
    """Where in the spec (or outside it) the reader can find this identity field."""
    first, _, rest = name.partition(".")
    if first == "versions":
        return f"version of task {rest}"
    if first == "data":
        return f"data of {rest}" if rest else "pretraining text"
    if first != "config":
        return name
    if rest.split(".")[0] in _SAME_NAME:
        return rest
    if kind == "import":
        return f"model file {rest.removeprefix('files.')}"
    if rest.startswith("size."):
        return f"ladder.{rest.removeprefix('size.')}"
    if kind == "pretrain":
        return f"pretrain.{rest}" if rest in ("seed", "steps") else f"ladder.pretrain.{rest}"
    if rest == "seed":
        return "seeds"
    return f"arms.{rest}" if rest.startswith("tasks.") else rest if rest == "cells" else f"training.{rest}"


def _difference(name: str, before: Any, after: Any) -> str:
    if name == "cells":
        old, new = ({_cell(cell) for cell in side or ()} for side in (before, after))
        moved = [f"+{cell}" for cell in sorted(new - old)] + [f"-{cell}" for cell in sorted(old - new)]
        return "cells " + " ".join(moved[:3]) + (f" and {len(moved) - 3} more" if len(moved) > 3 else "")
    return f"{name} {_show(before)} -> {_show(after)}"


def _cell(cell: Any) -> str:
    return ".".join(str(cell.get(part)) for part in ("task", "language", "split")) if isinstance(cell, dict) else "?"


def _show(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{16,}", value):
        return value[:8]
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=True)
    return text.strip('"') if len(text) <= 40 else text[:37] + "..."

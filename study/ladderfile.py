"""How does a ladder of the user's own become part of a study? As a YAML file that the study names.

    ladder: my/ladder.yaml          # in the study; looked for beside it, then below the working directory

    title: Two encoders             # the file; its name, without .yaml, is the ladder's
    family: encoder
    attention: bidirectional
    sizes:
      s: {hidden: 384, layers: 6, heads: 6, intermediate: 1536, vocabulary: 64000, positions: 512,
          model_type: xlm-roberta, model: {path: /models/small}}
      m: {hidden: 768, layers: 12, heads: 12, intermediate: 3072, vocabulary: 64000, positions: 512,
          model_type: xlm-roberta, model: {repo: someone/medium}}

The spec holds the whole ladder from then on, and so does what is kept of it in the study's folder: there the ladder is
found again when the file is gone.
"""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from study.explain import allowed, lines, show
from study.store import Store
from study.yamlfile import read_yaml
from trainables import storage
from trainables.errors import SpecError
from trainables.models.ladders import Ladder, Model, Pretraining, Rung, ladder


def family_of(value: dict[str, Any], source: str, folder: Path | None) -> tuple[Ladder, bool]:
    """The ladder that the plain data of a study names, and whether it is the user's own.

    Raises `SpecError`, one line per problem, starting with the file at fault.
    """
    name, own = value["ladder"], value.get("own_ladder")
    if own is not None:
        if not isinstance(own, dict):
            raise SpecError(f"{source}: own_ladder: found {show(own)}, allowed: a mapping")
        return _parsed({**own, "name": name}, f"{source}: own_ladder"), True
    if not name.endswith((".yaml", ".yml")):
        try:
            return ladder(name), False
        except SpecError as error:
            raise SpecError(f"{source}: {error}") from error
    path = next((path for path in (*([folder / name] if folder else []), Path(name)) if path.is_file()), None)
    if path is not None:
        return _read(path), True
    kept = _kept(value, Path(name).stem)
    if kept is None:
        beside = f" beside it in {folder}" if folder else ""
        raise SpecError(f"{source}: ladder: {name!r:.80} is no file{beside} or below the working directory")
    value["sizes"] = value.get("sizes") or kept["sizes"]
    return _parsed(kept["own_ladder"], f"{source}: ladder"), True


def _read(path: Path) -> Ladder:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror or error}") from error
    value = read_yaml(text, str(path), "title: My ladder")
    for rung in _mappings(value.get("sizes")):
        model = rung.get("model")
        place = model.get("path") if isinstance(model, dict) else None
        if isinstance(model, dict) and isinstance(place, str) and "://" not in place:
            rung["model"] = {**model, "path": str((path.parent / place).absolute())}
    return _parsed({**value, "name": path.stem}, str(path))


def _kept(value: dict[str, Any], stem: str) -> dict[str, Any] | None:
    """What the study's folder keeps of its last run, if that was on a ladder file of this name."""
    place = storage.join(str(value.get("storage") or "runs"), str(value.get("name", "")))
    last = Store(place).spec()
    return last if last.get("ladder") == stem and isinstance(last.get("own_ladder"), dict) else None


def _parsed(value: dict[str, Any], source: str) -> Ladder:
    try:
        return Ladder.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise SpecError(lines(source, [_line(one) for one in error.errors(include_url=False)])) from error


def _line(error: Any) -> str:
    where = [str(part) for part in error["loc"]]
    path = ".".join(where).removesuffix(".[key]")
    if error["type"] == "missing":
        return f"{path}: missing; every {_kind(where[:-1])} needs it"
    if error["type"] == "extra_forbidden":
        fields = list(_fields(where[:-1]))
        near = get_close_matches(where[-1], fields, n=1)
        hint = f"did you mean {'.'.join([*where[:-1], near[0]])}?" if near else f"allowed here: {', '.join(fields)}"
        return f"{path[:80]}: unknown key; {hint}"
    if isinstance(error["input"], dict):
        return f"{path or 'ladder'}: wanted: {allowed(error)}"
    return f"{path}: found {show(error['input'])}, allowed: {allowed(error)}"


def _fields(where: list[str]) -> Any:
    """Names that may stand at a place of a ladder file."""
    if where[:1] == ["pretrain"]:
        return Pretraining.model_fields
    if where[:1] == ["sizes"]:
        return Model.model_fields if where[2:] else Rung.model_fields
    return [name for name in Ladder.model_fields if name != "name"]


def _kind(where: list[str]) -> str:
    return {0: "ladder", 1: "recipe", 2: "size", 3: "model"}.get(len(where), "entry")


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [one for one in value.values() if isinstance(one, dict)] if isinstance(value, dict) else []

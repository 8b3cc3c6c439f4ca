"""How does a YAML file become a study, and what does it say when it cannot?

    spec = load("lab")                                     # a shipped study, by name
    spec = load("my/study.yaml", smoke=True, changes={"storage": "/tmp/runs"})

A file may have a `smoke:` block: changes that make a small, quick variant; `--smoke` merges it over the rest.
Every problem is one line `<file>: <path>: found <value>, allowed: <what is>`.
"""

from __future__ import annotations

import json
from copy import deepcopy
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from study import passwords
from study.explain import allowed, lines, show
from study.ladderfile import family_of
from study.spec import Arm, StudySpec, problems
from study.yamlfile import read_yaml
from trainables.errors import SpecError

_OF_LADDER = ("sizes", "attention")
"""Without a ladder these are missing, too, but that is not what the user has to mend."""


def shipped() -> list[str]:
    """Names of the studies that come with the project."""
    folder = files("study") / "studies"
    return sorted(entry.name[: -len(".yaml")] for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load(name: str, *, smoke: bool = False, changes: dict[str, Any] | None = None) -> StudySpec:
    """Read a study from a path or by its shipped name. Raises `SpecError`, one line per problem.

    `changes` (nested like the file) come last: they are what the command line said.
    """
    source, text = _find(name)
    value = read_yaml(text, source)
    small = value.pop("smoke", None)
    if small is not None and not isinstance(small, dict):
        raise SpecError(f"{source}: smoke: found {show(small)}, allowed: a mapping of changes")
    folder = Path(name).parent if Path(name).is_file() else None
    spec = parse(merge(value, changes or {}), source, folder)
    if small is None:
        if smoke:
            raise SpecError(f"{source}: has no `smoke:` block; add one, or leave out --smoke")
        return spec
    quick = parse(merge(merge(value, small), changes or {}), f"{source}: with smoke", folder)
    return quick if smoke else spec


def parse(value: dict[str, Any], source: str = "study", folder: Path | None = None) -> StudySpec:
    """Validate plain data as a study. Raises `SpecError`; `source` starts every line of it. A ladder file of the
    user's own is looked for below `folder` and the working directory."""
    value = complete(value, source, folder)
    try:
        spec = StudySpec.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        shown = [one for one in error.errors(include_url=False) if "ladder" in value or one["loc"][0] not in _OF_LADDER]
        raise SpecError(lines(source, [_explain(one) for one in shown])) from error
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{source}: holds a value that cannot be read ({str(error).splitlines()[0]})") from error
    found = [*problems(spec), *passwords.found(spec.model_dump(mode="json"))]
    if found:
        raise SpecError(lines(source, found))
    return spec


def complete(value: dict[str, Any], source: str, folder: Path | None = None) -> dict[str, Any]:
    """Write out what is short or left to the ladder: a ladder file, sizes, attention, arms given as tasks."""
    value = deepcopy(value)
    if isinstance(value.get("ladder"), str):
        family, own = family_of(value, source, folder)
        value["ladder"] = family.name
        if own:
            value["own_ladder"] = family.model_dump(mode="json")
        if value.get("sizes") is None:
            value["sizes"] = list(family.sizes)
        if value.get("attention") is None:
            value["attention"] = family.attention
    if isinstance(value.get("arms"), dict):
        value["arms"] = {name: _arm(arm) for name, arm in value["arms"].items()}
    training = value.get("training")
    if isinstance(training, dict) and type(training.get("max_length")) is int:
        training["max_length"] = {"default": training["max_length"]}
    return value


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it: mappings are merged, everything else is replaced."""
    merged = dict(base)
    for key, value in changes.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def schema() -> dict[str, Any]:
    """JSON schema of a study file, for editors: with the short forms, and the `smoke` block."""
    result = StudySpec.model_json_schema()
    result["required"] = ["name", "ladder"]
    arm = next(iter(result["properties"]["arms"]["patternProperties"].values()))
    names = [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
    arm["anyOf"] += names
    for block, field in (("Arm", "tasks"), ("TextMix", "files")):
        long = result["$defs"][block]["properties"].pop(field)
        result["$defs"][block]["properties"][field] = {
            "anyOf": [long, *names],
            "description": long.get("description", ""),
        }
    lengths = result["$defs"]["Training"]["properties"]["max_length"]
    result["$defs"]["Training"]["properties"]["max_length"] = {"anyOf": [lengths, {"type": "integer"}]}
    result["properties"]["smoke"] = {
        "type": "object",
        "description": "Changes that make a small, quick variant of this study; merged over the rest by --smoke.",
        "properties": {name: field for name, field in result["properties"].items()},
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **result}


def _find(name: str) -> tuple[str, bytes]:
    """(name for messages, content) of a study file or a shipped study."""
    path = Path(name)
    bare = name.removeprefix("studies/").removesuffix(".yaml")
    try:
        if path.is_file():
            return name, path.read_bytes()
        if path.is_dir():
            raise SpecError(f"{name}: is a folder; give the YAML file inside it")
        if bare in shipped():
            return f"{bare}.yaml", (files("study") / "studies" / f"{bare}.yaml").read_bytes()
    except (OSError, ValueError) as error:
        raise SpecError(f"{name[:80]!r}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    near = get_close_matches(bare, shipped(), n=1)
    hint = f"did you mean {near[0]}?" if near else f"shipped studies: {', '.join(shipped())}"
    raise SpecError(f"{name[:80]!r}: no such file and no shipped study; {hint}")


def _arm(value: Any) -> Any:
    """A task, a list of tasks, or a mapping whose `tasks` may be either and whose file patterns may be single."""
    if not isinstance(value, dict):
        tasks = _tasks(value)
        return value if tasks is value else {"tasks": tasks}
    arm = {**value, "tasks": _tasks(value["tasks"])} if "tasks" in value else dict(value)
    if isinstance(arm.get("files"), dict):
        arm["files"] = {task: _listed(patterns) for task, patterns in arm["files"].items()}
    if isinstance(arm.get("text"), dict) and "files" in arm["text"]:
        arm["text"] = {**arm["text"], "files": _listed(arm["text"]["files"])}
    return arm


def _tasks(value: Any) -> Any:
    if isinstance(value, str):
        return {value: 1.0}
    if isinstance(value, list) and value and all(isinstance(task, str) for task in value):
        return {task: float(value.count(task)) for task in value}
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _explain(error: Any) -> str:
    """One line for one pydantic error."""
    path = ".".join(str(part) for part in error["loc"]).removesuffix(".[key]")
    if error["type"] == "extra_forbidden":
        return _unknown_key(error["loc"])
    if error["type"] == "missing":
        return f"{path}: missing; every study needs it"
    return f"{path}: found {show(error['input'])}, allowed: {allowed(error)}"


def _unknown_key(location: tuple[Any, ...]) -> str:
    """Name the nearest valid key: beside the unknown one if there is a similar one, else anywhere in a study."""
    *parents, key = [str(part) for part in location]
    here = ".".join(parents)
    siblings = list(_model_at(parents).model_fields) + ([] if parents else ["smoke"])
    beside = get_close_matches(key, siblings, n=1)
    everywhere = {path.rsplit(".", 1)[-1]: path for path in reversed(_paths(StudySpec))}
    elsewhere = get_close_matches(key, list(everywhere), n=1, cutoff=0.75)
    if key in everywhere and not beside:
        nearest = everywhere[key]
    elif beside:
        nearest = f"{here}.{beside[0]}".lstrip(".")
    elif elsewhere:
        nearest = everywhere[elsewhere[0]]
    else:
        return f"{'.'.join([*parents, key[:60]])}: unknown key; allowed here: {', '.join(siblings)}"
    return f"{'.'.join([*parents, key[:60]])}: unknown key; did you mean {nearest}?"


def _paths(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Dotted paths of every field, from the top down."""
    found = []
    for name, field in model.model_fields.items():
        found.append(prefix + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += _paths(field.annotation, f"{prefix}{name}.")
    return found


def _model_at(parents: list[str]) -> type[BaseModel]:
    """The model whose keys stand below this path."""
    model: type[BaseModel] = StudySpec
    if parents and parents[0] == "arms":
        model, parents = Arm, parents[2:]
    for name in parents:
        annotation = model.model_fields[name].annotation
        options = [annotation, *get_args(annotation)]
        model = next(option for option in options if isinstance(option, type) and issubclass(option, BaseModel))
    return model

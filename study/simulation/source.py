"""Where does a simulated study come from? From a file that plants it, or from a study's own spec.

A planted file is YAML with the fields of `Planted`. It may name a study, whose sizes, arms, targets, languages and
seeds then need not be written out, and change what it likes:

    study: my/study.yaml
    arms: {siqa: {gain: {level: 3, slope: 1}}}
    noise: {seed: 1.5}

Of a study alone every arm gains `USUAL`, and noise is as `planted.Noise` has it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from study import specfile
from study.amounts import UNKNOWN_EXAMPLES, published
from study.explain import allowed, lines, show
from study.report.facts import published as published_languages
from study.shapes import size_of
from study.simulation.planted import Planted
from study.spec import NONE, Arm, StudySpec
from study.yamlfile import read_yaml
from trainables.data.root import Root
from trainables.errors import SpecError
from trainables.lab import LANGUAGES
from trainables.models.shape import parameters
from trainables.tasks import TASKS
from trainables.tasks.base import Task

USUAL = {"level": 2.0, "slope": 0.5}
"""Gain that every arm of a spec is given, so that its simulated report has something to show."""


@dataclass(frozen=True)
class Source:
    """What is to be simulated."""

    name: str
    value: dict[str, Any]
    """What a planted file says, `study` apart."""
    spec: StudySpec | None
    """The study that it is made of, if any."""

    def planted(self, root: str | None = None) -> Planted:
        """The study to draw. Raises `SpecError`, one line per problem.

        `root`: folder with the data of the study, whose languages and test examples are counted; without it the
        published numbers count.
        """
        if self.spec is None:
            return parse(self.value, self.name)
        design = of_spec(self.spec, root)
        self._check_names(design)
        return parse(specfile.merge(design, self.value), self.name)

    def _check_names(self, design: dict[str, Any]) -> None:
        """Raises `SpecError` for an arm or a target that the study has not, unless the file says all of it."""
        for block, needed in (("arms", "tasks"), ("targets", "languages")):
            given = self.value.get(block)
            for name, one in given.items() if isinstance(given, dict) else ():
                if name not in design[block] and isinstance(one, dict) and needed not in one:
                    known = ", ".join(design[block])
                    raise SpecError(
                        f"{self.name}: {block}.{name}: the study has no such {block[:-1]}, found {name!r}, known: "
                        f"{known}; correct the name, or give a new one its `{needed}`"
                    )


def read(name: str, smoke: bool = False, changes: dict[str, Any] | None = None) -> Source:
    """Read a planted file or a study (by path or shipped name). Raises `SpecError`, one line per problem."""
    value = _planted_file(name)
    study = name if value is None else value.pop("study", None)
    if study is None:
        return Source(name, value or {}, None)
    return Source(name, value or {}, specfile.load(str(study), smoke=smoke, changes=changes))


def _planted_file(name: str) -> dict[str, Any] | None:
    """The content of a planted file; None for a study's: that has a ladder, or is shipped."""
    path = Path(name)
    if not path.is_file():
        return None
    value = read_yaml(path.read_bytes(), name)
    return None if "ladder" in value else value


def parse(value: dict[str, Any], source: str) -> Planted:
    """Validate plain data. Raises `SpecError`; `source` starts every line of it."""
    try:
        return Planted.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise SpecError(lines(source, [_explain(one) for one in error.errors(include_url=False)])) from error


def _explain(error: Any) -> str:
    path = ".".join(map(str, error["loc"])) or "the study"
    if error["type"] == "extra_forbidden":
        return f"{path}: unknown key; the fields of a planted study are {', '.join(Planted.model_fields)}"
    if error["type"] == "missing":
        return f"{path}: missing; give it, or `study:` with a study that says it"
    if error["type"] == "value_error":
        return f"{path}: allowed: {allowed(error)}"
    return f"{path}: found {show(error['input'])}, allowed: {allowed(error)}"


def of_spec(spec: StudySpec, root: str | None = None) -> dict[str, Any]:
    """The design of a study as plain data for `Planted`, with the usual gains."""
    family = spec.family()
    data = Root(root) if root else None
    sizes = {size: parameters(size_of(family, size).architecture) for size in spec.sizes}
    targets = {name: _target(spec, TASKS[name], data) for name in spec.targets}
    codes = sorted({code for target in targets.values() for code in target["languages"]})
    return {
        "name": spec.name,
        "sizes": dict(sorted(sizes.items(), key=lambda item: item[1])),
        "languages": _languages(spec, codes),
        "targets": targets,
        "arms": {name: _arm(arm) for name, arm in sorted(spec.arms.items(), key=lambda item: item[0] != NONE)},
        "seeds": list(spec.seeds),
        "costs": {"trials": spec.search.trials, "transfer": spec.search.transfer},
        "resamples": spec.report.bootstrap,
    }


def _target(spec: StudySpec, task: Task, root: Root | None) -> dict[str, Any]:
    if spec.data.source == "lab":
        codes = [profile.code for profile in LANGUAGES if profile.code != "en" or not task.direct]
    else:
        codes = list(task.benchmark)
    found = task.languages(root) if root else []
    codes = [code for code in codes if code in found] or codes
    # Languages of a task differ little in their number of examples; one of them stands for all.
    probe = next((code for code in codes if code != "en"), codes[0])
    if root and probe in found:
        examples = len(task.read(root, "test", probe))
    else:
        examples = published(task, "test", probe) or UNKNOWN_EXAMPLES
    direct = task.direct or task.name in spec.direct
    return {"languages": codes, "examples": examples, "parallel": task.parallel, "direct": direct}


def _languages(spec: StudySpec, codes: list[str]) -> dict[str, dict[str, Any]]:
    if spec.data.source == "lab":
        known = {profile.code: profile for profile in LANGUAGES}
        return {
            code: {"distance": known[code].distance, "family": known[code].family, "script": known[code].script}
            for code in codes
        }
    table, seen = published_languages(), spec.family().languages
    return {
        code: {
            "distance": table[code].distance,
            "family": table[code].family,
            "script": table[code].script,
            "seen": not seen or code in seen,
        }
        for code in codes
    }


def _arm(arm: Arm | None) -> dict[str, Any] | None:
    if arm is None:
        return None
    text = {"languages": sorted(arm.text.languages), "everywhere": 1.0} if arm.text else None
    return {"tasks": sorted(arm.tasks), "gain": USUAL, "text": text}

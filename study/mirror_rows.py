"""What does MLflow show of a study? Rows made from records alone: trials, cells, adapters, scaling curves.

Pure functions: records in, rows out. `study.tracking` writes the rows; a row's digest says whether it is
already there.

    rows = trial_rows(about(record), record.trials) + cell_rows(record, records)
    rows[0].name, rows[0].tags["size"]      # "target-xcopa-s-1a2b/trial-0", "s"
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from statistics import fmean
from typing import Any

from study.records import Record, Trial
from trainables.results import LanguageScore

PARAM_LENGTH = 500
PARAM_COUNT = 100
"""What one MLflow batch takes."""

Records = Mapping[str, Record]


@dataclass(frozen=True)
class Point:
    """One metric value; `step` is optimiser steps, or the number of parameters on a scaling curve."""

    key: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class File:
    """One artifact of a run: its name there, where it lies, and its sha256."""

    name: str
    path: str
    sha256: str


@dataclass(frozen=True)
class Row:
    """One MLflow run. Times are milliseconds since 1970, None where the record does not know them."""

    id: str
    name: str
    tags: dict[str, str]
    params: dict[str, str]
    points: tuple[Point, ...]
    document: str = ""
    """Text of the run's `record.json`."""
    failed: bool = False
    start: int | None = None
    end: int | None = None
    model: str | None = None
    """Key of the phase whose adapter the metrics describe."""
    files: tuple[File, ...] = ()
    """Further artifacts; a table (csv) is logged in MLflow's own form too."""

    @cached_property
    def digest(self) -> str:
        """Fingerprint of what the run shows; the times and the document do not count."""
        points = [[point.key, point.value, point.step] for point in self.points]
        shown = [self.id, self.name, self.tags, self.params, points, self.failed, self.model]
        return _fingerprint([*shown, *([file.name, file.sha256] for file in self.files)])


@dataclass(frozen=True)
class Adapter:
    """One MLflow LoggedModel: the winner's adapter of a tuning phase."""

    id: str
    name: str
    source: str
    """Id of the run row it came from."""
    tags: dict[str, str]
    params: dict[str, str]
    points: tuple[Point, ...]
    folder: str
    """Relative to the study's folder."""
    bytes: int
    document: str

    @cached_property
    def digest(self) -> str:
        return _fingerprint([self.id, self.tags, self.params, [[p.key, p.value, p.step] for p in self.points]])


@dataclass(frozen=True)
class About:
    """What a phase is: known from its record, or from the plan while it still runs."""

    study: str
    key: str
    kind: str
    size: str
    parameters: int | None
    arm: str | None
    task: str | None
    seed: int | None
    lineage: tuple[str, ...]
    identity: dict[str, Any]

    def tags(self, kind: str, **more: Any) -> dict[str, str]:
        """Tags every run is found by; what does not apply is left out."""
        found = {
            "study": self.study,
            "key": self.key,
            "phase": self.kind,
            "size": self.size,
            "params": self.parameters,
            "arm": self.arm,
            "task": self.task,
            "seed": self.seed,
            "lineage": " > ".join(self.lineage),
            "kind": kind,
            **more,
        }
        return {name: str(value)[:5000] for name, value in found.items() if value is not None and value != ""}


def about(record: Record) -> About:
    return About(
        study=record.study,
        key=record.key,
        kind=record.kind,
        size=record.size,
        parameters=record.parameters,
        arm=record.arm,
        task=record.task,
        seed=record.seed,
        lineage=record.lineage,
        identity=record.identity,
    )


def trial_rows(phase: About, trials: Iterable[Trial], record: Record | None = None) -> list[Row]:
    """One row per finished trial; without the phase's record the start of an untimed trial is unknown."""
    return [_trial_row(phase, trial, record) for trial in trials]


def _trial_row(phase: About, trial: Trial, record: Record | None) -> Row:
    values = {
        "dev_score": trial.score,
        "first_loss": trial.first_loss,
        "last_loss": trial.last_loss,
        "seconds": trial.seconds,
        "wall_seconds": trial.wall_seconds,
        "tokens": trial.tokens,
        "flops": trial.flops,
    }
    end = milliseconds(trial.finished or (record.finished if record else ""))
    document = {"phase": phase.tags("trial"), "identity": phase.identity, "trial": json.loads(trial.model_dump_json())}
    return Row(
        id=f"{phase.key}/trial-{trial.number}",
        name=f"{phase.key}/trial-{trial.number}",
        tags=phase.tags("trial", status=trial.status, note=trial.note),
        params=params({**phase.identity, "learning_rate": trial.learning_rate}),
        points=(*points(values, trial.steps), *(p for step, loss in trial.curve for p in points({"loss": loss}, step))),
        document=json.dumps(document, indent=1, default=str),
        failed=trial.status == "failed",
        start=end - round(trial.wall_seconds * 1000) if end else None,
        end=end,
    )


def cell_rows(record: Record, records: Records) -> list[Row]:
    """One row per task that an evaluation scored on its test split: a (size, arm, target, seed) cell."""
    if record.kind != "evaluation":
        return []
    return [_cell_row(record, task, scores, records) for task, scores in test_scores(record).items()]


def test_scores(record: Record) -> dict[str, list[LanguageScore]]:
    """{task: its scores, one per language} on the test split."""
    tasks: dict[str, list[LanguageScore]] = {}
    for score in record.scores:
        if score.split == "test":
            tasks.setdefault(score.task, []).append(score)
    return tasks


def cell_name(record: Record, task: str) -> tuple[str, str, str, str]:
    """(size, arm, target, seed); the bare backbone belongs to arm `none` and is shared by all seeds."""
    return record.size, record.arm or "none", task, "shared" if record.seed is None else str(record.seed)


def _cell_row(record: Record, task: str, scores: Sequence[LanguageScore], records: Records) -> Row:
    size, arm, target, seed = cell_name(record, task)
    chain = [
        records[key] for key in record.lineage if key in records and records[key].kind in ("intermediate", "target")
    ]
    values: dict[str, float | None] = {
        "score": fmean(score.score for score in scores),
        "retention": _retention(record, records),
        "seconds": record.cost.seconds,
        "flops": record.cost.flops,
        "training_seconds": sum(phase.cost.seconds for phase in chain),
        "training_flops": sum(phase.cost.flops for phase in chain),
    }
    values[task] = values["score"]  # under the task's name too: an adapter may be scored on several tasks
    values |= {f"{task}/{score.language}": score.score for score in scores}
    for name in sorted({name for score in scores for name in score.baselines}):
        values[f"baseline/{name}"] = fmean(score.baselines[name] for score in scores if name in score.baselines)
    return Row(
        id=f"{record.key}/{task}",
        name=f"cell {size} {arm} {target} {seed}",
        tags=about(record).tags("cell", arm=arm, task=target, seed=seed, languages=len(scores)),
        params=params(record.identity),
        points=points(values),
        document=record.model_dump_json(indent=1),
        start=milliseconds(record.started),
        end=milliseconds(record.finished),
        model=record.parent,
    )


def _retention(record: Record, records: Records) -> float | None:
    """Intermediate tasks' dev score after the target phase over before it (mean over tasks), None if not measured."""
    target = records.get(record.parent or "")
    if target is None or target.kind != "target" or target.parent is None:
        return None
    before = [other for other in records.values() if other.kind == "evaluation" and other.parent == target.parent]
    if not before:
        return None
    earlier = {score.task: score.score for score in before[0].scores if score.split == "dev"}
    ratios = [
        score.score / earlier[score.task]
        for score in record.scores
        if score.split == "dev" and earlier.get(score.task, 0.0) > 0
    ]
    return fmean(ratios) if ratios else None


def adapter(record: Record, root: str) -> Adapter | None:
    """The winner's adapter of a tuning phase; None for phases without one. `root` is the study's folder."""
    if record.kind not in ("intermediate", "target") or record.winner is None or record.checkpoint is None:
        return None
    checkpoint, winner = record.checkpoint, record.winner
    steps = max((trial.steps for trial in record.trials if trial.number == winner.trial), default=0)
    listing = "".join(f"{sha}  {name}\n" for name, sha in sorted(checkpoint.files.items()))
    return Adapter(
        id=record.key,
        name=re.sub(r"[/:.%\"']", "-", record.key),
        source=f"{record.key}/trial-{winner.trial}",
        tags=about(record).tags(
            "adapter",
            uri=f"{root.rstrip('/')}/{checkpoint.path}",
            sha256=hashlib.sha256(listing.encode()).hexdigest(),
            bytes=checkpoint.bytes,
            policy=record.policy,
        ),
        params=params({**record.identity, "learning_rate": winner.learning_rate}),
        points=points({"dev_score": winner.score}, steps),
        folder=checkpoint.path,
        bytes=checkpoint.bytes,
        document=record.model_dump_json(indent=1),
    )


def points(values: Mapping[str, float | None], step: int = 0) -> tuple[Point, ...]:
    """Finite values only: MLflow's databases and charts disagree about NaN and infinity."""
    return tuple(
        Point(_key(name), float(value), step)
        for name, value in values.items()
        if value is not None and math.isfinite(value)
    )


def params(identity: Mapping[str, Any]) -> dict[str, str]:
    """Identity fields with dotted names, at most 500 characters each; a longer value ends in its fingerprint."""
    flat: dict[str, str] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, Mapping) and value:
            for name in sorted(value, key=str):
                walk(f"{prefix}.{name}" if prefix else str(name), value[name])
            return
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
        if len(text) > PARAM_LENGTH:
            text = f"{text[: PARAM_LENGTH - 20]}... {_fingerprint(text)}"
        flat[_key(prefix)] = text

    walk("", dict(identity))
    return dict(sorted(flat.items())[:PARAM_COUNT])


def milliseconds(moment: str) -> int | None:
    """ISO 8601 to milliseconds since 1970; None when the text is empty."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000) if moment else None


def _key(name: str) -> str:
    """A name MLflow accepts."""
    return re.sub(r"[^\w\-. /]", "_", name)[:250]


def _fingerprint(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]

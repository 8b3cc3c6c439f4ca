"""How does a study go to the leaderboard? Per (size, arm, seed): the official folders, checked, and a card.

    for one in export(store, spec, root, "runs/lab/export", seed=0):
        print(one.folder, one.overall.score, one.missing)

Files are written task by task, so that only one test set is in memory; the card is written last.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import pandas as pd

from study import verified
from study.analysis.benchmark import Average
from study.analysis.design import design as read_design
from study.analysis.frame import Design
from study.export import card as cards
from study.export import check as checks
from study.export import markdown
from study.export.gather import Scored, Submission, submissions
from study.export.layout import FORMATS, Gold, gold, write_labels, write_predictions
from study.report.load import latest
from study.store import Store
from trainables import storage
from trainables.data.root import Root
from trainables.errors import CheckpointError, DataError, StudyError
from trainables.tasks.benchmark import XTREME_R

TOLERANCE = 1e-9
"""Points by which a score may differ from the one recomputed from the files."""


@dataclass(frozen=True)
class Exported:
    """One submission on disk."""

    name: str
    folder: str
    tasks: tuple[str, ...]
    overall: Average
    missing: tuple[str, ...]
    """One line for each task that is not there, or not in all its languages."""

    @property
    def score(self) -> float | None:
        """The overall score; None unless every task of the benchmark is there."""
        return None if isnan(self.overall.score) else self.overall.score


def export(
    store: Store,
    spec: dict[str, Any],
    root: Root,
    to: str,
    size: str | None = None,
    arm: str | None = None,
    seed: int | None = None,
) -> list[Exported]:
    """Write every submission of a study (a dumped `StudySpec`) into `to`, or those of one size, arm or seed.

    Raises `SpecError` for a size, arm or seed that the study lacks, `StudyError` when nothing has been scored,
    `CheckpointError` when a record's files do not hold, and `DataError` when the examples below the root are not those
    that were scored, or the files do not give the study's scores again.
    """
    records = latest(store.records(), store.spec().get("phases", ()))
    design = read_design(spec, records)
    chosen = submissions(records, design, size, arm, seed)
    if not chosen:
        asked = {"size": size, "arm": arm, "seed": seed}
        which = "".join(f", {name} {value}" for name, value in asked.items() if value is not None)
        raise StudyError(f"{store.path}{which}: nothing to export, no target has been scored yet; run the study first")
    for record in {scored.record.key: scored.record for one in chosen for scored in one.targets.values()}.values():
        found, reason = store.check(record.key)
        if found is None:
            raise CheckpointError(f"{record.key}: {reason}; run the study again, which scores it anew")
    labels = storage.join(to, "labels")
    for one in chosen:
        storage.remove(_folder(to, one))
    for task in design.targets:
        if task in FORMATS:
            _write_task(store, root, task, chosen, to, labels)
    return [_finish(store, root, design, one, to, labels) for one in chosen]


def _folder(to: str, submission: Submission) -> str:
    return storage.join(to, submission.name)


def _predictions(to: str, submission: Submission) -> str:
    return storage.join(_folder(to, submission), "predictions")


def _write_task(store: Store, root: Root, task: str, chosen: Sequence[Submission], to: str, labels: str) -> None:
    """The files of one task of all submissions, a language at a time."""
    for language in sorted({code for one in chosen if task in one.targets for code in one.targets[task].languages}):
        test = gold(root, task, language)
        write_labels(labels, test)
        for one in chosen:
            scored = one.targets.get(task)
            if scored and language in scored.languages:
                write_predictions(_predictions(to, one), test, _texts(store, scored, test, root))


def _texts(store: Store, scored: Scored, test: Gold, root: Root) -> list[str]:
    """The stored predictions, after a look that they are of these examples."""
    file = f"{test.task}.{test.language}.test.parquet"
    path = store.join("phases", scored.record.key, "predictions", file)
    try:
        content = verified.read(path, scored.record.predictions)
        table = pd.read_parquet(io.BytesIO(content), columns=["id", "prediction"])
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path}: predictions cannot be read; remove the phase's folder and run again") from error
    scored_ids, ids = table["id"].astype(str).tolist(), [str(example.id) for example in test.examples]
    if scored_ids != ids:
        differing = [f"{old!r} was {new!r}" for new, old in zip(scored_ids, ids, strict=False) if old != new]
        how = differing[0] if differing else f"{len(ids)} examples were {len(scored_ids)}"
        where = f"{test.task} in {test.language}: the examples below {root.path} are not those that were scored"
        raise DataError(f"{where} ({how}); give the --data-root of the run")
    return [str(text) for text in table["prediction"]]


def _finish(store: Store, root: Root, design: Design, submission: Submission, to: str, labels: str) -> Exported:
    """Check the files of a submission and write its card."""
    folder = _folder(to, submission)
    found = checks.check(_predictions(to, submission), labels)
    _compare(submission, found)
    missing = _missing(design, submission, found)
    made = cards.make(submission, store, root, missing)
    storage.write_bytes(storage.join(folder, "card.md"), markdown.render(made).encode())
    storage.write_json(storage.join(folder, "card.json"), made)
    return Exported(submission.name, folder, tuple(found.scores), found.scorecard.overall, tuple(missing))


def _compare(submission: Submission, found: checks.Checked) -> None:
    """Raises `DataError` unless the files give the study's own scores."""
    for task, by_language in found.scores.items():
        for code, points in by_language.items():
            own = submission.targets[task].languages[code].score
            if abs(own - points) > TOLERANCE:
                where = f"{submission.name}: {task} in {code}"
                raise DataError(
                    f"{where}: the files give {points:.6f}, the study scored {own:.6f}: the labels below the data root "
                    "are not those of the run; give its --data-root"
                )


def _missing(design: Design, submission: Submission, found: checks.Checked) -> list[str]:
    """One line per target that is not there or not whole, and one for the benchmark's tasks that are no targets."""
    told = [f"{task}: not scored yet; run the study" for task in design.targets if task not in submission.targets]
    told += [f"{task}: no official form to write it in" for task in submission.targets if task not in FORMATS]
    told += found.problems
    told += [line for task, scored in submission.targets.items() for line in _replaced(task, scored)]
    others = [task for task in XTREME_R if task not in design.targets]
    return told + ([f"no overall score: {', '.join(others)} not among the study's targets"] if others else [])


def _replaced(task: str, scored: Scored) -> list[str]:
    """What was scored, or trained on, in place of the task's own data."""
    told = []
    for detail, what in (("stand_in", "test set"), ("train_stand_in", "training set")):
        found = {code: one.details[detail] for code, one in scored.languages.items() if one.details.get(detail)}
        if found:
            first = min(found)
            told.append(f"{task}: not its own {what} in {' '.join(sorted(found))}, such as {first}: {found[first]}")
    return told

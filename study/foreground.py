"""How do I step through one phase with a debugger? Run it in this very process, without Ray.

    foreground(spec, store, row, learning_rate=3e-3, echo=print)

The code, the seeds and therefore the losses are those of a run under Ray. It writes below <study>/foreground/ and
never a record, so it can neither spoil nor finish a study.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from study.plan import Phase, Row, data_root
from study.spec import StudySpec
from study.store import Store
from study.work import Job, doubting, tuned_rate
from trainables import storage
from trainables.config import EvaluationConfig, ImportConfig, PretrainConfig
from trainables.errors import SpecError, StudyError
from trainables.results import Outcome

Echo = Callable[[str], None]


def check_options(chosen: list[Row], only: str | None, foreground: bool, lr: float | None) -> None:
    """Raises `SpecError` unless the options name one phase and, if it is tuned, a learning rate."""
    if not foreground:
        raise SpecError("--lr: only with --foreground; a run searches the learning rate by itself")
    if only is None or len(chosen) != 1:
        names = ", ".join(row.phase.slug for row in chosen[:3])
        raise SpecError(
            f"--foreground: needs --only with the name of one phase, this matches {len(chosen)} ({names}, ...)"
        )
    tuned = chosen[0].phase.kind in ("intermediate", "target")
    if tuned and lr is None and chosen[0].phase.tuned_by is not None:
        return  # it takes the learning rate that was found on the first seed
    if tuned and (lr is None or not 0 < lr < 10):
        raise SpecError(f"--lr: found {lr}, {chosen[0].phase.slug} needs a learning rate like 3e-3")
    if not tuned and lr is not None:
        raise SpecError(f"--lr: {chosen[0].phase.slug} has no learning rate to choose; leave it out")


def foreground(spec: StudySpec, store: Store, row: Row, learning_rate: float | None, echo: Echo) -> None:
    """Train or score one phase here, from its beginning, and print every step.

    Raises `StudyError` when a phase it builds on has no record, or a tuning phase has no learning rate.
    """
    phase = row.phase
    for need in {phase.backbone, phase.parent} - {phase.key, None}:
        if need and store.record(need) is None:
            raise StudyError(f"{phase.slug}: needs {need}, which has no record; study run {spec.name} --only {need}")
    root = data_root(spec, store)
    job = Job(phase, spec, store.path, root if "://" in root else os.path.abspath(root))
    folder = store.join("foreground", phase.key)
    storage.remove(folder)
    with doubting(job):
        _run(job, folder, learning_rate, echo)
    echo(f"{phase.slug}: files in {folder}; no record was written")


def _run(job: Job, folder: str, learning_rate: float | None, echo: Echo) -> None:
    places, runtime, config = job.places(folder), job.runtime(), job.phase.config

    def report(event: dict[str, Any]) -> None:
        echo("  ".join(f"{name} {_short(value)}" for name, value in event.items()))

    if isinstance(config, PretrainConfig):
        from trainables.pretrain import pretrain

        echo(_end(pretrain(config, places, runtime, report)))
    elif isinstance(config, ImportConfig):
        from trainables.models.published import bring_in

        done = bring_in(config, job.model_folder(), places, report)
        echo(f"{done.parameters:,} parameters  snapshot sha256 {done.snapshot[:12]}  {done.seconds:.1f} s")
    elif isinstance(config, EvaluationConfig):
        from trainables.evaluate import evaluate

        for score in evaluate(config, places, runtime, report):
            echo(f"{score.task}.{score.language}.{score.split}  {score.score:.2f}  ({score.examples} examples)")
    else:
        from trainables.phase import train

        rate = learning_rate if learning_rate is not None else _recorded_rate(job)
        echo(f"learning rate {rate:g}")
        echo(_end(train(config, rate, places, runtime, report)))


def _recorded_rate(job: Job) -> float:
    phase: Phase = job.phase
    if phase.tuned_by is None:
        raise StudyError(f"{phase.slug}: searches its learning rate; give one with --lr, e.g. --lr 3e-3")
    return tuned_rate(job)


def _short(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _end(outcome: Outcome) -> str:
    dev = "" if outcome.score is None else f"  dev {outcome.score:.2f}"
    note = f"  ({outcome.note})" if outcome.note else ""
    return f"{outcome.status}  first loss {outcome.first_loss:.6f}  last loss {outcome.last_loss:.6f}{dev}{note}"

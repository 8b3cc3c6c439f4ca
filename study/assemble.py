"""What goes into a phase's record? Its identity, its lineage, all it cost and what came out.

One function per kind of phase; each returns a `Record` and writes nothing.
"""

from __future__ import annotations

import platform
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from study.records import Cost, Record, Search, Trial, Winner
from study.spec import StudySpec
from study.store import Store
from study.verified import hashed
from trainables.errors import CheckpointError
from trainables.models.published import Imported
from trainables.results import LanguageScore, Outcome

if TYPE_CHECKING:
    from study.plan import Phase

LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "ray", "optuna")


def pretrain_record(phase: Phase, spec: StudySpec, store: Store, outcome: Outcome, started: str) -> Record:
    cost = Cost(
        seconds=outcome.seconds,
        wall_seconds=_since(started),
        tokens=outcome.tokens,
        flops=outcome.flops,
        winner_flops=outcome.flops,
        winner_seconds=outcome.seconds,
        peak_memory_mb=outcome.peak_memory_mb,
    )
    facts = {**outcome.facts, "first_loss": outcome.first_loss, "last_loss": outcome.last_loss, "curve": outcome.curve}
    kept = hashed(store.path, f"phases/{phase.key}/checkpoint")
    return _record(phase, spec, store, outcome.parameters, cost, started, facts=facts, checkpoint=kept)


def import_record(phase: Phase, spec: StudySpec, store: Store, done: Imported, started: str) -> Record:
    """The record of an import; its checkpoint says where the model's files are and what they contain."""
    cost = Cost(seconds=done.seconds, wall_seconds=max(done.seconds, _since(started)))
    kept = hashed(store.path, f"phases/{phase.key}/checkpoint")
    facts = {"snapshot_sha256": done.snapshot}
    return _record(phase, spec, store, done.parameters, cost, started, facts=facts, checkpoint=kept)


def tuning_record(
    phase: Phase,
    spec: StudySpec,
    store: Store,
    trials: Sequence[Trial],
    search: Search | None,
    winner: Trial,
    outcome: Outcome,
    started: str,
) -> Record:
    """The record of a phase that was tuned; its published checkpoint is hashed here. `outcome` is the winner's."""
    cost = Cost(
        seconds=sum(trial.seconds for trial in trials),
        wall_seconds=sum(trial.wall_seconds for trial in trials),
        tokens=sum(trial.tokens for trial in trials),
        flops=sum(trial.flops for trial in trials),
        winner_flops=winner.flops,
        winner_seconds=winner.seconds,
        peak_memory_mb=outcome.peak_memory_mb,
    )
    return _record(
        phase,
        spec,
        store,
        outcome.parameters,
        cost,
        started,
        winner=Winner(trial=winner.number, learning_rate=winner.learning_rate, score=winner.score),
        search=search,
        trials=tuple(trials),
        facts=outcome.facts,
        checkpoint=hashed(store.path, f"phases/{phase.key}/checkpoint"),
    )


def evaluation_record(
    phase: Phase, spec: StudySpec, store: Store, scores: Sequence[LanguageScore], wall: float, started: str
) -> Record:
    """The record of a scoring."""
    parameters = recorded(store, phase.backbone).parameters
    tokens = sum(score.tokens for score in scores)
    seconds = sum(score.seconds for score in scores)
    cost = Cost(
        seconds=seconds, wall_seconds=max(wall, seconds), tokens=tokens, flops=sum(score.flops for score in scores)
    )
    kept = hashed(store.path, f"phases/{phase.key}/predictions")
    return _record(phase, spec, store, parameters, cost, started, scores=tuple(scores), predictions=kept)


def recorded(store: Store, key: str) -> Record:
    """The record of a phase this one builds on. Raises `CheckpointError` when it is gone."""
    record = store.record(key, verify=False)
    if record is None:
        raise CheckpointError(f"{key}: its record is gone; run the study again, which makes it anew")
    return record


def _record(
    phase: Phase, spec: StudySpec, store: Store, parameters: int, cost: Cost, started: str, **rest: Any
) -> Record:
    above = phase.parent or phase.backbone
    before = recorded(store, above).lineage if above != phase.key else ()
    return Record(
        key=phase.key,
        kind=phase.kind,
        study=spec.name,
        ladder=spec.ladder,
        size=phase.size,
        parameters=parameters,
        arm=phase.arm,
        task=phase.task,
        seed=phase.seed,
        identity=phase.identity,
        parent=phase.parent,
        tuned_by=phase.tuned_by,
        cost=cost,
        lineage=(*before, phase.key),
        versions=versions(),
        host=socket.gethostname(),
        started=started,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        **rest,
    )


def _since(started: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds()


@cache
def versions() -> dict[str, str]:
    """Of Python and the libraries that a result depends on; absent ones are left out.

    Looked up once for a process: it takes more processor time than all else of a record.
    """
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found

"""Small phases, jobs and hosts for tests of the driver: everything real but the training."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from study.plan import Phase
from study.records import Cost, Record, Winner
from study.spec import StudySpec
from study.store import Store
from study.work import Job
from trainables.config import Adapter, Architecture, Places, PretrainConfig, Runtime, Size, TuneConfig
from trainables.results import Outcome, Report
from trainables.rungs import scored

SIZE = Size(name="xs", family="decoder", architecture=Architecture(hidden=16, layers=2, heads=2, intermediate=48))


def spec(**changes: Any) -> StudySpec:
    values: dict[str, Any] = {"name": "tiny", "ladder": "lab", "sizes": ["xs"], "attention": "causal", **changes}
    return StudySpec.model_validate(values)


def tune_config(evaluations: int = 1) -> TuneConfig:
    return TuneConfig(
        kind="target", ladder="lab", size=SIZE, quantization="none", attention="causal", adapter=Adapter(),
        tasks={"xcopa": 1.0}, steps=10, batch_size=4, max_length={"xcopa": 16}, warmup=0.0, weight_decay=0.0,
        head_learning_rate_scale=1.0, clip=1.0, evaluations=evaluations, seed=0,
    )  # fmt: skip


def pretrain_phase() -> Phase:
    config = PretrainConfig(
        ladder="lab", size=SIZE, tokenizer="words", vocabulary=10, steps=10, batch_size=4,
        learning_rate=1e-3, matrix_learning_rate=1e-3, max_length=16, seed=0,
    )  # fmt: skip
    return Phase("pretrain-xs", "pretrain", "xs", None, None, None, config, {}, parent=None, backbone="pretrain-xs")


def target_phase(seed: int = 0, tuned_by: str | None = None, evaluations: int = 1) -> Phase:
    config = tune_config(evaluations)
    return Phase(f"target-xs-s{seed}", "target", "xs", "none", "xcopa", seed, config, {}, None, "pretrain-xs", tuned_by)


def record(phase: Phase, learning_rate: float | None = None) -> Record:
    winner = None if learning_rate is None else Winner(trial=0, learning_rate=learning_rate, score=50.0)
    return Record(
        key=phase.key, kind=phase.kind, study="tiny", ladder="lab", size="xs", parameters=1000, arm=phase.arm,
        task=phase.task, seed=phase.seed, identity={}, parent=phase.parent, tuned_by=phase.tuned_by, cost=Cost(),
        winner=winner, lineage=(phase.key,), versions={}, host="here", started="2026-01-01T00:00:00+00:00",
        finished="2026-01-01T00:00:01+00:00",
    )  # fmt: skip


def job(folder: Path, phase: Phase, **changes: Any) -> Job:
    """A job whose backbone is already recorded."""
    store = Store(folder / "study")
    store.write_record(record(pretrain_phase()))
    return Job(phase, spec(**changes), store.path, str(folder / "data"))


def bowl(centre: float, diverges_above: float = math.inf) -> Callable[..., Outcome]:
    """A host that does not train: its score falls with the distance from the best learning rate.

    It leaves a checkpoint as training does, and a line in <data root>.calls for every trial. Before the end twice the
    best rate leads; where the report says so it stops.
    """

    def host(config: TuneConfig, rate: float, places: Places, runtime: Runtime, report: Report) -> Outcome:
        with open(f"{places.root}.calls", "a") as calls:
            calls.write(f"{rate!r}\n")
        diverged = rate > diverges_above
        dev: list[tuple[int, float]] = []
        stopped = False
        for step in (10,) if diverged else scored(config.steps, config.evaluations):
            late = step == config.steps
            told: dict[str, Any] = {"step": step, "steps": config.steps, "loss": 1.0}
            if not diverged:
                dev.append((step, 90.0 - 30.0 * abs(math.log10(rate / (centre if late else 2 * centre)))))
                told["score"] = dev[-1][1]
            stopped = bool(report(told)) and not late
            if stopped:
                break
        status: Any = "diverged" if diverged else "pruned" if stopped else "finished"
        folder = Path(places.output) / "checkpoint"
        if status == "finished":
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "weights.json").write_text(json.dumps({"learning_rate": rate}))
        return Outcome(
            status=status, score=dev[-1][1] if status == "finished" else None, dev=tuple(dev), steps=step,
            tokens=64 * step, flops=1e5 * step, seconds=0.001 * step, first_loss=2.0,
            last_loss=math.nan if diverged else 1.0, curve=((step, 1.0),), peak_memory_mb=1.0, parameters=1000,
            checkpoint=str(folder) if status == "finished" else None, note="loss became nan" if diverged else "",
        )  # fmt: skip

    return host


def calls(one: Job) -> list[float]:
    """Learning rates tried by `bowl`, in order."""
    path = Path(f"{one.data_root}.calls")
    return [float(line) for line in path.read_text().splitlines()] if path.exists() else []

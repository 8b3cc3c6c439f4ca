"""How is a study walked without training? By worker processes in which the working functions do nothing, or sleep.

    with idle.workers(seconds=0.0):
        execute.run(spec, store, rows, echo=print)

`train`, `pretrain` and `evaluate` of `trainables` are put in the place of those that compute (see
`tests.benchmarks.hooked`); all else is real: tasks, searches, leases, logs, checkpoints, checksums and records. torch
is never imported.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from tests.benchmarks.hooked import hooked
from trainables import storage
from trainables.config import EvaluationConfig, Places, PretrainConfig, Runtime, TuneConfig
from trainables.results import LanguageScore, Outcome, Report

SECONDS = "IDLE_SECONDS"


@contextmanager
def workers(seconds: float) -> Iterator[None]:
    """Ray that is initialised inside has idle workers: a trial, a pretraining and a scoring take so long."""
    with hooked(f"{__name__}.replace", **{SECONDS: str(seconds)}):
        yield


def replace() -> None:
    """In a worker process: nothing computes from now on."""
    sys.modules.update(modules())


def modules() -> dict[str, ModuleType]:
    """{name: what stands there in place of the module that computes}"""
    found = {}
    for name, function in (("phase", train), ("pretrain", pretrain), ("evaluate", evaluate)):
        module = found[f"trainables.{name}"] = ModuleType(f"trainables.{name}")
        setattr(module, function.__name__, function)
    return found


def train(config: TuneConfig, learning_rate: float, places: Places, runtime: Runtime, report: Report) -> Outcome:
    """Its score is the learning rate, so that a search has a winner."""
    return _outcome(config.steps, 100.0 * min(1.0, learning_rate), places, report)


def pretrain(config: PretrainConfig, places: Places, runtime: Runtime, report: Report) -> Outcome:
    return _outcome(config.steps, None, places, report)


def evaluate(config: EvaluationConfig, places: Places, runtime: Runtime, report: Report) -> list[LanguageScore]:
    """As many files as a scoring leaves: one of predictions and one with the score, for each cell."""
    time.sleep(float(os.environ[SECONDS]))
    scores = []
    for cell in config.cells:
        name = f"{cell.task}.{cell.language}.{cell.split}"
        storage.write_bytes(storage.join(places.output, "predictions", f"{name}.parquet"), name.encode() * 200)
        score = LanguageScore(
            task=cell.task, language=cell.language, split=cell.split, score=50.0, examples=1, baselines={}, tokens=1,
            flops=1.0, details={}, seconds=float(os.environ[SECONDS]) / len(config.cells),
        )  # fmt: skip
        storage.write_json(storage.join(places.output, "scores", f"{name}.json"), score.model_dump())
        scores.append(score)
    report({"step": len(scores), "steps": len(scores)})
    return scores


def _outcome(steps: int, score: float | None, places: Places, report: Report) -> Outcome:
    seconds = float(os.environ[SECONDS])
    time.sleep(seconds)
    folder = storage.join(places.output, "checkpoint")
    with storage.publish(folder) as here, open(os.path.join(here, "weights"), "wb") as file:
        file.write(b"weights" * 10_000)
    report({"step": steps, "steps": steps, "loss": 1.0})
    return Outcome(
        status="finished", score=score, steps=steps, tokens=1, flops=1.0, seconds=seconds, first_loss=2.0,
        last_loss=1.0, curve=((steps, 1.0),), peak_memory_mb=1.0, checkpoint=folder, parameters=1,
    )  # fmt: skip

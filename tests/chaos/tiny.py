"""Units of work that take a fraction of a second, need no torch, and still tell a wrong step from a right one.

They stand where `trainables` has its pretraining, its training of a phase and its scoring. A unit makes its steps one
by one, each a link of a chain of sha256 from the unit's configuration (and its parent's result) to its own result: a
step left out, made twice or made from another state gives another result, and with it another score. Like the real
ones they write a state now and then, hear when they have to go, and go on from their last state.
CHAOS_DEATHS="KEY 2, OTHER 9" kills the process that makes the phases whose key begins so, in the middle, twice (and of
the other nine times): as the kernel does when the memory runs out. CHAOS_GATE=FILE makes no step before FILE is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from types import ModuleType
from typing import Any

from trainables import preemption, storage
from trainables.config import EvaluationConfig, Places, PretrainConfig, Runtime, TuneConfig
from trainables.errors import Halted, Preempted
from trainables.results import LanguageScore, Outcome, Report

STEP_SECONDS, STATE_STEPS = 0.01, 10
RESULT = "weights.json"


def install() -> None:
    """From now on this process works in tiny units."""
    for name, unit in {"pretrain": pretrain, "phase": train, "evaluate": evaluate}.items():
        module = ModuleType(f"trainables.{name}")
        setattr(module, unit.__name__, unit)
        sys.modules[module.__name__] = module


def pretrain(config: PretrainConfig, places: Places, runtime: Runtime, report: Report) -> Outcome:
    return _made(config.model_dump_json(), config.steps, None, places, report)


def train(config: TuneConfig, learning_rate: float, places: Places, runtime: Runtime, report: Report) -> Outcome:
    start = config.model_dump_json() + repr(learning_rate) + _result(places.parent or places.backbone)
    return _made(start, config.steps, learning_rate, places, report)


def evaluate(config: EvaluationConfig, places: Places, runtime: Runtime, report: Report) -> list[LanguageScore]:
    """Every cell's score is a number that only this checkpoint has."""
    scores, checkpoint = [], _result(places.parent or places.backbone)
    for number, cell in enumerate(config.cells):
        name = f"{cell.task}.{cell.language}.{cell.split}"
        found = _points(hashlib.sha256(f"{checkpoint} {name}".encode()).hexdigest())
        storage.write_json(storage.join(places.output, "predictions", f"{name}.json"), found)
        told: dict[str, Any] = {"task": cell.task, "language": cell.language, "split": cell.split}
        scores.append(
            LanguageScore(**told, score=found, examples=1, baselines={}, seconds=STEP_SECONDS, tokens=1, flops=1.0)
        )
        report({"step": number + 1, "steps": len(config.cells)})
    return scores


def _made(start: str, steps: int, rate: float | None, places: Places, report: Report) -> Outcome:
    state = storage.join(places.output, "resume", "state.json")
    try:
        done, link = storage.read_json(state)
    except FileNotFoundError:
        done, link = 0, hashlib.sha256(start.encode()).hexdigest()
    while (gate := os.environ.get("CHAOS_GATE")) and not os.path.exists(gate):
        time.sleep(STEP_SECONDS)
    with preemption.listening() as noticed:
        while done < steps:
            time.sleep(STEP_SECONDS)
            done, link = done + 1, hashlib.sha256(f"{link} {done}".encode()).hexdigest()
            report({"step": done, "steps": steps, "loss": 1.0})
            _die(places.output, done == steps // 2 + 1)
            if done % STATE_STEPS == 0 or noticed():
                storage.write_json(state, [done, link])
            if noticed() and done < steps:
                raise (Halted if preemption.for_good() else Preempted)(f"told to go after step {done} of {steps}")
    with storage.publish(storage.join(places.output, "checkpoint")) as folder, open(f"{folder}/{RESULT}", "w") as file:
        json.dump(link, file)
    storage.remove(storage.join(places.output, "resume"))
    return Outcome(
        status="finished", score=None if rate is None else _points(link), steps=steps, tokens=steps, flops=1.0 * steps,
        seconds=STEP_SECONDS * steps, first_loss=2.0, last_loss=1.0, curve=((steps, 1.0),), peak_memory_mb=1.0,
        checkpoint=storage.join(places.output, "checkpoint"), parameters=1000,
    )  # fmt: skip


def _die(output: str, now: bool) -> None:
    for death in os.environ.get("CHAOS_DEATHS", "none 0").split(", "):
        key, deaths = death.split()
        if now and f"/{key}" in output:
            died = storage.join(output, "died")
            before = len(storage.read_bytes(died)) if storage.exists(died) else 0
            if before < int(deaths):
                storage.write_bytes(died, b"x" * (before + 1))
                os.kill(os.getpid(), signal.SIGKILL)


def _result(checkpoint: str) -> str:
    return str(storage.read_json(storage.join(checkpoint, RESULT)))


def _points(link: str) -> float:
    """0 to 100, from a link of the chain."""
    return int(link[:8], 16) / 16**8 * 100

"""How long is it from the end of one trial to the first step of the next, in a process that stays warm?

    with stopwatch.workers(file):
        execute.run(spec, store, rows, echo=print)
    stopwatch.gaps(file)        # seconds, one for each trial that followed another of its search in its process

Every worker writes down when a trial was over (its checkpoint published) and how long its steps and dev scores took.
From the end of one to the end of the next, less the steps of the next, is all that was not training: the report to
Tune, Optuna's next suggestion, the way to the worker, data, network and optimiser, and the next one's checkpoint.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.benchmarks.hooked import hooked
from trainables import hosts
from trainables.config import Places, Runtime, TuneConfig
from trainables.results import Outcome, Report

FILE = "STOPWATCH_FILE"
_own = hosts.own


@contextmanager
def workers(file: Path) -> Iterator[None]:
    """Workers of a Ray that is initialised inside write a line for each trial into this file."""
    with hooked(f"{__name__}.listen", **{FILE: str(file)}):
        yield


def listen() -> None:
    """In a worker process: time what trains in it."""
    hosts.own = timed


def timed(config: TuneConfig, learning_rate: float, places: Places, runtime: Runtime, report: Report) -> Outcome:
    """`trainables.hosts.own`, with a line about it."""
    outcome = _own(config, learning_rate, places, runtime, report)
    line = {"process": os.getpid(), "end": time.time(), "seconds": outcome.seconds, "output": places.output}
    with open(os.environ[FILE], "a") as file:
        file.write(json.dumps(line) + "\n")
    return outcome


def gaps(file: Path) -> list[float]:
    """Seconds between trials that followed each other in one process and are of one search (of one folder)."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    by_process: dict[int, list[dict[str, Any]]] = {}
    for line in sorted(lines, key=lambda line: line["end"]):
        by_process.setdefault(line["process"], []).append(line)
    return [
        after["end"] - before["end"] - after["seconds"]
        for trials in by_process.values()
        for before, after in pairwise(trials)
        if os.path.dirname(before["output"]) == os.path.dirname(after["output"])
    ]

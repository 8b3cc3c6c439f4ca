"""Which part of a busy study's time is not training? Measured twice on a local Ray with all of its slots.

    python -m tests.benchmarks.overhead --out FILE              # about six minutes on an idle machine of two cores
    python -m tests.benchmarks.overhead --only sleeping         # hardly a processor: only what the driver and Ray add

`sleeping`: trials, pretrainings and scorings that sleep for ten seconds, in workers without torch. `training`: the lab
for real, with so many steps that a trial takes about ten seconds. Told are shares of the slots' time, (slots x wall -
sum) / (slots x wall), from the first phase's start to the last one's end:

* not in a phase: the sum is over what the driver says each phase took, from its lease to its record;
* not training: the sum is over steps, dev scores and scorings alone. Imports, loading, checkpoints, Tune and slots that
  had nothing to do at the end all count as lost.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Literal

import typer
import yaml

from study import execute, plan
from study.specfile import load
from study.store import Store
from tests.benchmarks import idle, stopwatch
from tests.benchmarks.figures import Figures, keep

SLEEP = 10.0
STUDY = {
    "ladder": "lab",
    "sizes": ["xs", "s"],
    "arms": {"none": None, "siqa": "siqa"},
    "targets": ["xcopa"],
    "search": {"trials": 4},
    "tracking": {"enabled": False},
}
STEPS = 600
TAKEN = re.compile(r"\] done .* (\d+\.\d) s$")


def main(
    out: Annotated[Path | None, typer.Option(help="Results file to put the figures into.")] = None,
    only: Annotated[str, typer.Option(help="sleeping or training; both unless given.")] = "",
    seeds: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """Run the small study both ways."""
    with tempfile.TemporaryDirectory() as folder:
        if only in ("", "sleeping"):
            keep(out, "overhead, sleeping", measured(Path(folder), "sleeping", seeds, SLEEP))
        if only in ("", "training"):
            keep(out, "overhead, training", measured(Path(folder), "training", seeds))


def measured(
    folder: Path, name: Literal["sleeping", "training"], seeds: int, sleep: float = 0.0, steps: int = STEPS
) -> Figures:
    """Run the study in a new folder below this one, and share out its wall time."""
    file = folder / f"{name}.yaml"
    settings = {
        "name": name,
        "storage": str(folder),
        "seeds": list(range(seeds)),
        "training": {"steps": {"default": steps}},
    }
    file.write_text(yaml.safe_dump({**STUDY, **settings}))
    spec = load(str(file))
    store, marks = Store(folder / name), folder / f"{name}.marks"
    rows, times, lines = plan.rows(spec, store), [], []

    def hear(line: str) -> None:
        times.append(time.perf_counter())
        lines.append(line)

    workers: AbstractContextManager[None] = idle.workers(sleep) if name == "sleeping" else stopwatch.workers(marks)
    called = time.perf_counter()
    with workers:
        assert execute.run(spec, store, rows, echo=hear) == 0
    wall = times[-1] - times[0]
    slots = _most_at_once(lines)
    in_phases = sum(float(found[1]) for line in lines if (found := TAKEN.search(line)))
    training = sum(record.cost.seconds for record in store.records())
    figures: Figures = {
        "phases": len(rows),
        "slots": slots,
        "training [s]": training,
        "wall [s]": wall,
        "not in a phase [share]": 1 - in_phases / (slots * wall),
        "not training [share]": 1 - training / (slots * wall),
        "start and end of Ray [s]": time.perf_counter() - called - wall,
    }
    return figures | (_between(stopwatch.gaps(marks)) if name == "training" else {})


def _most_at_once(lines: list[str]) -> int:
    running = most = 0
    for line in lines:
        running += ("] start " in line) - ("] done " in line)
        most = max(most, running)
    return most


def _between(gaps: list[float]) -> Figures:
    return {
        "warm trials": len(gaps),
        "from a trial's end to the next one's steps, median [s]": statistics.median(gaps),
        "from a trial's end to the next one's steps, greatest [s]": max(gaps),
    }


if __name__ == "__main__":
    typer.run(main)

"""A hundred kills in a few minutes: does a study of tiny units lose or repeat anything, with two drivers at once?

    python -m tests.chaos.short_rounds --rounds 100

Two processes walk one study, as drivers on two machines do: each takes what is ready and not taken. There is no Ray
(`tests.chaos.rounds` has it, and takes half a minute for a round): everything from the lease to the record is the
product's, the units of work are those of `tests.chaos.tiny`. A round kills one of the two, or both, or tells one to go,
and starts it again; a study that is whole is compared with one that nobody disturbed, and the next one begins.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Annotated

import typer
import yaml

from study import plan
from study.plan import Phase, data_root
from study.spec import StudySpec
from study.specfile import parse
from study.store import Store
from study.work import Job, Tuned, finished_trials, run_phase, run_trial
from tests.chaos import counted, tiny
from tests.chaos.driver import TINY, results, written

RATES = (1e-3, 3e-3)
PAUSE = 1.2
"""Longest time from one blow to the next, in seconds."""
BLOWS = {"one killed": (1, signal.SIGKILL), "both killed": (2, signal.SIGKILL), "one told to go": (1, signal.SIGTERM)}
GO = 75


@dataclass
class Short:
    """A study that is walked by two processes."""

    spec: StudySpec
    root: str
    store: Store
    phases: Sequence[Phase]
    steps: Path

    def start(self) -> BaseProcess:
        process = multiprocessing.get_context("fork").Process(target=self._walk)
        process.start()
        return process

    def _walk(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not what the process has that was forked
        os.environ["CHAOS_STEPS"] = str(self.steps)
        counted.install()
        while missing := [one for one in self.phases if not self.store.record(one.key, verify=False)]:
            for phase in missing:
                if all(self.store.record(key, verify=False) for key in phase.needs):
                    ended = run_phase(Job(phase, self.spec, self.store.path, self.root), _tune)
                    if ended.status in ("failed", "preempted"):
                        sys.exit(GO if ended.status == "preempted" else ended.line)
            time.sleep(0.02)


def _tune(job: Job) -> Tuned:
    rates = RATES if job.phase.tuned_by is None else RATES[:1]
    kept = {trial.number: trial for trial in finished_trials(job)}
    return Tuned([kept.get(n) or run_trial(job, n, rate, tiny.train) for n, rate in enumerate(rates)])


@dataclass
class Found:
    """What happened over all rounds."""

    blows: Counter[str] = field(default_factory=Counter)
    studies: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    again: int = 0
    steps: int = 0

    @property
    def faults(self) -> dict[str, list[str]]:
        return {
            "finished phases lost": self.lost,
            "finished phases run again": self.repeated,
            "studies with other final scores": self.different,
            "drivers that failed": self.failed,
        }

    def figures(self) -> dict[str, float]:
        counts = {what: len(found) for what, found in self.faults.items()}
        share = round(100 * self.again / self.steps, 1)
        made = {"steps made again": self.again, "steps made": self.steps, "wasted share %": share}
        return {"blows": self.blows.total(), "studies": self.studies, **counts, **made}


def rounds(folder: Path, count: int, chance: random.Random) -> Found:
    """So many blows against one study after the other. Call it in a process that may be forked."""
    tiny.install()
    spec, found = parse(yaml.safe_load(TINY)), Found()
    root = data_root(spec, Store(folder / "data"))

    def study(name: str) -> Short:
        store = Store(folder / name)
        return Short(spec, root, store, plan.build(spec, Store(folder / "data")), folder / f"{name}.steps")

    quiet = study("undisturbed")
    _end(quiet.start(), found)
    expected = results(quiet.store)
    assert len(expected) == len(quiet.phases) and counted.repeated(counted.lines(quiet.steps))[0] == 0
    while found.blows.total() < count:
        one = study(f"study{found.studies}")
        _strike(one, count, chance, found)
        if results(one.store) != expected:
            found.different.append(one.store.path)
        again, steps = counted.repeated(counted.lines(one.steps))
        found.studies, found.again, found.steps = found.studies + 1, found.again + again, found.steps + steps
    return found


def _strike(one: Short, count: int, chance: random.Random, found: Found) -> None:
    """From the start of a study to its end; blows while there are rounds left."""
    drivers = [one.start(), one.start()]
    while found.blows.total() < count and any(driver.is_alive() for driver in drivers):
        time.sleep(chance.uniform(0.05, PAUSE))
        before, kind = written(one.store), chance.choice(list(BLOWS))
        number, sign = BLOWS[kind]
        struck = [driver for driver in chance.sample(drivers, number) if driver.is_alive()]
        for driver in struck:
            os.kill(driver.pid or 0, sign)
        for driver in struck:
            _end(driver, found)
        found.blows[kind] += bool(struck)
        after = written(one.store)
        found.lost += [key for key in before if key not in after]
        found.repeated += [key for key in before if after.get(key, before[key]) != before[key]]
        drivers = [one.start() if driver in struck else driver for driver in drivers]
    for driver in drivers:
        _end(driver, found)


def _end(driver: BaseProcess, found: Found) -> None:
    driver.join(120)
    if driver.exitcode not in (0, GO, -signal.SIGKILL, -signal.SIGTERM):
        found.failed.append(f"exit {driver.exitcode}")


def main(
    rounds_: Annotated[int, typer.Option("--rounds", min=1, help="How often something is killed.")] = 100,
    seed: Annotated[int | None, typer.Option(help="Of the dice; printed, so that a round can be had again.")] = None,
) -> None:
    """Kill the drivers of a study of tiny units, and compare."""
    seed = random.randrange(10**6) if seed is None else seed
    folder, begun = Path(tempfile.mkdtemp(prefix="short-")), time.monotonic()
    found = rounds(folder, rounds_, random.Random(seed))
    print(f"seed {seed}, {time.monotonic() - begun:.0f} s, {dict(found.blows)}")
    print(json.dumps(found.figures(), indent=1))
    if any(found.faults.values()):
        sys.exit(f"{found.faults}\nkept for you to look at: {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    typer.run(main)

"""Does a study end with the same numbers however often and wherever it is killed? Rounds of it, with a count.

    python -m tests.chaos.rounds --rounds 20          # make chaos ROUNDS=20: real training, MLflow on
    python -m tests.chaos.rounds --rounds 100 --tiny  # units of work of half a second (`tests.chaos.tiny`)

A round starts (or goes on with) a small study and, at a random moment, kills the driver, ends it with a signal, kills
or ends one of its worker processes, kills its MLflow server, or calls `study stop`. A study that comes to its end is
compared with one that nobody disturbed, and the next one begins: by turns on a Ray of its own and on a cluster that
outlives it. Exits with 1 when anything was lost, repeated, different or left over.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated

import psutil
import typer

from clusters.own_head import running
from study.guard import exit_on_terminate
from tests.chaos.blows import BLOWS, ENDED
from tests.chaos.cluster import Cluster
from tests.chaos.counted import repeated
from tests.chaos.driver import (
    GONE_SECONDS,
    REPOSITORY,
    SPEED,
    STUDY,
    TINY,
    Run,
    command,
    results,
    still_running,
    written,
)

TRACKED = STUDY.replace("tracking: {enabled: false}", "tracking: {enabled: true}")
HEAD = ["--num-cpus=2", "--num-gpus=0", '--resources={"driver": 1}']


@dataclass
class Tally:
    """What happened over all rounds."""

    blows: Counter[str] = field(default_factory=Counter)
    studies: int = 0
    on_cluster: int = 0
    """Blows against studies on the cluster."""
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    tracked: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    recovery: list[float] = field(default_factory=list)
    """Seconds from the start of a driver to the first report of work, everything that takes to connect included."""
    again: int = 0
    steps: int = 0

    @property
    def struck(self) -> int:
        return sum(self.blows.values())

    @property
    def faults(self) -> dict[str, list[str]]:
        return {
            "finished phases lost": self.lost,
            "finished phases run again": self.repeated,
            "studies with other final scores": self.different,
            "processes left over": self.left,
            "placement groups left over": self.groups,
            "MLflow runs left RUNNING": self.tracked,
            "odd exits, tracebacks, failed phases": self.odd,
        }


@dataclass
class Rounds:
    """What does not change from round to round."""

    folder: Path
    study: str
    tiny: bool
    count: int
    pause: float
    """Longest time from the first work to a blow, in seconds."""
    chance: random.Random
    cluster: Cluster | None
    tally: Tally = field(default_factory=Tally)
    last: Run | None = None

    def to_the_end(self) -> None:
        quiet = self.start("undisturbed", {})
        if quiet.end() != 0:
            sys.exit(quiet.log.read_text())
        expected, steps = results(quiet.store), repeated(quiet.made())
        assert steps[0] == 0, "an undisturbed study makes every step once"
        tally = self.tally
        while tally.struck < self.count:
            name, cluster = f"study{tally.studies}", self.cluster if tally.studies % 2 else None
            while not self.round(name, cluster):
                print(f"{tally.struck} of {self.count}: {dict(tally.blows)}", flush=True)
            tally.studies += 1
            store = Run.stored(self.folder, name)
            tally.tracked += [f"{name}: {run}" for run in still_running(store)]
            if results(store) != expected:
                tally.different.append(name)
            elif not any(tally.faults.values()):
                shutil.rmtree(store.path)

    def start(self, name: str, env: Mapping[str, str]) -> Run:
        self.last = Run(self.folder, name, self.study, self.tiny, env)
        return self.last

    def round(self, name: str, cluster: Cluster | None) -> bool:
        """One start of the driver and, while there are rounds left, one blow; True when the study is whole."""
        tally = self.tally
        run = self.start(name, cluster.env if cluster else {})
        before, made = written(run.store), len(run.made())
        kind = self.chance.choice(list(BLOWS)) if tally.struck < self.count else ""
        started, until, family = time.monotonic(), None, []
        while run.process.poll() is None:
            now = time.monotonic()
            if until is None and len(run.made()) > made:
                tally.recovery.append(now - started)
                until = now + self.chance.uniform(0.1, self.pause)
            if kind and until and now >= until:
                family = run.family()
                workers = cluster.workers() if cluster else [one for one in family if command(one).startswith("ray::")]
                if not BLOWS[kind](run, workers, self.chance):
                    kind = "driver killed"
                    run.process.kill()
                tally.blows[kind] += 1
                tally.on_cluster += cluster is not None
                kind = ""
            time.sleep(0.05)
        self.look(name, run, before, family, cluster)
        return run.end() == 0

    def look(
        self, name: str, run: Run, before: dict[str, int], family: list[psutil.Process], cluster: Cluster | None
    ) -> None:
        """Count what is not as it should be after a driver has ended."""
        tally, code, said = self.tally, run.end(), run.log.read_text()
        if code not in ENDED or "Traceback" in said or "] failed" in said:
            tally.odd.append(f"{name}: exit {code}: {said[-500:]}")
        _, alive = psutil.wait_procs(family, timeout=GONE_SECONDS)
        tally.left += [f"{name}: {one.pid} {command(one)[:80]}" for one in alive]
        if cluster:
            tally.left += [f"{name}: {one}" for one in cluster.busy()]
            tally.groups += [f"{name}: {one}" for one in cluster.placement_groups()]
        after = written(run.store)
        tally.lost += [f"{name}: {key}" for key in before if key not in after]
        tally.repeated += [f"{name}: {key}" for key in before if after.get(key, before[key]) != before[key]]
        if code == 0:
            again, steps = repeated(run.made())
            tally.again, tally.steps = tally.again + again, tally.steps + steps


def main(
    rounds: Annotated[int, typer.Option(min=1, help="How often something is killed.")] = 20,
    tiny: Annotated[bool, typer.Option("--tiny", help="Tiny units of work instead of real training.")] = False,
    seed: Annotated[int | None, typer.Option(help="Of the dice; printed, so that a round can be had again.")] = None,
    cluster: Annotated[bool, typer.Option(help="Every other study on a cluster that outlives its drivers.")] = True,
    out: Annotated[Path | None, typer.Option(help="Also leave the figures there, as JSON.")] = None,
) -> None:
    """Kill a small study at random moments, and compare."""
    exit_on_terminate()
    seed = random.randrange(10**6) if seed is None else seed
    print(f"seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    begun = time.monotonic()
    with ExitStack() as stack:
        there = (
            Cluster(stack.enter_context(running(HEAD, SPEED | {"PYTHONPATH": str(REPOSITORY)}))) if cluster else None
        )
        study, pause = (TINY, 4.0) if tiny else (TRACKED, 12.0)
        all_of_it = Rounds(folder, study, tiny, rounds, pause, random.Random(seed), there)
        try:
            all_of_it.to_the_end()
        except (KeyboardInterrupt, SystemExit) as stop:
            print(f"stopped before the end: {stop}")
        finally:
            if all_of_it.last:
                all_of_it.last.process.terminate()
    tally = all_of_it.tally
    tell(tally, time.monotonic() - begun)
    if out:
        out.write_text(json.dumps(figures(tally), indent=1))
    if any(tally.faults.values()):
        sys.exit(f"kept for you to look at: {folder}")
    shutil.rmtree(folder)


def figures(tally: Tally) -> dict[str, float]:
    """What the rounds came to, as numbers."""
    return {
        "blows": tally.struck,
        "blows on a cluster": tally.on_cluster,
        "studies": tally.studies,
        **{what: len(found) for what, found in tally.faults.items()},
        "from a start to work, median s": round(median(tally.recovery or [0.0]), 1),
        "from a start to work, longest s": round(max(tally.recovery, default=0.0), 1),
        "steps made again": tally.again,
        "steps made": tally.steps,
        "wasted share %": round(100 * tally.again / max(1, tally.steps), 1),
    }


def tell(tally: Tally, seconds: float) -> None:
    print(f"\n{tally.struck} blows in {seconds / 60:.0f} min: {dict(tally.blows)}")
    for what, number in figures(tally).items():
        print(f"{what:40} {number}")
    for found in tally.faults.values():
        print(*found[:5], sep="\n")


if __name__ == "__main__":
    typer.run(main)

"""Does a study end with the same numbers however often and wherever it is killed? Rounds of it, with a count.

    python -m tests.chaos.rounds --rounds 20          # make chaos ROUNDS=20

A round starts (or goes on with) a small study and, at a random moment, kills the driver, ends it with a signal, kills
or ends one of its worker processes, or calls `study stop`. A study that comes to its end is compared with one that
nobody disturbed, and the next one begins. Exits with 1 when anything was lost, repeated or different.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import psutil
import typer

from tests.chaos.driver import GONE_SECONDS, Run, command, results

LONGEST_PAUSE = 12.0
ENDED = {0, 75, -signal.SIGKILL, 128 + signal.SIGINT, 128 + signal.SIGTERM}


@dataclass
class Tally:
    """What happened over all rounds."""

    actions: Counter[str] = field(default_factory=Counter)
    studies: int = 0
    lost: list[str] = field(default_factory=list)
    """Finished phases whose record was gone later."""
    repeated: list[str] = field(default_factory=list)
    """Finished phases that were run again."""
    different: list[str] = field(default_factory=list)
    """Studies whose results differ from those of the undisturbed one."""
    left: list[str] = field(default_factory=list)
    """Processes that outlived their driver."""
    odd: list[str] = field(default_factory=list)
    """Exit codes and tracebacks that nobody should see."""
    restarts: list[float] = field(default_factory=list)
    """Seconds from a start of the driver to its first phase at work."""

    @property
    def bad(self) -> bool:
        return bool(self.lost or self.repeated or self.different or self.left or self.odd)


def main(
    rounds: Annotated[int, typer.Option(min=1, help="How often something is killed.")] = 20,
    seed: Annotated[int | None, typer.Option(help="Of the dice; printed, so that a round can be had again.")] = None,
) -> None:
    """Kill a small study at random moments, and compare."""
    seed = random.randrange(10**6) if seed is None else seed
    chance, tally = random.Random(seed), Tally()
    print(f"seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    reference = Run(folder, "undisturbed")
    if reference.end() != 0:
        sys.exit(reference.log.read_text())
    expected = results(reference.store)
    while sum(tally.actions.values()) < rounds:
        name = f"study{tally.studies}"
        while not _round(folder, name, chance, tally, rounds):
            print(f"{sum(tally.actions.values())} of {rounds}: {dict(tally.actions)}", flush=True)
        tally.studies += 1
        if results(Run.stored(folder, name)) != expected:
            tally.different.append(name)
        else:
            shutil.rmtree(folder / name)
    _tell(tally)
    if tally.bad:
        sys.exit(f"kept for you to look at: {folder}")
    shutil.rmtree(folder)


def _round(folder: Path, name: str, chance: random.Random, tally: Tally, rounds: int) -> bool:
    """One start of the driver and, while there are rounds left, one blow; True when the study is whole."""
    run = Run(folder, name)
    before = {record.key: record.finished for record in run.store.records()}
    started, family = time.monotonic(), []
    until = started + chance.uniform(0.5, LONGEST_PAUSE)
    blow = chance.choice(list(BLOWS)) if sum(tally.actions.values()) < rounds else None
    at_work = None
    while run.process.poll() is None:
        if at_work is None and "] start" in run.log.read_text():
            at_work = time.monotonic() - started
            tally.restarts.append(at_work)
        if blow and at_work is not None and time.monotonic() >= until:
            family = run.family()
            BLOWS[blow](run, chance)
            tally.actions[blow] += 1
            blow = None
        time.sleep(0.05)
    code, said = run.end(), run.log.read_text()
    if code not in ENDED or "Traceback" in said:
        tally.odd.append(f"exit {code}: {said[-500:]}")
    _, alive = psutil.wait_procs(family, timeout=GONE_SECONDS)
    tally.left += [f"{one.pid} {command(one)[:80]}" for one in alive]
    after = {record.key: record.finished for record in run.store.records()}
    tally.lost += [f"{name}: {key}" for key in before if key not in after]
    tally.repeated += [f"{name}: {key}" for key in before if after.get(key, before[key]) != before[key]]
    return code == 0


def _kill(run: Run, _: random.Random) -> None:
    run.process.kill()


def _terminate(run: Run, _: random.Random) -> None:
    run.process.terminate()


def _interrupt(run: Run, _: random.Random) -> None:
    run.process.send_signal(signal.SIGINT)


def _worker(number: signal.Signals) -> Callable[[Run, random.Random], None]:
    def blow(run: Run, chance: random.Random) -> None:
        workers = [child for child in run.family() if command(child).startswith("ray::")]
        if workers:
            with suppress(psutil.NoSuchProcess):
                chance.choice(workers).send_signal(number)

    return blow


def _stop(run: Run, _: random.Random) -> None:
    spec, storage = run.store.path.rsplit("/", 2)[0] + "/chaos.yaml", run.store.path.rsplit("/", 1)[0]
    subprocess.run([sys.executable, "-m", "study", "stop", spec, "--storage", storage], check=True, capture_output=True)


BLOWS: dict[str, Callable[[Run, random.Random], None]] = {
    "driver killed": _kill,
    "driver terminated": _terminate,
    "driver interrupted": _interrupt,
    "worker killed": _worker(signal.SIGKILL),
    "worker terminated": _worker(signal.SIGTERM),
    "study stop": _stop,
}


def _tell(tally: Tally) -> None:
    print(f"\n{sum(tally.actions.values())} blows over {tally.studies} studies: {dict(tally.actions)}")
    rest = sorted(tally.restarts)
    print(f"from start to work: median {rest[len(rest) // 2]:.1f} s, longest {rest[-1]:.1f} s")
    for what in ("lost", "repeated", "different", "left", "odd"):
        found = getattr(tally, what)
        print(f"{what}: {len(found)}", *found[:5], sep="\n  " if found else "")


if __name__ == "__main__":
    typer.run(main)

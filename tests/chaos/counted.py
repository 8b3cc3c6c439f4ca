"""`study`, with a line for every report of its work: how often was a step of training made, and when did work begin?

    CHAOS_STEPS=FILE python -m tests.chaos.counted run spec.yaml --storage FOLDER

Everything is the product's but two things. Each report of a phase also appends a line to FILE, in whatever process it
is made (Ray calls `install` in every worker). With CHAOS_TINY the units of work are those of `tests.chaos.tiny`, with
CHAOS_NO_PAGE no report page is written. CHAOS_HOST and CHAOS_HOURS make a driver and its leases those of another
machine whose clock is so many hours ahead.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from study import cli, lease, work

HOOK = "tests.chaos.counted.install"


class Line(NamedTuple):
    """One report: a step of training (`loss`), or a scored cell."""

    key: str
    trial: str
    step: int
    trains: bool


def lines(file: Path) -> list[Line]:
    """All reports so far, in the order in which they were made."""
    parts = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
    return [Line(key, trial, int(step), trains == "loss") for key, trial, step, trains in parts]


def repeated(made: list[Line]) -> tuple[int, int]:
    """(steps of training that were made again, all that were made)."""
    steps = [line for line in made if line.trains]
    return len(steps) - len(set(steps)), len(steps)


def install() -> None:
    """In every process of the study: count, and take what the environment says in place of the real thing."""
    said = work.Progress.__call__

    def counting(report: work.Progress, event: dict[str, float]) -> None:
        kind = "loss" if "loss" in event else "cell"
        line = f"{report.key} {report.extra.get('trial', '-')} {int(event['step'])} {kind}\n"
        file = os.open(os.environ["CHAOS_STEPS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, line.encode())  # one call: lines of several processes do not mix
        os.close(file)
        said(report, event)

    work.Progress.__call__ = counting  # type: ignore[method-assign]
    if "CHAOS_HOURS" in os.environ:
        for module in (lease, work):
            module.time = _Clock(3600.0 * float(os.environ["CHAOS_HOURS"]))  # type: ignore[attr-defined]
        lease.socket = _Socket(os.environ["CHAOS_HOST"])  # type: ignore[assignment]
    if "CHAOS_NO_PAGE" in os.environ:
        report = ModuleType("study.report")
        report.write = lambda store, **_: {"page": ""}  # type: ignore[attr-defined]
        sys.modules["study.report"] = report
    if "CHAOS_TINY" in os.environ:
        from tests.chaos import tiny

        tiny.install()


class _Clock:
    """The time module of a machine whose clock is wrong."""

    def __init__(self, ahead: float) -> None:
        self._ahead = ahead

    def time(self) -> float:
        return time.time() + self._ahead

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class _Socket:
    """The socket module of another machine."""

    def __init__(self, host: str) -> None:
        self._host = host

    def gethostname(self) -> str:
        return self._host

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)


def main() -> None:
    import ray

    ours = {name: value for name, value in os.environ.items() if name.startswith("CHAOS_")}
    ray.init = partial(ray.init, runtime_env={"worker_process_setup_hook": HOOK, "env_vars": ours})
    install()
    cli.main()


if __name__ == "__main__":
    main()

"""What can happen to a study while it runs? One function for every blow of the chaos rounds."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

import psutil

from tests.chaos.driver import REPOSITORY, Run, command

ENDED = {0, 75, -signal.SIGKILL, 128 + signal.SIGINT, 128 + signal.SIGTERM}
"""How a driver may end: whole, stopped, killed, interrupted, terminated."""
Workers = list[psutil.Process]
Blow = Callable[[Run, Workers, random.Random], bool]
"""Given also the processes that work for the driver; False when there was nothing to strike at."""


def _kill(run: Run, *_: object) -> bool:
    run.process.kill()
    return True


def _terminate(run: Run, *_: object) -> bool:
    run.process.terminate()
    return True


def _interrupt(run: Run, *_: object) -> bool:
    run.process.send_signal(signal.SIGINT)
    return True


def _worker(number: signal.Signals) -> Blow:
    return lambda run, workers, chance: _send(number, workers, chance)


def _tracker(run: Run, _: Workers, chance: random.Random) -> bool:
    return _send(signal.SIGKILL, [child for child in run.family() if "mlflow server" in command(child)], chance)


def _send(number: signal.Signals, to: list[psutil.Process], chance: random.Random) -> bool:
    if not to:
        return False
    with suppress(psutil.NoSuchProcess):
        chance.choice(to).send_signal(number)
    return True


def _stop(run: Run, *_: object) -> bool:
    storage = run.store.path.rsplit("/", 1)[0]
    stop = [sys.executable, "-m", "study", "stop", str(run.spec), "--storage", storage]
    subprocess.run(stop, check=True, capture_output=True, cwd=REPOSITORY)
    return True


BLOWS: dict[str, Blow] = {
    "driver killed": _kill,
    "driver terminated": _terminate,
    "driver interrupted": _interrupt,
    "worker killed": _worker(signal.SIGKILL),
    "worker terminated": _worker(signal.SIGTERM),
    "MLflow killed": _tracker,
    "study stop": _stop,
}

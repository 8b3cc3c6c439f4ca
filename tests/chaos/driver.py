"""A driver in a process of its own, to be killed; and what of its study must be the same however often it was."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from study.records import Record
from study.store import Store

STUDY = """
name: chaos
ladder: lab
sizes: [xs]
arms: {none: null, siqa: siqa}
targets: [xcopa, tatoeba]
seeds: [0]
pretrain: {steps: 30}
training: {steps: {default: 15}, evaluations: 1}
search: {trials: 2}
compute: {checkpoint_seconds: 0.2}
tracking: {enabled: false}
report: {bootstrap: 20}
"""
GONE_SECONDS = 30.0
AGENTS = ("dashboard/agent.py", "runtime_env/agent/main.py", "ray::DashboardAgent", "ray::RuntimeEnvAgent")
"""Ray's node agents look for their dead head for up to a minute before they end; nothing else may stay that long."""


class Run:
    """`study run` in a process of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        spec = folder / "chaos.yaml"
        spec.write_text(STUDY)
        self.store = self.stored(folder, name)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        environment.pop("RAY_ADDRESS", None)
        self.log = folder / f"{name}-{time.monotonic_ns()}.txt"
        with open(self.log, "w") as log:
            command = [sys.executable, "-m", "study", "run", str(spec), "--storage", str(folder / name)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    @staticmethod
    def stored(folder: Path, name: str) -> Store:
        return Store(folder / name / "chaos")

    def wait_for_records(self, count: int) -> None:
        while len(self.store.records()) < count:
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def wait_for_work(self) -> None:
        """Until it has started a phase; a record alone may come from a worker of a driver that was killed before."""
        while "] start" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def family(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if not any(name in command(child) for name in AGENTS)]

    def end(self) -> int:
        return self.process.wait(timeout=240)


def command(process: psutil.Process) -> str:
    """Its command line; empty for one that has ended by itself."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def results(store: Store) -> dict[str, object]:
    """All that a report is made from and that does not depend on the clock."""
    return {record.key: _result(record) for record in store.records()}


def _result(record: Record) -> object:
    trials = [trial.model_dump(exclude={"seconds", "wall_seconds"}) for trial in record.trials]
    scores = [score.model_dump(exclude={"seconds"}) for score in record.scores]
    files = record.checkpoint.files if record.checkpoint else {}
    # Bit by bit, but for adapter_config.json, which names the folder of the base model.
    weights = {name: digest for name, digest in files.items() if name.endswith(".safetensors")}
    return record.winner, record.search, trials, scores, weights, record.lineage, record.identity

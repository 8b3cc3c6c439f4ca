"""A driver in a process of its own, to be killed; and what of its study must be the same however often it was."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psutil

from study.records import Record
from study.store import Store
from tests.chaos.counted import Line, lines
from tests.chaos.tiny import RESULT

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
TINY = """
name: chaos
ladder: lab
sizes: [xs]
arms: {none: null, siqa: siqa}
targets: [xcopa, tatoeba]
seeds: [0, 1, 2, 3, 4]
pretrain: {steps: 60}
training: {steps: {default: 40}, evaluations: 1}
search: {trials: 2}
tracking: {enabled: false}
"""
"""For the units of `tests.chaos.tiny`: 33 phases, three of them with a search."""
SPEED = {"RAY_worker_niceness": "0"}
"""Ray's workers are nicer than their driver; beside other work the rounds would wait for nothing but them."""
NO_PAGE = {"CHAOS_NO_PAGE": "1"}
"""For a study that is looked at by its records alone: its page would take longer than some of its phases."""
REPOSITORY = Path(__file__).parents[2]
GONE_SECONDS = 30.0
LONGEST_SECONDS = 900.0
"""A whole study takes a minute on two idle cores, and many on busy ones."""
AGENTS = ("dashboard/agent.py", "runtime_env/agent/main.py", "ray::DashboardAgent", "ray::RuntimeEnvAgent")
"""Ray's node agents look for their dead head for up to a minute before they end; nothing else may stay that long."""


class Run:
    """`study run` in a process of its own. Its reports are counted (`tests.chaos.counted`)."""

    def __init__(
        self, folder: Path, name: str, study: str = STUDY, tiny: bool = False, env: Mapping[str, str] | None = None
    ) -> None:
        spec = folder / "chaos.yaml"
        spec.write_text(study)
        self.spec = spec
        self.store = self.stored(folder, name)
        self.steps = folder / f"{name}.steps"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        environment |= SPEED | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY), "CHAOS_STEPS": str(self.steps)}
        environment |= ({"CHAOS_TINY": "1"} | NO_PAGE if tiny else {}) | dict(env or {})
        self.log = folder / f"{name}-{time.monotonic_ns()}.txt"
        with open(self.log, "w") as log:
            command = [sys.executable, "-m", "tests.chaos.counted", "run", str(spec), "--storage", str(folder / name)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)

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

    def made(self) -> list[Line]:
        """All reports of this study's work, those of drivers before this one included."""
        return lines(self.steps)

    def family(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if not any(name in command(child) for name in AGENTS)]

    def end(self) -> int:
        return self.process.wait(timeout=LONGEST_SECONDS)


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
    weights = {name: digest for name, digest in files.items() if name.endswith((".safetensors", RESULT))}
    return record.winner, record.search, trials, scores, weights, record.lineage, record.identity


def written(store: Store) -> dict[str, int]:
    """{finished phase: when its record was written}"""
    paths = Path(store.path, "phases").glob("*/record.json")
    return {path.parent.name: path.stat().st_mtime_ns for path in paths}


def still_running(store: Store) -> list[str]:
    """Runs in the study's own MLflow that nobody has closed."""
    path = Path(store.path, "mlflow", "mlflow.db")
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        query = "SELECT name FROM runs WHERE status = 'RUNNING' AND lifecycle_stage = 'active'"
        return [name for (name,) in database.execute(query)]

"""A study may be killed at any moment: run again, it repeats nothing that was finished and ends with equal scores."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

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
        self.store = Store(folder / name / "chaos")
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        environment.pop("RAY_ADDRESS", None)
        self.log = folder / f"{name}-{time.monotonic_ns()}.txt"
        with open(self.log, "w") as log:
            command = [sys.executable, "-m", "study", "run", str(spec), "--storage", str(folder / name)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

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
        return [child for child in children if not any(name in _command(child) for name in AGENTS)]

    def end(self) -> int:
        return self.process.wait(timeout=240)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""  # it has ended by itself


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


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_and_terminated_study_equals_an_undisturbed_one(tmp_path):
    undisturbed = Run(tmp_path, "undisturbed")
    assert undisturbed.end() == 0, undisturbed.log.read_text()
    expected = results(undisturbed.store)

    chance = random.Random()
    first, second = sorted(chance.sample(range(1, len(expected)), 2))
    pause = chance.uniform(0.0, 1.0)
    print(f"kill -9 after {first} records and {pause:.2f} s, SIGTERM after {second} records")

    killed = Run(tmp_path, "disturbed")
    killed.wait_for_records(first)
    time.sleep(pause)
    family = killed.family()
    killed.process.kill()
    assert killed.end() == -signal.SIGKILL
    before = {record.key: record.finished for record in killed.store.records()}
    assert len(before) >= first

    stopped = Run(tmp_path, "disturbed")
    stopped.wait_for_work()  # before that, SIGTERM finds an interpreter that is still importing
    stopped.wait_for_records(max(second, len(before) + 1))
    family += stopped.family()
    stopped.process.terminate()
    assert stopped.end() in (128 + signal.SIGTERM, 0), stopped.log.read_text()
    assert "Traceback" not in stopped.log.read_text()

    last = Run(tmp_path, "disturbed")
    assert last.end() == 0, last.log.read_text()
    after = {record.key: record.finished for record in last.store.records()}
    assert {key: after[key] for key in before} == before, "a finished phase was run again"
    assert results(last.store) == expected
    assert not any(last.store.failure(key) for key in after)
    _, alive = psutil.wait_procs(family, timeout=GONE_SECONDS)
    assert not alive, f"left behind by a stopped driver: {alive}"

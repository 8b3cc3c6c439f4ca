"""Are secrets nowhere but in the environment of those who need them? They are planted, used, and then looked for.

A study with a failing phase and MLflow runs as a job of a cluster, then on this machine. Meanwhile the command lines of
all processes are read; after that what Ray says of the job, and every file: store, logs, MLflow's database, Ray's own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from clusters.own_head import family
from study.store import Store
from tests.chaos.ray_head import REPOSITORY, Head, head

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SECRETS = {
    "HF_TOKEN": "hf_planted5e1d0c",
    "MLFLOW_TRACKING_PASSWORD": "planted-b71f42",
    "AWS_SECRET_ACCESS_KEY": "planted/9ac3e8+d",
}
TOKEN = "RAY_AUTH_TOKEN"
CLUSTER_TOKEN = "ab" * 32
SPEC = """
name: planted
ladder: lab
sizes: [xs]
arms: {none: null, bad: {tasks: siqa, files: {siqa: ROWS}}}
targets: [tatoeba]
seeds: [0]
pretrain: {steps: 10}
training: {steps: {default: 5}, evaluations: 1}
search: {trials: 1}
compute: {slots: 1}
report: {bootstrap: 20}
"""
FAILED = "1 failed"
COUNTERS = 44227
"""Ray's dashboard gives counters of itself to Prometheus there, on every address: numbers, no page, and no switch."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The project with a study whose intermediate phase fails on its rows, in a worker."""
    for name in ("study", "trainables", "clusters"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    (tmp_path / "rows.jsonl").write_text('{"context": 3}\n')
    (tmp_path / "planted.yaml").write_text(SPEC.replace("ROWS", str(tmp_path / "rows.jsonl")))
    return tmp_path


PAGES = ("mlflow", "dashboard/dashboard.py")
"""Who serves pages for people: MLflow, and Ray's dashboard."""


class Watch(threading.Thread):
    """Looks at a process and all below it again and again: command lines, and the addresses of pages for people."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.ended = pid, threading.Event()
        self.lines, self.listening = set[str](), set[tuple[str, str]]()

    def run(self) -> None:
        while not self.ended.wait(0.1):
            for process in family(self.pid):
                with suppress(psutil.Error):
                    line = " ".join(process.cmdline())
                    self.lines.add(line)
                    if any(name in line for name in PAGES):  # all sockets of all processes would take a whole core
                        self._see(line, process)

    def _see(self, line: str, process: psutil.Process) -> None:
        sockets = [one.laddr for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
        self.listening |= {(line, one.ip) for one in sockets if one.port != COUNTERS}

    def pages(self) -> set[str]:
        """Where they are served."""
        return {address for _, address in self.listening}


@contextmanager
def watched(pid: int) -> Iterator[Watch]:
    watching = Watch(pid)
    watching.start()
    try:
        yield watching
    finally:
        watching.ended.set()
        watching.join()


def holding(secrets: dict[str, str], *tops: Path) -> list[str]:
    """Files below the folders with a secret in them, in any of their bytes."""
    read = [path for top in tops for path in top.rglob("*") if path.is_file() and not path.is_symlink()]
    names = {path.name for path in read}
    assert {"record.json", "log.txt", "failure.json", "mlflow.db", "server.log", "index.html"} <= names
    assert any(path.suffix in (".log", ".out") and "session" in str(path) for path in read), "Ray's own logs"
    found = []
    for path in read:
        content = path.read_bytes()
        found += [f"{path}: {name}" for name, value in secrets.items() if value.encode() in content]
    return found


def inside(text: str, secrets: dict[str, str]) -> list[str]:
    return [name for name, value in secrets.items() if value in text]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Head]:
    """A head whose processes know the secrets."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with head() as one:
        yield one


def test_a_job_with_secrets_leaves_none_behind(cluster: Head, folder: Path) -> None:
    user = {name: value for name, value in cluster.env.items() if name not in SECRETS}
    token = {TOKEN: Path(cluster.env["RAY_AUTH_TOKEN_PATH"]).read_text()}
    words = [sys.executable, "-m", "study", "submit", str(folder / "planted.yaml")]
    words += ["--working-dir", str(folder), "--storage", str(folder / "runs"), "--python", sys.executable]
    for name in SECRETS:
        words += ["--secret", name]
    with watched(cluster.pid) as seen:
        done = subprocess.run(words, cwd=REPOSITORY, env=user, capture_output=True, text=True, timeout=500)
    assert done.returncode == 1 and FAILED in done.stdout, done.stderr
    assert any(" -m study run " in line for line in seen.lines) and any("mlflow" in line for line in seen.lines)
    assert any(line.startswith("ray::") for line in seen.lines), "workers"
    assert [line for line in seen.lines if inside(line, SECRETS | token)] == []
    assert any("dashboard/dashboard.py" in line for line, _ in seen.listening) and seen.pages() == {"127.0.0.1"}

    job = re.search(r"submitted: (\S+);", done.stderr)[1]
    listed = cluster.ray("job", "list").stdout
    assert job in listed and "runtime_env=" in listed and all(name in listed for name in SECRETS)
    said = done.stdout + done.stderr + listed + cluster.ray("job", "logs", job).stdout
    assert not inside(said, SECRETS | token)
    assert holding(SECRETS | token, folder / "runs", cluster.folder) == []


def test_a_run_on_this_machine_leaves_none_behind(folder: Path) -> None:
    secrets = SECRETS | {TOKEN: CLUSTER_TOKEN}
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as ray:  # short: a socket's path has 107 characters
        env = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        env |= {"RAY_TMPDIR": ray, **secrets}
        words = [sys.executable, "-m", "study", "run", str(folder / "planted.yaml"), "--storage", str(folder / "runs")]
        pipe = subprocess.PIPE
        process = subprocess.Popen(words, cwd=REPOSITORY, env=env, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        with watched(process.pid) as seen:
            said, _ = process.communicate(timeout=500)
        assert process.returncode == 1 and FAILED in said, said
        assert Store(folder / "runs" / "planted").records()
        assert any("gcs_server" in line for line in seen.lines) and any("mlflow" in line for line in seen.lines)
        assert not inside(said, secrets)
        assert [line for line in seen.lines if inside(line, secrets)] == []
        assert seen.pages() == {"127.0.0.1"}
        assert holding(secrets, folder / "runs", Path(ray)) == []

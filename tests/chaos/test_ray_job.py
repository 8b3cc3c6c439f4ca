"""The study as a Ray job, through the real command line: submitted, followed, stopped, submitted again."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.lease import clock, holder, stale
from study.store import Store
from tests.chaos.ray_head import Head, head

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STUDY = """
name: job
ladder: lab
sizes: [xs]
arms: {none: null, siqa: siqa}
targets: [xcopa, tatoeba]
seeds: [0]
pretrain: {steps: 60}
training: {steps: {default: 20, siqa: 120}, evaluations: 1}
search: {trials: 2}
compute: {checkpoint_seconds: 1}
tracking: {enabled: false}
report: {bootstrap: 20}
"""
PHASES = 8
RECORDS_SECONDS = 240.0
LARGEST_UPLOAD = 20 * 1024**2
"""Bytes. The code and its tests have 2 MB; the environment or a study's results would have hundreds."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Head]:
    with head() as one:
        yield one


def submit(cluster: Head, name: str, *arguments: str, wait: bool = True) -> tuple[int, str]:
    """`ray job submit` of `python -m study ...`; returns its exit code and what it printed."""
    options = ["--submission-id", name, "--working-dir", ".", *([] if wait else ["--no-wait"])]
    done = cluster.ray("job", "submit", *options, "--", sys.executable, "-m", "study", *arguments)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def failing(cluster: Head, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    """How the job of a study that does not exist has ended."""
    return submit(cluster, "failing", "run", "no-such-study", "--storage", str(tmp_path_factory.mktemp("failing")))


def status(cluster: Head, name: str) -> str:
    """PENDING, RUNNING, stopped, succeeded or failed, in the command line's own spelling."""
    said = cluster.ray("job", "status", name).stdout
    found = re.search(r"Status for job '\S+': (\w+)|Job '\S+' (?:was )?(stopped|succeeded|failed)", said)
    assert found, said
    return found[1] or found[2]


def wait_for_records(cluster: Head, name: str, store: Store, count: int) -> None:
    deadline = time.monotonic() + RECORDS_SECONDS
    while len(store.records()) < count:
        assert time.monotonic() < deadline, cluster.ray("job", "logs", name).stdout
        time.sleep(0.1)


def files(folder: str, pattern: str) -> dict[str, int]:
    """Path -> time of its last change."""
    return {str(path): path.stat().st_mtime_ns for path in Path(folder).rglob(pattern)}


def test_a_job_is_followed_stopped_and_resumed(cluster, tmp_path):
    spec, storage = tmp_path / "job.yaml", tmp_path / "runs"
    spec.write_text(STUDY)
    store = Store(storage / "job")
    command = ("run", str(spec), "--storage", str(storage))

    code, said = submit(cluster, "first", *command, wait=False)
    assert code == 0, said
    assert status(cluster, "first") in ("PENDING", "RUNNING")
    wait_for_records(cluster, "first", store, 1)
    assert "done    pretrain-xs-" in cluster.ray("job", "logs", "first").stdout
    wait_for_records(cluster, "first", store, 2)
    assert cluster.ray("job", "stop", "first").returncode == 0
    assert status(cluster, "first") == "stopped"

    assert cluster.busy() == []
    leases = files(store.path, "lease.json")
    now = clock(store.join(".now"))
    assert all(stale(holder(path), now) for path in leases)
    finished = files(store.path, "record.json")
    assert 2 <= len(finished) < PHASES
    before = files(store.path, "*")
    time.sleep(2.0)
    assert files(store.path, "*") == before, "nothing trains on"

    code, said = submit(cluster, "second", *command)
    assert code == 0, said
    assert f"job: {PHASES} of {PHASES} phases done, 0 failed" in said
    assert status(cluster, "second") == "succeeded"
    assert len(store.records()) == PHASES
    after = files(store.path, "record.json")
    assert {path: after[path] for path in finished} == finished, "a finished phase was written again"
    assert not [path for path in finished if f"start   {Path(path).parent.name}" in said]
    assert (Path(store.report_folder) / "index.html").exists()


def test_a_failing_study_is_a_failed_job(cluster, failing):
    code, said = failing
    assert code == 1, said
    assert "error: " in said and "no-such-study" in said and "Traceback" not in said
    assert "exit code 2" in said, "the real exit code: bad input"
    assert status(cluster, "failing") == "failed"


def test_what_is_uploaded_is_the_code_and_little_else(cluster, failing):
    packages = list(cluster.folder.glob("session_latest/runtime_resources/working_dir_files/_ray_pkg_*/"))
    assert packages
    for package in packages:
        assert (package / "study" / "cli.py").exists()
        assert not [name for name in (".venv", ".git", "runs") if (package / name).exists()]
        assert sum(path.stat().st_size for path in package.rglob("*") if path.is_file()) < LARGEST_UPLOAD


@pytest.mark.parametrize("credentials", [{}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}])
def test_without_the_token_a_job_is_refused(cluster, tmp_path, credentials):
    env = {key: value for key, value in cluster.env.items() if not key.startswith("RAY_AUTH_")}
    env |= {"HOME": str(tmp_path), **credentials}
    marker = tmp_path / "ran"
    done = cluster.ray("job", "submit", "--", "touch", str(marker), env=env)
    assert done.returncode != 0
    assert "authentication" in done.stdout.lower(), done.stdout
    assert not marker.exists()

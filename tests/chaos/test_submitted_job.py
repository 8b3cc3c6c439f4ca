"""`study submit` and `study job` against a real cluster, and a secret that is nowhere but where it belongs."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.store import Store
from tests.chaos.ray_head import RAY, REPOSITORY, Head, head

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SPEC = """
name: submitted
ladder: lab
sizes: [xs]
arms: {none: null}
targets: [tatoeba]
seeds: [0]
pretrain: {steps: 30}
tracking: {enabled: false}
report: {bootstrap: 20}
"""
PHASES = 2
NAME, VALUE = "PLANTED_SECRET", "hunter2-5e1d0c"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Head]:
    """A head that knows a secret."""
    os.environ[NAME] = VALUE
    try:
        with head() as one:
            yield one
    finally:
        del os.environ[NAME]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a user has it: code, a study file, and results that must not travel."""
    here = tmp_path_factory.mktemp("project")
    for name in ("study", "trainables", "clusters"):
        (here / name).symlink_to(REPOSITORY / name)
    (here / "submitted.yaml").write_text(SPEC)
    (here / "runs").mkdir()
    return here


def study(cluster: Head, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command line, from the machine of a user: it has the token, and not the secret."""
    env = {key: value for key, value in cluster.env.items() if key != NAME}
    return subprocess.run(
        [sys.executable, "-m", "study", *map(str, arguments)],
        cwd=REPOSITORY,
        env=env,
        capture_output=True,
        text=True,
        timeout=240,
    )


def submit(cluster: Head, folder: Path, storage: Path, *more: object) -> subprocess.CompletedProcess[str]:
    options = ["--working-dir", folder, "--storage", storage, "--python", sys.executable, *more]
    return study(cluster, "submit", folder / "submitted.yaml", *options)


def test_a_study_is_submitted_and_followed_and_its_secret_stays_where_it_is(cluster, folder, tmp_path):
    done = submit(cluster, folder, tmp_path / "runs", "--secret", NAME)
    assert done.returncode == 0, done.stderr
    assert f"submitted: {PHASES} of {PHASES} phases done, 0 failed" in done.stdout
    assert len(Store(tmp_path / "runs" / "submitted").records()) == PHASES
    job = re.search(r"submitted: (\S+);", done.stderr)[1]
    known = study(cluster, "job", "status", job)
    assert (known.stdout, known.returncode) == (f"{job}: SUCCEEDED, exit code 0\n", 0)

    listed = cluster.ray("job", "list").stdout
    assert NAME in listed and VALUE not in listed, "its name stands in the command, its value nowhere"
    assert VALUE not in done.stdout + done.stderr + study(cluster, "job", "logs", job).stdout
    read = [path for top in (tmp_path / "runs", cluster.folder) for path in top.rglob("*") if path.is_file()]
    assert any(path.name == "record.json" for path in read) and any(path.suffix == ".log" for path in read)
    assert not [path for path in read if VALUE.encode() in path.read_bytes()]


def test_a_job_s_exit_code_is_the_command_s_and_the_printed_line_works_the_same(cluster, folder, tmp_path):
    done = submit(cluster, folder, tmp_path, "--only", "no-such-phase")
    assert done.returncode == 2, done.stderr
    assert "no-such-phase" in done.stdout and "Traceback" not in done.stdout + done.stderr
    line = re.search(r"the same by hand: (.*)", done.stderr)[1]
    words = shlex.split(line)
    words[words.index("--submission-id") + 1] += "-again"
    again = cluster.ray(*words[1:])
    assert words[0] == "ray" and again.returncode == 1, again.stdout
    assert "no-such-phase" in again.stdout and "exit code 2" in again.stdout
    assert Path(RAY).exists()


def test_a_detached_job_is_stopped_by_name(cluster, folder, tmp_path):
    done = submit(cluster, folder, tmp_path, "--detach", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["exit_code"] is None and "--no-wait" in said["line"]
    stopped = study(cluster, "job", "stop", said["id"])
    assert stopped.stdout == f"{said['id']}: STOPPED\n", stopped.stderr
    found = json.loads(study(cluster, "job", "status", said["id"], "--json").stdout)
    assert (found["status"], found["exit_code"]) == ("STOPPED", 143)
    unknown = study(cluster, "job", "status", "no-such-job")
    assert unknown.returncode == 2 and unknown.stderr.count("\n") == 1 and "no-such-job" in unknown.stderr


def test_without_the_token_one_line_says_what_to_set(cluster, folder, tmp_path):
    bare = Head(cluster.pid, cluster.folder, {k: v for k, v in cluster.env.items() if not k.startswith("RAY_AUTH")})
    bare.env["HOME"] = str(tmp_path)
    done = submit(bare, folder, tmp_path)
    assert done.returncode == 2 and "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH" in done.stderr.splitlines()[-1]

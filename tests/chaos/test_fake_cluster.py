"""Ray's own autoscaler on one machine: from no worker to as many as planned and back, and a node lost on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from clusters.fake import cluster
from clusters.own_head import OwnHead, family
from study.store import Store
from tests.chaos import undisturbed
from tests.chaos.ray_head import REPOSITORY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

MOST, IDLE_SECONDS = 2, 8.0
GROUPS = {"small": {"CPU": 1, "GPU": 1, "size-xs": 1, "size-l": 1}, "large": {"CPU": 1, "GPU": 1, "size-m": 1}}
TASKS = """
import json, os, time, ray
ray.init(log_to_driver=False)

def nodes():
    return {n["NodeID"]: n["Resources"] for n in ray.nodes() if n["Alive"] and "GPU" in n["Resources"]}

@ray.remote(num_cpus=1, num_gpus=1, resources={"size-m": 0.001})
def where():
    time.sleep(1.0)
    return ray.get_runtime_context().get_node_id(), os.getcwd()

before = nodes()
ran = ray.get([where.remote() for _ in range(5)])
there = nodes()
deadline = time.monotonic() + 120
while nodes() and time.monotonic() < deadline:
    time.sleep(0.5)
groups = [sorted(name for name in there[node] if name.startswith("size-")) for node in {node for node, _ in ran}]
folders = {folder for _, folder in ran}
said = {"before": len(before), "most": len(there), "groups": groups, "after": len(nodes()), "folders": len(folders)}
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def fake() -> Iterator[OwnHead]:
    with cluster(GROUPS, MOST, IDLE_SECONDS) as head:
        yield head


def call(fake: OwnHead, *command: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=REPOSITORY,
        env=fake.env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_it_grows_from_nothing_to_the_group_that_is_asked_for_and_shrinks_again(fake, tmp_path):
    script = tmp_path / "tasks.py"
    script.write_text(TASKS)
    submit = ("ray.scripts.scripts", "job", "submit", "--working-dir", tmp_path)
    said = call(fake, *submit, "--", sys.executable, script.name).stdout
    found = json.loads(next(line for line in said.splitlines() if line.startswith('{"before"')))
    # A node of its own has a disk of its own: on a shared one a new node would unpack the code anew below the others.
    assert found == {"before": 0, "most": MOST, "groups": [["size-m"]] * MOST, "after": 0, "folders": MOST}


SPEC = """
name: fake
ladder: lab
sizes: [xs]
arms: {none: null}
targets: [tatoeba]
seeds: [0]
pretrain: {steps: 400}
compute: {gpus_per_trial: 1, checkpoint_seconds: 1}
tracking: {enabled: false}
report: {bootstrap: 20}
"""


def submit(fake: OwnHead, spec: Path, storage: Path, *more: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    where = ["--working-dir", spec.parent, "--storage", storage, "--python", sys.executable]
    return call(fake, "study", "submit", spec, *where, *more, code=code)


def fake_node(fake: OwnHead) -> psutil.Process | None:
    """The raylet of a node that the autoscaler started."""
    for process in family(fake.pid):
        with suppress(psutil.Error):
            node = process.environ().get("RAY_OVERRIDE_NODE_ID_FOR_TESTING", "")
            if process.name() == "raylet" and node and not node.endswith("00000"):
                return process
    return None


def kill_node_in_training(fake: OwnHead, store: Store) -> None:
    deadline = time.monotonic() + 180.0
    while not list(Path(store.path).glob("phases/pretrain-*/resume*")):
        assert time.monotonic() < deadline, "training has not begun"
        time.sleep(0.2)
    node = fake_node(fake)
    assert node is not None
    os.kill(node.pid, signal.SIGKILL)
    assert store.records() == [], "the node was killed in the middle of the first phase"


def scores(store: Store) -> dict[str, float]:
    return {f"{record.task} {one.language}": one.score for record in store.records() for one in record.scores}


def test_a_study_loses_a_node_in_training_and_ends_with_the_same_scores(fake, tmp_path):
    spec = tmp_path / "fake.yaml"
    spec.write_text(SPEC)
    for name in ("study", "trainables", "clusters"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    store = Store(tmp_path / "lossy" / "fake")
    job = json.loads(submit(fake, spec, tmp_path / "lossy", "--detach", "--json").stdout)["id"]
    kill_node_in_training(fake, store)
    said = call(fake, "study", "job", "logs", job, "--follow").stdout
    assert "2 of 2 phases done, 0 failed" in said

    quiet = undisturbed.run(SPEC.replace("gpus_per_trial: 1, ", ""), tmp_path / "quiet")
    assert scores(store) == scores(quiet) != {}


def test_a_study_of_a_size_without_a_group_is_refused(fake, tmp_path):
    spec = tmp_path / "fake.yaml"
    spec.write_text(SPEC.replace("[xs]", "[s]"))
    said = submit(fake, spec, tmp_path / "runs", code=2).stdout
    assert "error: sizes: the cluster has no group for s, only for l, m, xs" in said

"""Does a study survive its cluster? A small one, as a job on a fake autoscaling cluster, with losses on the way.

    python -m clusters.demo          # make cluster-demo; some minutes on two cores

From no worker at all: the job is sent, nodes come, the node of a phase in training is killed without warning, the
node of a later one is drained with notice and then taken away, the study ends, the nodes go. Its scores must be those
of the same study on this machine with nobody in its way; otherwise this exits with 1.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil
import typer

from clusters.fake import HEAD_ID, cluster
from clusters.own_head import RAY, OwnHead, family
from study.lease import holder
from study.store import Store

PACKAGES = Path(__file__).resolve().parent.parent
GROUPS = {"worker": {"CPU": 1, "GPU": 1, "size-xs": 1, "size-s": 1}}
MOST, IDLE_SECONDS, NOTICE_SECONDS, PATIENCE = 2, 8.0, 20, 300.0
SPEC = """
name: demo
ladder: lab
sizes: [xs, s]
arms: {none: null, siqa: siqa}
targets: [xcopa, tatoeba]
seeds: [0]
pretrain: {steps: 400}
training: {steps: {default: 60, siqa: 200}}
search: {trials: 2}
compute: {gpus_per_trial: 1, checkpoint_seconds: 2}
tracking: {enabled: false}
report: {bootstrap: 50}
"""
Found = TypeVar("Found")


def main() -> None:
    """Run the demonstration and print its figures."""
    folder = Path(tempfile.mkdtemp(prefix="demo-"))
    for name in ("study", "trainables", "clusters"):
        (folder / name).symlink_to(PACKAGES / name)
    (folder / "demo.yaml").write_text(SPEC)
    with cluster(GROUPS, MOST, IDLE_SECONDS) as head:
        told = _on_the_cluster(head, folder)
    _say("the same study on this machine, undisturbed")
    quiet = folder / "quiet.yaml"
    quiet.write_text(SPEC.replace("gpus_per_trial: 1, ", ""))
    _call({}, "run", quiet, "--storage", folder / "quiet", folder=folder)
    ours, theirs = (_scores(Store(folder / name / "demo")) for name in ("lossy", "quiet"))
    for what, value in told.items():
        print(f"{what:48} {value}")
    if not theirs or ours != theirs:
        sys.exit(f"the scores differ; both studies are kept in {folder}")
    print(f"{len(ours)} scores, equal to those of the undisturbed study to the last digit")
    shutil.rmtree(folder)


def _on_the_cluster(head: OwnHead, folder: Path) -> dict[str, str]:
    """The study from submission to the last node's end; {figure: value}."""
    store, told = Store(folder / "lossy" / "demo"), {}
    where = ["--storage", folder / "lossy", "--working-dir", folder, "--python", sys.executable]
    sent = _call(head.env, "submit", "demo.yaml", *where, "--detach", "--json", folder=folder)
    job, begun = json.loads(sent)["id"], time.monotonic()
    _say(f"job {job} is sent; the cluster has no worker")
    _wait(lambda: _nodes(head), "a node")
    told["from submission to the first node"] = _seconds(begun)
    key, step, node = _wait(lambda: _in_training(head, store, set()), "a phase in training")
    told["from submission to the first training step"] = _seconds(begun)
    _say(f"{key} is at step {step}: its node is killed")
    node.kill()
    told["killed without notice: until training again"], lost = _recovered(store, key, step)
    told["killed without notice: steps done again"] = f"{lost} of {step}"
    done = {record.key for record in store.records()} | {key}
    key, step, node = _wait(lambda: _in_training(head, store, done), "another phase in training")
    _say(f"{key} is at step {step}: its node is to be drained within {NOTICE_SECONDS} s")
    _drain(head, node)
    told["drained with notice: until training again"], lost = _recovered(store, key, step)
    told["drained with notice: steps done again"] = f"{lost} of {step}"
    said = _call(head.env, "job", "logs", job, "--follow", folder=folder)
    told["from submission to the report"] = _seconds(begun)
    print("\n".join(line for line in said.splitlines() if "preempt" in line or "phases done" in line))
    ended = time.monotonic()
    _wait(lambda: not _nodes(head), "the end of the last node")
    told["from the report to no node"] = _seconds(ended)
    return told


def _in_training(head: OwnHead, store: Store, without: set[str]) -> tuple[str, int, psutil.Process] | None:
    """(key, step, its node's raylet) of a phase with some steps done and more to go."""
    for folder in sorted(Path(store.join("phases")).glob("*")):
        said, held = store.progress(folder.name), holder(store.join("phases", folder.name, "lease.json"))
        step, steps = int(said.get("step") or 0), int(said.get("steps") or 0)
        if folder.name in without or not held or not 40 < step < steps - 60:
            continue
        nodes = {node.pid: node for node in _nodes(head)}
        try:
            above = psutil.Process(held["pid"]).parents()
        except psutil.NoSuchProcess:
            continue
        if node := next((nodes[one.pid] for one in above if one.pid in nodes), None):
            return folder.name, step, node
    return None


def _recovered(store: Store, key: str, step: int) -> tuple[str, int]:
    """(seconds until another process has taken the phase and reports a step, steps that were done twice)."""
    begun, before = time.monotonic(), _started(store, key)

    def again() -> int | None:
        if store.record(key, verify=False):
            return step + 1
        said = store.progress(key)
        fresh = _started(store, key) not in (before, None) and said.get("time", 0) > wall
        return int(said["step"]) if fresh and "step" in said else None

    wall = time.time()
    first = _wait(again, f"{key} in training again")
    return _seconds(begun), max(0, step - first + 1)


def _started(store: Store, key: str) -> Any:
    """When the process that holds the phase began to."""
    return holder(store.join("phases", key, "lease.json")).get("since")


def _nodes(head: OwnHead) -> list[psutil.Process]:
    """Raylets of the nodes that the autoscaler started."""
    found = []
    for process in family(head.pid):
        try:
            if process.name() == "raylet" and _id(process) not in ("", HEAD_ID):
                found.append(process)
        except psutil.Error:
            continue  # it has just ended
    return found


def _id(node: psutil.Process) -> str:
    return node.environ().get("RAY_OVERRIDE_NODE_ID_FOR_TESTING", "")


def _drain(head: OwnHead, node: psutil.Process) -> None:
    """What a cloud does with a spot machine: notice, and some time later the end."""
    address = next(part for part in node.cmdline() if part.startswith("--gcs-address=")).partition("=")[2]
    reason = ["--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "the spot machine is wanted back"]
    command = [RAY, "drain-node", "--address", address, "--node-id", _id(node), *reason]
    limit = ["--deadline-remaining-seconds", str(NOTICE_SECONDS)]
    subprocess.run([*command, *limit], env=head.env, check=True, capture_output=True)


def _call(env: dict[str, str], *arguments: object, folder: Path) -> str:
    """Output of a `study` command; ends the demonstration when it fails."""
    command = [sys.executable, "-m", "study", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=env or None, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def _scores(store: Store) -> dict[tuple[Any, ...], float]:
    return {
        (record.size, record.arm, record.task, one.task, one.language, one.split): one.score
        for record in store.records()
        for one in record.scores
    }


def _wait(found: Callable[[], Found | None], what: str) -> Found:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (value := found()) or isinstance(value, int):
            return value
        time.sleep(0.1)
    sys.exit(f"{what} did not come within {PATIENCE:.0f} s")


def _seconds(since: float) -> str:
    return f"{time.monotonic() - since:.1f} s"


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


if __name__ == "__main__":
    typer.run(main)

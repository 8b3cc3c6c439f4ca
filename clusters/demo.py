"""Does a study survive its cluster? A small one, as a job on a fake autoscaling cluster, with losses on the way.

    python -m clusters.demo          # make cluster-demo; some minutes on two cores

From no worker at all: the job is sent, nodes come, the node of a phase in training is killed without warning, the
node of a trial of a later one is drained with notice and then taken away, the study ends, the nodes go. Its scores
must be those of the same study on this machine with nobody in its way; otherwise this exits with 1.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import typer

from clusters.fake import cluster
from clusters.fake_watch import Training, drain, nodes, paid, training
from clusters.own_head import OwnHead
from study.guard import exit_on_terminate
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
training: {steps: {default: 60, siqa: 1000}}
search: {trials: 2}
compute: {gpus_per_trial: 1, checkpoint_seconds: 2}
tracking: {enabled: false}
report: {bootstrap: 50}
"""
Found = TypeVar("Found")


def main() -> None:
    """Run the demonstration and print its figures."""
    exit_on_terminate()  # the cluster must not outlive this
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
        print(f"{what:56} {value}")
    if not theirs or ours != theirs:
        sys.exit(f"the scores differ; both studies are kept in {folder}")
    print(f"{len(ours)} scores, equal to those of the undisturbed study to the last digit")
    shutil.rmtree(folder)


def _on_the_cluster(head: OwnHead, folder: Path) -> dict[str, str]:
    """The study from submission to the last node's end; {figure: value}."""
    store, told = Store(folder / "lossy" / "demo"), {}
    where = ["--storage", folder / "lossy", "--working-dir", folder, "--python", sys.executable]
    with paid(head) as meter:
        sent = _call(head.env, "submit", "demo.yaml", *where, "--detach", "--json", folder=folder)
        job, begun = json.loads(sent)["id"], time.monotonic()
        _say(f"job {job} is sent; the cluster has no worker")
        _wait(lambda: nodes(head), "a node")
        told["from submission to the first node"] = _seconds(begun)
        found = _wait(lambda: _in_training(head, store), "a phase in training")
        told["from submission to the first phase well in training"] = _seconds(begun)
        _say(f"{_name(found)} is at step {found.step}: its node is killed")
        lost = _lose(head, store, found, found.node.kill, "killed without notice", told)
        found = _wait(lambda: _in_training(head, store, searched=True), "a trial in training")
        _say(f"{_name(found)} is at step {found.step}: its node is to be drained within {NOTICE_SECONDS} s")
        blow = partial(drain, head, found.node, NOTICE_SECONDS)
        lost += _lose(head, store, found, blow, "drained with notice", told)
        said = _call(head.env, "job", "logs", job, "--follow", folder=folder)
        told["from submission to the report"] = _seconds(begun)
        print("\n".join(line for line in said.splitlines() if "] preempt" in line or "phases done" in line))
        ended = time.monotonic()
        _wait(lambda: not nodes(head), "the end of the last node")
        told["from the report to no node"] = _seconds(ended)
    return told | _wasted(store, lost, meter.seconds)


def _in_training(head: OwnHead, store: Store, searched: bool = False) -> Training | None:
    """A phase with some steps done and more to go; `searched`: one of its trials."""
    if Path(store.report_folder, "index.html").exists():
        sys.exit(f"the study ended before it could be disturbed; see its failures in {store.path}")
    for folder in sorted(Path(store.join("phases")).glob("*")):
        found = training(head, store, folder.name)
        if found and 40 < found.step < found.steps / 2 and (found.trial is not None) == searched:
            return found
    return None


def _lose(
    head: OwnHead, store: Store, found: Training, blow: Callable[[], None], what: str, told: dict[str, str]
) -> int:
    """Take a node away and wait until what it trained is in training again; returns the steps that were lost."""
    begun, last = time.monotonic(), found.step
    blow()

    def again() -> Training | None:
        nonlocal last
        now = training(head, store, found.key)
        if store.record(found.key, verify=False):
            sys.exit(f"{found.key} was finished before its node was gone")
        if now is None or now.trial != found.trial:
            return None
        if now.process == found.process:
            last = now.step
            return None
        return now

    now = _wait(again, f"{found.key} in training again")
    lost = max(0, last - now.step + 1)
    told[f"{what}: until training again"] = _seconds(begun)
    told[f"{what}: steps done again, by its reports"] = f"{lost} of {last}"
    return lost


def _wasted(store: Store, lost: int, paid_seconds: float) -> dict[str, str]:
    """What the losses cost, and how much of the nodes' time went into what the study keeps."""
    records = store.records()
    kept = sum(trial.steps for record in records for trial in record.trials)
    kept += sum(record.identity["config"]["steps"] for record in records if record.kind == "pretrain")
    useful = sum(record.cost.seconds for record in records)
    return {
        "wasted share of the training steps": f"{100 * lost / (kept + lost):.1f} % ({lost} of {kept + lost})",
        "share of the nodes' time outside of training and scoring": (
            f"{100 * (1 - useful / paid_seconds):.0f} % (of {paid_seconds:.0f} s; phases of some seconds each)"
        ),
    }


def _name(found: Training) -> str:
    return found.key if found.trial is None else f"trial {found.trial} of {found.key}"


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
        if value := found():
            return value
        time.sleep(0.1)
    sys.exit(f"{what} did not come within {PATIENCE:.0f} s")


def _seconds(since: float) -> str:
    return f"{time.monotonic() - since:.1f} s"


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


if __name__ == "__main__":
    typer.run(main)

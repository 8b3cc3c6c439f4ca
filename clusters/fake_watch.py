"""What does a fake cluster do at this moment? Its nodes, who trains what on which, and what they have been paid for.

with paid(head) as meter:
    found = training(head, store, "pretrain-xs-0123456789")     # None, or process, node, step
    ...
meter.seconds                                                   # of all nodes together
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

from clusters.fake import HEAD_ID
from clusters.own_head import RAY, OwnHead, family
from study.lease import holder
from study.store import Store

LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Training:
    """A process that trains a phase, as it last said."""

    key: str
    trial: int | None
    """None for pretraining."""
    step: int
    steps: int
    process: psutil.Process
    node: psutil.Process
    """The raylet of its node."""


def nodes(head: OwnHead) -> list[psutil.Process]:
    """Raylets of the nodes that the autoscaler started."""
    found = []
    for process in family(head.pid):
        with suppress(psutil.Error):  # it may have just ended
            if process.name() == "raylet" and _id(process) not in ("", HEAD_ID):
                found.append(process)
    return found


def training(head: OwnHead, store: Store, key: str) -> Training | None:
    """Who trains this phase; None while nobody has said a step of it."""
    said = store.progress(key)
    if "step" not in said or "steps" not in said:
        return None
    holds, trial = holder(store.join("phases", key, "lease.json")).get("pid"), said.get("trial")
    for node in nodes(head):
        for process in family(node.pid):
            with suppress(psutil.Error):
                # Ray Tune gives a trial a working directory that names its phase and its number.
                ours = re.search(rf"/{re.escape(key)}/.*\bnumber=(\d+)", process.cwd())
                trains = trial == int(ours[1]) if ours else process.pid == holds and trial is None
                if trains and said["time"] > process.create_time():
                    return Training(key, trial, int(said["step"]), int(said["steps"]), process, node)
    return None


def drain(head: OwnHead, node: psutil.Process, seconds: int) -> None:
    """What a cloud does with a spot machine: notice, and some time later the end."""
    address = next(part for part in node.cmdline() if part.startswith("--gcs-address=")).partition("=")[2]
    reason = ["--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "the spot machine is wanted back"]
    command = [RAY, "drain-node", "--address", address, "--node-id", _id(node), *reason]
    limit = ["--deadline-remaining-seconds", str(seconds)]
    subprocess.run([*command, *limit], env=head.env, check=True, capture_output=True)


class Meter(threading.Thread):
    """Adds up how long nodes were there."""

    def __init__(self, head: OwnHead) -> None:
        super().__init__(name="meter", daemon=True)
        self.seconds, self._head, self.over = 0.0, head, threading.Event()

    def run(self) -> None:
        while not self.over.wait(LOOK_SECONDS):
            self.seconds += LOOK_SECONDS * len(nodes(self._head))


@contextmanager
def paid(head: OwnHead) -> Iterator[Meter]:
    """Meter the nodes meanwhile."""
    meter = Meter(head)
    meter.start()
    try:
        yield meter
    finally:
        meter.over.set()
        meter.join()


def _id(node: psutil.Process) -> str:
    return node.environ().get("RAY_OVERRIDE_NODE_ID_FOR_TESTING", "")

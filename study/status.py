"""How far is a study? Read from the store alone, at any time, by any process, without Ray.

A phase is running when its lease is alive; its progress is what its driver last wrote.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from study import lease, narrowing
from study.plan import Row
from study.spec import StudySpec
from study.store import Store
from trainables import many, storage
from trainables.errors import StorageError


@dataclass(frozen=True)
class Running:
    key: str
    share: float | None
    """Part of the phase that is done, 0 to 1; None when it has not said."""
    seconds: float
    """Since its driver took it."""
    eta: float | None
    """Seconds to go, at the speed so far."""
    by: str
    said: dict[str, Any]


@dataclass(frozen=True)
class Status:
    kinds: dict[str, dict[str, int]]
    """{kind: {"done": n, "running": n, "failed": n, "waiting": n}}"""
    running: list[Running]
    failures: dict[str, str]
    """{key: why}, of phases that are not done."""
    damaged: dict[str, str]
    """{key: what is wrong with its record}: these will be made again."""


def status(spec: StudySpec, store: Store, rows: list[Row]) -> Status:
    """The state of the rows of a plan."""
    kinds: dict[str, dict[str, int]] = {}
    running, failures = [], {}
    begun = set(storage.names(store.join("phases")))  # of the others nobody has said anything
    unfinished = [row.phase.key for row in rows if row.action != "done" and row.phase.key in begun]
    leases = store.said(unfinished, "lease.json")
    now = _now(store) if any(leases.values()) else 0.0
    held = _beating(store, {key: value for key, value in leases.items() if value})
    live = {key: one for key, one in held.items() if not lease.stale(one, now)}
    said = store.said(live, "progress.json")
    failed = store.said(leases.keys() - live.keys(), "failure.json")
    for row in rows:
        key = row.phase.key
        state = "done" if row.action == "done" else "waiting"
        if key in live:
            trials = narrowing.trials(row.phase, spec)
            running.append(_running(key, live[key], now, {"trials": trials, **said[key]}))
            state = "running"
        elif failure := failed.get(key, {}).get("line"):
            failures[key] = str(failure)
            state = "failed"
        counts = kinds.setdefault(row.phase.kind, {"done": 0, "running": 0, "failed": 0, "waiting": 0})
        counts[state] += 1
    return Status(kinds, running, failures, {row.phase.key: row.damage for row in rows if row.damage})


def _now(store: Store) -> float:
    """The storage's time; this machine's where the storage may only be read."""
    try:
        return lease.clock(store.join(".now"))
    except StorageError:
        return time.time()


def _beating(store: Store, held: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What leases say with their last beats; without those that have been given back meanwhile."""
    paths = {key: store.join("phases", key, "lease.json") for key in held}
    beats = many.modified(list(paths.values()))
    return {key: {**held[key], "beat": beats[path]} for key, path in paths.items() if beats[path] is not None}


def _running(key: str, held: dict[str, Any], now: float, said: dict[str, Any]) -> Running:
    seconds = max(0.0, time.time() - float(held.get("since", held["beat"])))
    share = done_share(said)
    eta = seconds * (1 - share) / share if share else None
    return Running(key, share, seconds, eta, lease.describe(held, now), said)


def done_share(said: dict[str, Any]) -> float | None:
    """Part that is done, from {"step", "steps"} and, in a search, {"trial" (from 0), "trials"}."""
    step, steps = said.get("step"), said.get("steps")
    trial, trials = (said["trial"], said.get("trials", 1)) if "trial" in said else (0, 1)
    numbers = (step, steps, trial, trials)
    if not all(isinstance(number, int | float) for number in numbers) or not steps or not trials:
        return None
    return min(1.0, max(0.0, (trial + step / steps) / trials))

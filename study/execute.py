"""How does a plan become records? The driver walks it on Ray; every phase is a Ray task.

    failed = run(spec, store, plan.rows(spec, store), echo=print)

The driver keeps the ready queue (`study.schedule`) and submits a phase when all it needs is recorded. A phase that
trains or scores by itself runs in a pooled worker process, which stays warm for the next one; a learning-rate
search is a sliver of a task whose trials ask for the processors. A failing phase blocks its descendants and nothing
else. Everything worth keeping is in the store: kill the driver at any moment, run again, and it goes on.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import ray

from study import holding, narrowing, placement, stopping
from study.foreground import foreground as foreground
from study.placement import ANYWHERE, Room
from study.plan import Row, data_root
from study.reach import check_answers
from study.runtime import check
from study.schedule import Clock, Queue, cost, priorities
from study.spec import Compute, StudySpec
from study.stopping import GRACE_SECONDS, Limits, Stopped
from study.store import Store
from study.work import Job, Result, keep_failure, one_line, run_phase, tune_once
from trainables import patience
from trainables.errors import StudyError
from trainables.hosts import DIED, POOL, RESTARTS, choose, killed, own, trial_resources, unwrapped

Echo = Callable[[str], None]

NO_LIMITS = Limits()
LOOK_SECONDS = 1.0
"""How often the walk looks for what changes outside: the size of the cluster, and whether it is to stop."""
HELD_SECONDS = 3.0
"""Pause before a phase is tried again that another driver holds, or whose process had to go."""
QUIET = {
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
DRIVER = {"driver": 0.001}
"""A sliver of a resource that only a head has. Slivers of CPU would do, but then two cores hold one trial: a local
Ray therefore has this resource, and a cluster's head should."""
DRIVE = {"STUDY_POOL": "drive"}
"""Searches run in processes of their own kind (see `trainables.hosts.POOL`)."""


def run(
    spec: StudySpec,
    store: Store,
    rows: Sequence[Row],
    *,
    address: str | None = None,
    echo: Echo,
    limits: Limits = NO_LIMITS,
) -> int:
    """Run the rows whose action is "run"; returns how many phases failed (blocked ones not counted).

    `address` of a Ray cluster, else RAY_ADDRESS, else a local Ray that ends with this call. SIGTERM raises
    `SystemExit(143)` and SIGINT `KeyboardInterrupt`, after all workers were ended. Raises `Stopped` when a limit was
    reached or a stop was asked for, and `StudyError` when the machine cannot hold a single trial, a size does not fit
    its GPU, or no cluster answers.
    """
    if all(row.action == "done" for row in rows):
        return 0
    limits = limits.begun(store)
    check(spec, store)
    with _ray(spec.compute, address) as local:
        there, gpus = ray.cluster_resources(), spec.compute.gpus_per_trial
        sizes = sorted({row.phase.size for row in rows if row.action == "run"})
        placement.check(sizes, gpus, there)
        heads = math.inf if local else placement.leaders(ray.nodes(), spec.compute, spec.search.trials)
        room = Room(spec.compute, placement.pools(sizes, gpus, there), heads)
        walk = _walk(spec, store, rows, echo, limits, room)
        walk.local, walk.sliver = local, DRIVER if "driver" in there else {"CPU": 0.001}
        walk.nodes = {size: placement.asked(size, gpus, there) for size in sizes}
        with patience.long():
            walk.to_the_end()
    return len(walk.queue.failed)


@dataclass
class _Walk:
    """One walk over a plan: the queue, the tasks in flight, and the lines about them."""

    spec: StudySpec
    store: Store
    jobs: dict[str, Job]
    queue: Queue
    clock: Clock
    room: Room
    echo: Echo
    stopped: str = ""
    """The last stop before this walk (see `study.stopping`)."""
    local: bool = True
    sliver: dict[str, float] = field(default_factory=dict)
    """What a process that only waits for others asks for."""
    nodes: dict[str, dict[str, float]] = field(default_factory=dict)
    """Size -> what leads a process that trains it to nodes of its group."""
    flying: dict[Any, str] = field(default_factory=dict)
    """Task reference -> key."""
    width: dict[str, int] = field(default_factory=dict)
    """Key -> how many of its trials run at a time."""
    since: dict[str, float] = field(default_factory=dict)
    """Key -> when it was submitted (monotonic)."""
    held: dict[str, float] = field(default_factory=dict)
    """Key -> when to try again (monotonic)."""
    preemptions: int = 0
    """How often a phase had to go and was put back; no failures."""
    limits: Limits = NO_LIMITS
    spent: float = 0.0
    """Device-seconds of the phases that were finished before, and of what this walk has held; only with a budget."""
    said_full: bool = False
    looked: float = -LOOK_SECONDS
    """When it last looked outside (monotonic)."""

    def to_the_end(self) -> None:
        """Raises `Stopped` when it has to end before."""
        while not self.queue.over:
            if time.monotonic() - self.looked >= LOOK_SECONDS:
                self._look()
            self._submit()
            self._wait()
            self._release()

    def _look(self) -> None:
        """Ask the head how large the cluster is, and the storage for a stop; too dear to be asked for every phase."""
        since, self.looked = self.looked, time.monotonic()
        there = ray.cluster_resources()
        self.room.look(there, self.local)
        if self.limits.budget is not None and self.flying:
            self.spent += self._held(there) * (self.looked - since)
        if why := self._told_to_stop():
            self._wind_down(why)
            raise Stopped(why)

    def _wait(self) -> None:
        if not self.flying:  # what is left is held for a while
            time.sleep(0.2)
            return
        finished, _ = ray.wait(list(self.flying), num_returns=1, timeout=1.0)
        for reference in finished:
            self._settle(self.flying.pop(reference), reference)

    def _told_to_stop(self) -> str:
        """Why this run is to end; empty while it may go on. A limit of one ends the other runs of the study, too."""
        if why := stopping.asked(self.store, self.stopped):
            return why
        if why := self.limits.reached(datetime.now(), self.spent / 3600):
            stopping.ask(self.store, why)
        return why

    def _wind_down(self, why: str) -> None:
        """Start nothing more, and give what is in flight the time to write its state."""
        self.echo(f"stopping, because {why}: {len(self.flying)} phases in flight write their states")
        until = time.monotonic() + GRACE_SECONDS
        while self.flying and time.monotonic() < until:
            self._wait()

    def _submit(self) -> None:
        busy = placement.busy((self.queue.asks[key], self.width[key]) for key in self.flying.values())
        free, places = self.room.free(busy, self.queue.left)
        chosen = self.queue.take(free, places)
        most = {key: holding.at_a_time(self.jobs[key].phase, self.spec, self.local) for key in chosen}
        self.width |= placement.widths({key: (self.queue.asks[key][0], most[key]) for key in chosen}, places)
        if not self.said_full and len(chosen) < free and self.room.full(places, self.queue.waits_for):
            self.said_full = True
            self.echo(f"{self.room.leaders:.0f} searches at a time fill the head's memory; others wait for their turn")
        for key in chosen:
            self.since[key] = time.monotonic()
            job = self.jobs[key]
            self.flying[_submit(job, self.nodes[job.phase.size], self.sliver, self.width[key])] = key
            if key not in self.held:
                self.say("start", key)

    def _settle(self, key: str, reference: Any) -> None:
        try:
            result = ray.get(reference)
        except Exception as error:  # the worker process itself was lost
            result = Result(key, "failed", killed(RESTARTS + 1) if isinstance(error, DIED) else one_line(error))
            keep_failure(self.store, key, result.line)
        if result.status == "held":
            if key not in self.held:
                self.say("wait", key, result.line)
            self.held[key] = time.monotonic() + HELD_SECONDS
            return
        if result.status == "preempted":
            self.preemptions += 1
            self.say("preempt", key, f"{result.line} ({self.preemptions} in this run)")
            self.held[key] = time.monotonic() + HELD_SECONDS
            return
        self.held.pop(key, None)
        if result.status == "done":
            self.queue.finish(key)
            self.clock.over(key, result.seconds)
            self.say("done", key, f"{result.line}  {result.seconds:.1f} s".strip())
            return
        blocked = self.queue.fail(key, result.line)
        for lost in (key, *blocked):
            self.clock.over(lost)
        self.say("failed", key, result.line)
        for other in blocked:
            self.say("blocked", other, f"needs {key}, which failed: {result.line}")

    def _held(self, there: dict[str, float]) -> float:
        """Devices that the phases in flight hold."""
        most = sum(holding.most(self.jobs[key].phase, self.spec, self.local) for key in self.flying.values())
        return holding.held(self.spec.compute, there, ray.available_resources(), most)

    def _release(self) -> None:
        flying = set(self.flying.values())
        for key, when in self.held.items():
            if key not in flying and key in self.queue.running and time.monotonic() >= when:
                self.queue.put_back(key)

    def say(self, state: str, key: str, line: str = "") -> None:
        """One state change: [done/total share ETA] state key what."""
        done, total = len(self.queue.done), len(self.queue.needs)
        now = time.monotonic()
        running = {other: now - self.since.get(other, now) for other in self.queue.running}
        eta = self.clock.eta(running, self.room.parts(self.queue.left))
        head = f"[{done}/{total} {100 * done // total}% ETA {_minutes(eta)}]"
        self.echo(f"{head} {state:7} {key}  {line}".rstrip())


def _walk(spec: StudySpec, store: Store, rows: Sequence[Row], echo: Echo, limits: Limits, room: Room) -> _Walk:
    phases = {row.phase.key: row.phase for row in rows}
    trials = {key: narrowing.trials(phase, spec) for key, phase in phases.items()}
    costs = {key: cost(phase.config, trials[key]) for key, phase in phases.items()}
    needs = {key: tuple(phase.needs) for key, phase in phases.items()}
    pools = {key: room.pools.get(phase.size, ANYWHERE) for key, phase in phases.items()}
    clock = Clock(costs, {key: f"{phase.kind}-{phase.size}" for key, phase in phases.items()}, pools)
    done = {row.phase.key for row in rows if row.action == "done"}
    for key in done:
        clock.over(key)
    led = {key for key, phase in phases.items() if placement.led(phase.config, phase.tuned_by is None, spec.compute)}
    asks = {key: placement.asks(pool, key in led) for key, pool in pools.items()}
    root = data_root(spec, store)
    root = root if "://" in root else os.path.abspath(root)
    return _Walk(
        spec=spec,
        store=store,
        jobs={key: Job(phase, spec, store.path, root, limits.stopped or "") for key, phase in phases.items()},
        queue=Queue(needs, priorities(needs, costs), done=done, asks=asks),
        clock=clock,
        room=room,
        echo=echo,
        stopped=limits.stopped or "",
        limits=limits,
        spent=0.0 if limits.budget is None else holding.used(spec, [row.record for row in rows if row.record]),
    )


def _minutes(seconds: float | None) -> str:
    if seconds is None:
        return "--:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


# On the workers


@ray.remote(max_retries=RESTARTS)
def _work(job: Job) -> Result:
    """A phase that trains or scores in this very process."""
    return run_phase(job, partial(tune_once, host=own))


@ray.remote(max_retries=RESTARTS, num_cpus=0)
def _drive(job: Job, concurrent: int, place: dict[str, float], sliver: dict[str, float]) -> Result:
    """A phase whose trials run elsewhere: a search, or a group of workers."""
    from study.search import search

    compute = job.spec.compute
    shape = (compute.workers, compute.cpus_per_trial, compute.gpus_per_trial, place)
    if job.phase.tuned_by is not None:
        return run_phase(job, partial(tune_once, host=choose(*shape)))
    resources = trial_resources(*shape, sliver)
    return run_phase(job, partial(search, host=choose(*shape), resources=resources, concurrent=concurrent))


def _submit(job: Job, place: dict[str, float], sliver: dict[str, float], width: int) -> Any:
    """Start one phase; `width`: how many learning rates a search tries at a time."""
    compute = job.spec.compute
    environment = {**QUIET, **_threads(compute.cpus_per_trial)}
    if placement.led(job.phase.config, job.phase.tuned_by is None, compute):
        pin = sliver if sliver == DRIVER else {}
        task = _drive.options(resources=pin, runtime_env={"env_vars": {**environment, **DRIVE}})
        return task.remote(job, width, place, sliver)
    task = _work.options(
        num_cpus=compute.cpus_per_trial,
        num_gpus=compute.gpus_per_trial,
        resources=place,
        runtime_env={"env_vars": {**environment, **POOL}},
    )
    return task.remote(job)


def _threads(count: int) -> dict[str, str]:
    return {name: str(count) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}


# Ray itself


def on_worker(function: Callable[[], Any], *, address: str | None = None) -> str:
    """Call a function in a worker process; returns the worker's host name. Raises what the function raised."""
    with _ray(Compute(), address):
        return unwrapped(_call.remote(function))


@ray.remote(num_cpus=0, max_retries=0)
def _call(function: Callable[[], Any]) -> str:
    function()
    return socket.gethostname()


@contextmanager
def _ray(compute: Compute, address: str | None) -> Iterator[bool]:
    """A connection to Ray; yields whether it is a local one. However it is left, nothing of ours runs on: on a cluster
    Ray ends what a driver has started when that goes. (`ray.cancel` is not for this: who cancels a task in the
    moment of its end is aborted by a check of Ray's own; seen with 2.60, cf. ray-project/ray#54798.)"""
    local = address is None and not os.environ.get("RAY_ADDRESS")
    before = signal.getsignal(signal.SIGTERM)
    try:
        if local:
            _start_local(compute)
        else:
            _connect(address)
        signal.signal(signal.SIGTERM, _terminate)  # Ray has put its own there, which ends the process on the spot
        yield local
    except SystemExit:
        # While Ray starts, its own handlers exit with 15 or 1; what ours raises inside ray.wait comes out of it as 1.
        raise SystemExit(128 + signal.SIGTERM) from None
    finally:
        ray.shutdown()
        signal.signal(signal.SIGTERM, before)


def _start_local(compute: Compute) -> None:
    # Ray turns token authentication on by itself. A token of this run's own, because without one Ray writes
    # ~/.ray/auth_token, which later clusters stumble over. (RAY_AUTH_MODE must not be set here: Ray has already
    # read it, and the client would disagree with the server.)
    if not {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys():
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    try:
        ray.init(
            address="local",
            num_cpus=len(os.sched_getaffinity(0)),
            resources={"driver": 1.0},
            # Ray Train leaks the resources of a stopped worker group when the dashboard is off (ray 2.60).
            include_dashboard=compute.workers >= 1,
            log_to_driver=False,
            logging_level=logging.ERROR,
            # Warm workers must survive the pauses between phases. Those that Ray starts ahead have no environment, so
            # that no phase could use them.
            _system_config={"idle_worker_killing_time_threshold_ms": 3_600_000, "prestart_worker_first_driver": False},
        )
    except Exception as error:  # Ray has nothing narrower for a machine that is too busy
        advice = "if the machine is busy, run the same command again"
        raise StudyError(f"Ray did not start on this machine ({one_line(error)}); {advice}") from error


def _connect(address: str | None) -> None:
    check_answers(address or os.environ.get("RAY_ADDRESS", ""))
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        where = f"no Ray cluster answers at {address or os.environ.get('RAY_ADDRESS')}"
        raise StudyError(f"{where} ({one_line(error)}); check --address, or leave it out") from error


def _terminate(number: int, _: Any) -> None:
    """Unwind like an error does. Records are whole or absent, so there is nothing to save."""
    raise SystemExit(128 + number)

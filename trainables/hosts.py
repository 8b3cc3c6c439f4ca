"""In which process does a trial train? Three answers; the training is the same function in all of them.

| compute.workers | gpus_per_trial | host    | where                                                                |
|-----------------|----------------|---------|----------------------------------------------------------------------|
| 0               | 0              | `warm`  | a pooled Ray worker that outlives the trial, its search and its phase |
| 0               | > 0            | `own`   | the trial's own process, which keeps the GPU and the base model       |
| N >= 1          | any            | `group` | a Ray Train group of N data-parallel workers                         |

On a CPU a pooled worker imports the libraries once for the whole study (about 6 s that each search would pay
again). With a GPU Ray ends a pooled worker after each task, because its memory would stay taken; there the trial's
process lives as long as its search, and the base model stays loaded between trials.

    host = choose(workers=0, cpus=1, gpus=0, place={})
    outcome = host(config, learning_rate, places, runtime, report)

A run that is told to go (see `trainables.preemption`; the notice that Ray drains a node is passed on here) has written
its state. `warm` and `group` then start it again at once, on other nodes, because they wait elsewhere; from `own`
comes `Preempted`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import ray
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from trainables import preemption, storage
from trainables.config import Places, Runtime, TuneConfig
from trainables.errors import Halted, Preempted, StudyError
from trainables.results import Outcome, Report

Host = Callable[[TuneConfig, float, Places, Runtime, Report], Outcome]

POOL = {"STUDY_POOL": "train"}
"""Worker processes are shared only between tasks of equal environment: this one marks those that have torch loaded,
so that an actor that needs any process at all does not take, and end, a warm one."""
HEALTH_CHECK_SECONDS = "0.3"
"""Ray Train's controller hands over one report per check; the default of 2 s would make short trials wait."""
RESTARTS = 3
"""How often a worker group that lost a worker is started again; it resumes from its last state."""

DIED = (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError, ray.exceptions.NodeDiedError)
"""What Ray raises for a task whose process was lost more than RESTARTS times."""

DRAIN_SECONDS = 3.0
"""How often a worker asks whether its node is being drained; notices come 30 to 120 s ahead."""


def choose(workers: int, cpus: int, gpus: float, place: Mapping[str, float]) -> Host:
    """The host for these resources (per worker). `place`: what leads a process with a GPU to the right nodes."""
    if workers:
        return partial(group, workers, {"CPU": cpus, **({"GPU": gpus} if gpus else {}), **place})
    return own if gpus else partial(warm, cpus)


def trial_resources(
    workers: int, cpus: int, gpus: float, place: Mapping[str, float], sliver: dict[str, float]
) -> dict[str, float]:
    """What the trial's own process asks for: all it needs when it trains itself, else a sliver."""
    return {"CPU": float(cpus), "GPU": gpus, **place} if gpus and not workers else sliver


def own(config: TuneConfig, learning_rate: float, places: Places, runtime: Runtime, report: Report) -> Outcome:
    """Train in this process. Raises `Preempted` when it was told to go."""
    from trainables.phase import train

    with _watching_node():
        return train(config, learning_rate, places, runtime, report)


@contextmanager
def _watching_node() -> Iterator[None]:
    """Pass on the notice that Ray drains the node of this process."""
    if not ray.is_initialized():
        yield
        return
    node, over = ray.get_runtime_context().get_node_id(), threading.Event()

    def watch() -> None:
        while not over.wait(DRAIN_SECONDS):
            # Where Ray Train itself looks; there is no public way outside of a worker group (ray 2.60).
            if node in ray._private.state.state.get_draining_nodes():
                preemption.give_notice()

    thread = threading.Thread(target=watch, name="drain", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@ray.remote(max_retries=RESTARTS)
def _warm(config: TuneConfig, learning_rate: float, places: Places, runtime: Runtime, report: Report) -> str:
    return own(config, learning_rate, places, runtime, report).model_dump_json()


def warm(
    cpus: int, config: TuneConfig, learning_rate: float, places: Places, runtime: Runtime, report: Report
) -> Outcome:
    """Train in a pooled worker. A worker that dies or has to go is replaced, and the training resumes."""
    outside = PlacementGroupSchedulingStrategy(placement_group=None)  # the trial's own group is a sliver
    task = _warm.options(num_cpus=cpus, scheduling_strategy=outside, runtime_env={"env_vars": POOL})
    while True:
        try:
            return Outcome.model_validate_json(unwrapped(task.remote(config, learning_rate, places, runtime, report)))
        except Halted:
            raise
        except Preempted:
            continue
        except DIED as error:
            raise StudyError(killed(RESTARTS + 1)) from error


def killed(times: int) -> str:
    """What to say of a run whose process was killed so often. Nobody else kills a process again and again."""
    advice = "lower compute.slots or take larger machines; the next run goes on from the last state"
    return f"its process was killed {times} times, most likely because the memory ran out: {advice}"


def unwrapped(reference: Any) -> Any:
    """`ray.get` that raises what the task raised, when a user can mend it, instead of Ray's wrapper around it."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, StudyError):
            raise error.cause from error
        raise


def group(
    workers: int,
    resources: Mapping[str, float],
    config: TuneConfig,
    learning_rate: float,
    places: Places,
    runtime: Runtime,
    report: Report,
) -> Outcome:
    """Train in a Ray Train worker group, each worker on its share of every batch. `resources`: of one worker.

    Needs Ray's dashboard to be up: without it a stopped group keeps its resources (ray 2.60).
    """
    os.environ["RAY_TRAIN_HEALTH_CHECK_INTERVAL_S"] = HEALTH_CHECK_SECONDS
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    trainer = TorchTrainer(
        _group_worker,
        train_loop_config={"arguments": (config, learning_rate, places, runtime), "report": report},
        torch_config=TorchConfig(backend="cpu:gloo,cuda:nccl" if "GPU" in resources else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=workers, use_gpu="GPU" in resources, resources_per_worker=dict(resources)
        ),
        # The folder is the phase's and the trial's own, so the name need not be.
        run_config=RunConfig(name="group", storage_path=_train_folder(places)),
    )
    restarts = 0
    while True:
        try:
            return Outcome.model_validate_json(trainer.fit().return_value)
        except ray.train.TrainingFailedError as error:
            # Ray Train would also start a group again that found malformed data, each time for many seconds.
            cause = _first_cause(error)
            if isinstance(cause, Preempted) and not isinstance(cause, Halted):
                continue
            if isinstance(cause, StudyError) or restarts == RESTARTS:
                raise cause from error
            restarts += 1
        finally:
            storage.remove(_train_folder(places))


def _train_folder(places: Places) -> str:
    return storage.join(places.output, "group")


def _first_cause(error: Exception) -> Exception:
    """What a worker raised, when a user can mend it; else Ray's own error."""
    for failure in getattr(error, "worker_failures", {}).values():
        cause: BaseException | None = failure
        while cause is not None:
            if isinstance(cause, StudyError):
                return cause
            cause = cause.__cause__ or getattr(cause, "cause", None)
    return error


def _group_worker(loop_config: dict[str, Any]) -> str:
    """One worker of the group. All report dev scores to Ray Train, which waits for all; the first tells the rest."""
    from trainables.group import Group
    from trainables.phase import train

    context = ray.train.get_context()
    rank = context.get_world_rank()

    def report(event: dict[str, Any]) -> bool | None:
        hopeless = loop_config["report"](event) if rank == 0 else None
        if "score" in event:
            ray.train.report(event)
        return hopeless

    members = Group(rank, context.get_world_size())
    config, learning_rate, places, runtime = loop_config["arguments"]
    with _watching_node():
        return train(config, learning_rate, places, runtime, report, members).model_dump_json()

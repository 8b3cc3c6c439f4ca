"""How many devices does a run hold at this moment? What it holds from moment to moment makes up its device-hours.

    held(compute, there={"GPU": 8.0}, free={"GPU": 5.0}, most=4.0)       # 3.0

A phase that waits for a node holds none, a search that tries three rates at a time holds three, and a trial in a group
of workers as many as they are. A device is a GPU, in a study without any a process that trains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from study import narrowing
from study.plan import Phase
from study.records import Record
from study.spec import Compute, StudySpec


def used(spec: StudySpec, finished: Iterable[Record]) -> float:
    """Device-seconds that finished phases used, by what the spec says of devices now."""
    from study.analysis.spent import devices  # takes a while: only runs with a budget need it

    told = spec.model_dump(mode="json")
    return sum(record.cost.seconds * devices(told, record.kind) for record in finished)


def at_a_time(phase: Phase, spec: StudySpec, local: bool) -> int:
    """Trials of a phase that run side by side at most: those that wait for no other's score. On one machine the
    phases fill it: one."""
    if local or phase.kind not in ("intermediate", "target"):
        return 1
    from study.sampler import startup  # optuna, which takes a while

    return startup(narrowing.trials(phase, spec))


def most(phase: Phase, spec: StudySpec, local: bool) -> float:
    """Devices that a phase holds when it has all that it can use."""
    workers = spec.compute.workers if phase.kind in ("intermediate", "target") else 1
    return at_a_time(phase, spec, local) * max(1, workers) * (spec.compute.gpus_per_trial or 1.0)


def held(compute: Compute, there: Mapping[str, float], free: Mapping[str, float], most: float) -> float:
    """Devices that a run holds of a cluster that has `there` and could still give `free`.

    What is taken may be another's: a run's own part is not known, only that it is no more than its phases can use.
    """
    name, each = ("GPU", 1.0) if compute.gpus_per_trial else ("CPU", float(compute.cpus_per_trial))
    return min(most, max(0.0, there.get(name, 0.0) - free.get(name, 0.0)) / each)

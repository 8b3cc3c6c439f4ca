"""Which card does each size of a study train on, how does a phase find its way to one, and how many run at a time?

    chosen = cards_for(spec, [card("l4-24"), card("a100-80")])       # {"0.6b": l4-24, "14b": a100-80}
    asked("14b", 1.0, {"driver": 1.0, "size-14b": 1.0})              # {"size-14b": 0.001}

A cluster that was made for a study (`study clusters render`) says so in resources: every node of the group for 14b has
one `size-14b`, and so has the head, so that a driver sees what the cluster is for while no group has a node. Then a
phase asks for a sliver of it beside its GPU. On any other cluster it asks for nothing, and takes the GPU it gets. The
head also says how many GPUs there may be, so that all of them are asked for at once and not one after another.

A search is led by a process on the head, and so is a group of workers: the head's memory says how many of these run at
a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from study.budget import demand
from study.fit import Fit, fit
from study.gpus import Card
from study.spec import Compute, StudySpec
from trainables.config import TuneConfig
from trainables.errors import StudyError

PREFIX = "size-"
GPUS = "planned-gpus"
"""Of the head: GPUs of all groups at their largest."""
SLIVER = 0.001
"""Of a node's single unit: a thousand processes per node may ask."""
LEADING_BYTES = 120e6
"""Memory of a process on the head that leads trials or waits for one (measured: see `clusters/SCALE.md`)."""


def cards_for(spec: StudySpec, offered: Sequence[Card]) -> dict[str, Card]:
    """{size: its card}; offer them from the cheapest to the dearest.

    The first that holds the size without computing activations again (which makes a token half as dear again), else the
    first that holds it. Raises `StudyError`, a line per size that none holds, which names the nearest that fits.
    """
    found, refused = {}, []
    for size in spec.sizes:
        fits, line = [], ""
        for one in offered:
            try:
                fits.append((fitted(spec, size, one).recompute, one))
            except StudyError as error:
                line = str(error)
        if fits:
            found[size] = min(fits, key=lambda fit: fit[0])[1]  # the first of equals
        else:
            refused.append(line)
    if refused:
        raise StudyError("\n".join(refused))
    return found


def fitted(spec: StudySpec, size: str, where: Card) -> Fit:
    """How a trial of a size, as `compute` cuts it up, fits a card. Raises `StudyError` when it does not."""
    compute = spec.compute
    part = where.model_copy(update={"memory": where.memory * min(1.0, compute.gpus_per_trial)})
    return fit(demand(spec, size), part, compute.workers if compute.shard else 1)


def head_resources(sizes: Iterable[str], gpus: int) -> dict[str, int]:
    """What the head of a cluster for these sizes says, which offers no processor: phases stay off it, because its
    driver must live as long as the study. `gpus`: at most, in all groups."""
    return {"CPU": 0, "driver": 1, GPUS: gpus, **{resource(size): 1 for size in sizes}}


def resource(size: str) -> str:
    """What nodes for a size are known by."""
    return PREFIX + size


def asked(size: str, gpus: float, there: Mapping[str, float]) -> dict[str, float]:
    """What a process that trains a size asks for beside processors and GPUs; `there`: the cluster's resources."""
    return {resource(size): SLIVER} if gpus and resource(size) in there else {}


def check(sizes: Iterable[str], gpus: float, there: Mapping[str, float]) -> None:
    """Raises `StudyError` when the cluster was made for sizes, and one of these is not among them: it would wait."""
    made = sorted(name.removeprefix(PREFIX) for name in there if name.startswith(PREFIX))
    missing = [size for size in sizes if size not in made]
    if gpus and made and missing:
        raise StudyError(
            f"sizes: the cluster has no group for {', '.join(missing)}, only for {', '.join(made)};"
            " render its file again with this study"
        )


def slots(compute: Compute, resources: dict[str, float], local: bool) -> int:
    """How many phases run at the same time.

    On a cluster one more than fits now, or than its head says may come, so that an autoscaler sees the demand. Raises
    `StudyError` when a local machine cannot hold one.
    """
    group = max(1, compute.workers)
    needs = {"CPU": compute.cpus_per_trial * group, "GPU": compute.gpus_per_trial * group}
    fit = min(int(resources.get(name, 0.0) / need) for name, need in needs.items() if need > 0)
    if local and fit < 1:
        asked = " and ".join(f"{need:g} {name}" for name, need in needs.items() if need > 0)
        there = " and ".join(f"{resources.get(name, 0.0):g} {name}" for name, need in needs.items() if need > 0)
        raise StudyError(f"compute: a trial asks for {asked}, here are {there}; lower compute or give --address")
    if needs["GPU"]:
        fit = max(fit, int(resources.get(GPUS, 0.0) / needs["GPU"]))
    return compute.slots or (fit if local else fit + 1)


def led(config: object, searches: bool, compute: Compute) -> bool:
    """Whether a phase trains elsewhere than in the process that its driver starts: a search, or a group of workers."""
    return isinstance(config, TuneConfig) and (searches or compute.workers > 0)


def leaders(nodes: Iterable[Mapping[str, Any]], compute: Compute, trials: int) -> float:
    """How many led phases the memory of a cluster's head holds, one at least; `nodes`: as Ray lists them.

    `trials`: of a search. Those with a GPU of their own run elsewhere; others have a process on the head that waits.
    Without a head of its own kind (see `head_resources`) there is no bound: processes go where there is room.
    """
    heads = [node["Resources"] for node in nodes if node["Alive"] and "driver" in node["Resources"]]
    memory = sum(head.get("memory", 0.0) for head in heads)
    beside = 0 if compute.gpus_per_trial and not compute.workers else trials
    return max(1, memory // (LEADING_BYTES * (1 + beside))) if memory else math.inf

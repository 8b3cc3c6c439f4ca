"""Which card does each size of a study train on, how does a phase find its way to one, and how many run at a time?

    chosen = cards_for(spec, [card("l4-24"), card("a100-80")])       # {"0.6b": l4-24, "14b": a100-80}
    asked("14b", 1.0, {"driver": 1.0, "size-14b": 1.0})              # {"size-14b": 0.001}

A cluster that was made for a study (`study clusters render`) says so in resources: every node of the group for 14b has
one `size-14b`, and so has the head, so that a driver sees what the cluster is for while no group has a node. Then a
phase asks for a sliver of it beside its GPU. On any other cluster it asks for nothing, and takes the GPU it gets. The
head also says how many GPUs each group may have: all of them are asked for at once and not one after another, never
more (an autoscaler would add machines on demand to as many spot ones), and no size takes the turns of another: those
whose nodes never come leave the nodes of the others busy.

A search is led by a process on the head, and so is a group of workers: the head's memory says how many of these run at
a time, in fair parts for the groups that have some left.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from study.budget import demand
from study.fit import Fit, fit
from study.gpus import Card
from study.spec import Compute, StudySpec
from trainables.config import TuneConfig
from trainables.errors import StudyError

PREFIX = "size-"
GPUS = "planned-gpus"
"""Of the head: the GPUs of the cluster at its largest, or (`planned-gpus:0.6b/1.7b`) of its nodes for some sizes."""
ANYWHERE = ""
"""The pool of phases that no group of nodes was made for."""
LEAD = "/lead"
"""What a phase asks for that a process on the head leads, beside slots of its pool. No pool's name begins so."""
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


def head_resources(groups: Mapping[tuple[str, ...], int]) -> dict[str, int]:
    """What the head of a cluster says, which offers no processor: phases stay off it, because its driver must live as
    long as the study. `groups`: the sizes of each group of nodes -> its GPUs at most."""
    planned = {_planned("/".join(sizes)): gpus for sizes, gpus in groups.items()}
    return {"CPU": 0, "driver": 1, **planned, **{resource(size): 1 for sizes in groups for size in sizes}}


def _planned(pool: str) -> str:
    """No comma: Ray hands its node's process all resources as one list that is separated by them."""
    return f"{GPUS}:{pool}" if pool else GPUS


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


def pools(sizes: Iterable[str], gpus: float, there: Mapping[str, float]) -> dict[str, str]:
    """{size: the pool of nodes it runs on}. Sizes of the same group share one."""
    groups = [name.partition(":")[2] for name in there if gpus and name.startswith(f"{GPUS}:")]
    made = {size: group for group in groups for size in group.split("/")}
    return {size: made.get(size, ANYWHERE) for size in sizes}


def slots(compute: Compute, there: Mapping[str, float], local: bool, pools: Iterable[str]) -> dict[str, int]:
    """{pool: how many slots it has}. A phase takes one, a search in a pool of its own one for each trial at a time.

    On a cluster that was not made for sizes one more than fits now, or than its head says may come, so that an
    autoscaler sees the demand. Raises `StudyError` when a local machine cannot hold one.
    """
    group = max(1, compute.workers)
    needs = {"CPU": compute.cpus_per_trial * group, "GPU": compute.gpus_per_trial * group}
    fit = min(int(there.get(name, 0.0) / need) for name, need in needs.items() if need > 0)
    if local and fit < 1:
        asked = " and ".join(f"{need:g} {name}" for name, need in needs.items() if need > 0)
        has = " and ".join(f"{there.get(name, 0.0):g} {name}" for name, need in needs.items() if need > 0)
        raise StudyError(f"compute: a trial asks for {asked}, here are {has}; lower compute or give --address")
    most = {pool: int(there.get(_planned(pool), 0.0) / needs["GPU"]) if needs["GPU"] else 0 for pool in pools}
    anywhere = fit if local else max(fit, most.get(ANYWHERE, 0)) + 1
    found = {pool: anywhere if pool == ANYWHERE else max(1, count) for pool, count in most.items()}
    limit = compute.slots
    return {pool: min(limit, count) if limit and pool != ANYWHERE else limit or count for pool, count in found.items()}


def asks(pool: str, led: bool) -> tuple[str, ...]:
    """What a phase takes of while it is in flight: slots of its pool, and a place on the head if it is led."""
    return (pool, f"{LEAD} {pool}") if led else (pool,)


def busy(flying: Iterable[tuple[tuple[str, ...], int]]) -> Counter[str]:
    """{name: how much of it is taken}; `flying`: for each phase in flight what it asks for, its trials at a time."""
    taken: Counter[str] = Counter()
    for (pool, *lead), width in flying:
        taken.update(lead)
        taken[pool] += 1 if pool == ANYWHERE else width
    return taken


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


@dataclass
class Room:
    """How many phases may start: in each pool as many as its slots, and of led ones a fair part of what the head holds.

    Room(compute, {"0.6b": "0.6b", "14b": "14b"}, leaders=100)     # searches: 50 for each, while both have as many left
    """

    compute: Compute
    pools: Mapping[str, str]
    """Size -> its pool."""
    leaders: float = math.inf
    """How many led phases the head holds; one for each pool at least, so that none waits for another."""
    slots: dict[str, int] = field(default_factory=dict)

    def look(self, there: Mapping[str, float], local: bool) -> None:
        """See how large the cluster is now, or may be. Raises `StudyError` (see `slots`)."""
        self.slots = slots(self.compute, there, local, set(self.pools.values()))

    def parts(self, left: Callable[[str], int]) -> dict[str, int]:
        """{pool: its slots}; a limit of the study is shared among the pools that have phases left."""
        if not self.compute.slots:
            return self.slots
        return shared(self.compute.slots, {pool: min(count, left(pool)) for pool, count in self.slots.items()}, least=1)

    def free(self, busy: Mapping[str, int], left: Callable[[str], int]) -> tuple[int, dict[str, float]]:
        """How many phases may start, and {name: how many of those that ask for it}. `busy`: what those in flight took;
        `left(name)`: how many phases that ask for it are not over."""
        searches = {pool: min(count, left(f"{LEAD} {pool}")) for pool, count in self.slots.items()}
        led = shared(self.leaders, searches, least=1)
        whole = {**self.parts(left), **{f"{LEAD} {pool}": count for pool, count in led.items()}}
        taken = sum(busy.get(pool, 0) for pool in self.slots)
        most = self.compute.slots or sum(self.slots.values())
        return most - taken, {name: amount - busy.get(name, 0) for name, amount in whole.items()}

    def full(self, free: Mapping[str, float], waits_for: Callable[[str], bool]) -> bool:
        """Whether there are slots, and phases that wait for the head only."""
        return any(free[pool] >= 1 and waits_for(f"{LEAD} {pool}") for pool in self.slots)


def shared(amount: float, wishes: Mapping[str, int], least: int = 0) -> dict[str, int]:
    """{name: its fair part}: no more than it wishes, what it leaves for those that wish more. `least`: of whoever
    wishes as much, even where all of these come to more than there is.

    shared(10, {"a": 2, "b": 20, "c": 20})      # {"a": 2, "b": 4, "c": 4}
    """
    parts = {}
    for place, (name, wish) in enumerate(sorted(wishes.items(), key=lambda one: one[1])):
        fair = amount / (len(wishes) - place)
        parts[name] = wish if wish <= fair else max(least, int(fair))
        amount = max(0.0, amount - parts[name])
    return parts


def widths(wishes: Mapping[str, tuple[str, int]], free: Mapping[str, float]) -> dict[str, int]:
    """{phase that starts: how many trials it runs at a time}; `wishes`: phase -> (pool, trials that may run so).

    One each, and of the slots that nobody else is ready for (`free`, after these took one each) a fair part. Without a
    pool of its own a phase runs as many as it may, wherever there is room.
    """
    found: dict[str, int] = {}
    for pool in {pool for pool, _ in wishes.values()}:
        mine = {key: wish - 1 for key, (own, wish) in wishes.items() if own == pool}
        more = mine if pool == ANYWHERE else shared(max(0.0, free[pool]), mine)
        found |= {key: 1 + more[key] for key in mine}
    return found

"""Which phase goes next, and how long will the rest take?

Pure: no Ray, no clock, no storage. A phase is ready when everything it needs is done. Among the ready ones the
phase with the most work hanging on it goes first (its own cost plus the longest chain of phases behind it), which
also starts the large sizes early: they are never left for the end of the study.

    queue = Queue(needs={"a": (), "b": ("a",)}, priority={"a": 2.0, "b": 1.0})
    queue.take(4)        # ["a"]
    queue.finish("a")    # now "b" is ready
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from trainables.config import EvaluationConfig, ImportConfig, PretrainConfig, TuneConfig
from trainables.models import shape as shapes

STEP_FLOOR = 1e6
"""A step of the tiniest model costs as much as one of this many parameters: Python and kernel launches."""
EXAMPLES_PER_CELL = 500
"""Examples of a typical evaluation cell, for estimates only."""
IMPORT_PASSES = 7000.0
"""Quantising a parameter takes as long as pretraining does for so many: 130 million in 4.4 s on one core."""


@dataclass
class Queue:
    """The state of a walk over a DAG of phases. No call looks at more of the graph than it changes."""

    needs: Mapping[str, Sequence[str]]
    """Key -> keys that must be done first. Needs that are not keys of this mapping count as done."""
    priority: Mapping[str, float]
    done: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    """Key -> why, for phases that failed themselves."""
    blocked: dict[str, str] = field(default_factory=dict)
    """Key -> the failed phase behind it."""
    asks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Key -> the names of what there is only so much of, and of which it takes one while it runs."""

    def __post_init__(self) -> None:
        self._order = {key: place for place, key in enumerate(self.needs)}
        self._waiters: dict[str, list[str]] = {key: [] for key in self.needs}
        self._open: dict[str, int] = {}
        """Key -> how many of its needs are not done."""
        self._ready: dict[tuple[str, ...], list[tuple[float, int, str]]] = {}
        """What is asked for -> heap of (minus priority, place in the plan, key)."""
        self._left = Counter(name for key in self.needs if key not in self.done for name in self.asks.get(key, ()))
        for key, needs in self.needs.items():
            open_needs = {need for need in needs if need in self.needs and need not in self.done}
            for need in open_needs:
                self._waiters[need].append(key)
            self._open[key] = len(open_needs)
            if not open_needs and key not in self.done:
                self._offer(key)

    @property
    def over(self) -> bool:
        return len(self.done) + len(self.failed) + len(self.blocked) == len(self.needs)

    def take(self, free: int, room: dict[str, float] | None = None) -> list[str]:
        """Up to `free` ready phases, which count as running from now on, and no more of those that ask for something
        than there is `room` for, from which they are taken away (what it does not name has no bound). The ones that
        these leave out go first as soon as they may: what goes before them has no use for their places."""
        chosen: list[str] = []
        room = {} if room is None else room
        while len(chosen) < free:
            heaps = [heap for asked, heap in self._ready.items() if all(room.get(name, 1) >= 1 for name in asked)]
            if not any(heaps):
                break
            key = heappop(min(filter(None, heaps), key=lambda heap: heap[0]))[2]
            for name in room.keys() & self.asks.get(key, ()):
                room[name] -= 1
            chosen.append(key)
        self.running.update(chosen)
        return chosen

    def waits_for(self, name: str) -> bool:
        """Whether a phase is ready that asks for it."""
        return any(heap for asked, heap in self._ready.items() if name in asked)

    def left(self, name: str) -> int:
        """How many phases that ask for it are not over."""
        return self._left[name]

    def put_back(self, key: str) -> None:
        """A phase that could not be run now (another driver has it) is ready again."""
        self.running.discard(key)
        self._offer(key)

    def finish(self, key: str) -> None:
        self.running.discard(key)
        self._over(key)
        self.done.add(key)
        for waiter in self._waiters[key]:
            self._open[waiter] -= 1
            if not self._open[waiter] and waiter not in self.done and waiter not in self.blocked:
                self._offer(waiter)

    def fail(self, key: str, why: str) -> list[str]:
        """Mark a phase as failed; returns its descendants, which are now blocked, in the order of the plan."""
        self.running.discard(key)
        self._over(key)
        self.failed[key] = why
        fresh: list[str] = []
        edge = [key]
        while edge:
            for waiter in self._waiters[edge.pop()]:
                if waiter not in self.blocked and waiter not in self.done:
                    self._over(waiter)
                    self.blocked[waiter] = key
                    fresh.append(waiter)
                    edge.append(waiter)
        return sorted(fresh, key=self._order.__getitem__)

    def _offer(self, key: str) -> None:
        heap = self._ready.setdefault(self.asks.get(key, ()), [])
        heappush(heap, (-self.priority[key], self._order[key], key))

    def _over(self, key: str) -> None:
        self._left -= Counter(self.asks.get(key, ()))


def priorities(needs: Mapping[str, Sequence[str]], costs: Mapping[str, float]) -> dict[str, float]:
    """Key -> its cost plus that of the costliest chain of phases that wait for it."""
    waiting: dict[str, list[str]] = {key: [] for key in needs}
    for key, before in needs.items():
        for need in before:
            if need in waiting:
                waiting[need].append(key)
    found: dict[str, float] = {}

    def chain(key: str) -> float:
        if key not in found:
            found[key] = costs[key] + max((chain(after) for after in waiting[key]), default=0.0)
        return found[key]

    return {key: chain(key) for key in needs}


def cost(config: PretrainConfig | ImportConfig | TuneConfig | EvaluationConfig, trials: int) -> float:
    """Relative cost of a phase: parameter passes over tokens. Good enough to order phases and scale an ETA."""
    shape = config.size.architecture
    if isinstance(config, ImportConfig):
        return IMPORT_PASSES * shapes.parameters(shape)
    weights = shape.layers * (4 * shape.hidden**2 + 3 * shape.hidden * shape.intermediate) + STEP_FLOOR
    if isinstance(config, EvaluationConfig):
        return weights * EXAMPLES_PER_CELL * sum(config.max_length[cell.task] for cell in config.cells)
    length = config.max_length if isinstance(config, PretrainConfig) else max(config.max_length.values())
    tokens = config.steps * config.batch_size * length
    return 3.0 * weights * tokens if isinstance(config, PretrainConfig) else 2.0 * weights * tokens * trials


@dataclass
class Clock:
    """Seconds still to go, from the phases that were measured in this run.

    Phases of one group take about the same time per cost. A call looks at the groups and at what is running, not at
    every phase.
    """

    costs: Mapping[str, float]
    groups: Mapping[str, str]
    """Key -> name of its group (kind and size)."""
    pools: Mapping[str, str] = field(default_factory=dict)
    """Key -> name of the nodes that it runs on, if not on any; the same for all of a group."""

    def __post_init__(self) -> None:
        self._left: dict[str, Counter[float]] = {}
        """Group -> how many of each cost are not over. A group has few different costs."""
        self._over: set[str] = set()
        self._seconds: dict[str, float] = {}
        self._measured: dict[str, float] = {}
        """Group -> seconds and cost of what was measured."""
        self._pool = {group: self.pools.get(key, "") for key, group in self.groups.items()}
        for key, group in self.groups.items():
            self._left.setdefault(group, Counter())[self.costs[key]] += 1

    def over(self, key: str, seconds: float | None = None) -> None:
        """A phase has ended, or will not run; `seconds`: how long it took, if it was measured."""
        group = self.groups[key]
        if key not in self._over:
            self._over.add(key)
            self._left[group] -= Counter([self.costs[key]])
        if seconds is not None:
            self._seconds[group] = self._seconds.get(group, 0.0) + seconds
            self._measured[group] = self._measured.get(group, 0.0) + self.costs[key]

    def rate(self, group: str) -> float | None:
        """Seconds per cost: of the group if one of it was measured, else of all; None at first."""
        groups = [group] if self._measured.get(group) else list(self._measured)
        cost = sum(self._measured[one] for one in groups)
        return sum(self._seconds[one] for one in groups) / cost if cost else None

    def eta(self, running: Mapping[str, float], slots: Mapping[str, int]) -> float | None:
        """Seconds until all is over; `running`: key -> seconds that a phase has been running; `slots`: of each pool."""
        rates = {group: self.rate(group) for group, left in self._left.items() if left}
        known = {group: rate for group, rate in rates.items() if rate is not None}
        if len(known) < len(rates):
            return None
        return max((self._eta(running, known, pool, count) for pool, count in slots.items()), default=0.0)

    def _eta(self, running: Mapping[str, float], rates: Mapping[str, float], pool: str, slots: int) -> float:
        """Of the phases of one pool; `rates`: of the groups that are not over."""
        mine = [key for key in running if key not in self._over and self._pool[self.groups[key]] == pool]
        taken = Counter((self.groups[key], self.costs[key]) for key in mine)
        waiting = {
            group: {cost: n - taken[group, cost] for cost, n in self._left[group].items() if n > taken[group, cost]}
            for group in rates
            if self._pool[group] == pool
        }
        rest = [max(rates[self.groups[key]] * self.costs[key] - running[key], 0.0) for key in mine]
        total = sum(rest) + sum(rates[group] * cost * n for group, left in waiting.items() for cost, n in left.items())
        rest += [rates[group] * max(costs) for group, costs in waiting.items() if costs]
        count = len(mine) + sum(n for costs in waiting.values() for n in costs.values())
        return max(total / max(1, min(slots, count)), *rest) if rest else 0.0

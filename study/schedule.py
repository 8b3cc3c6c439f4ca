"""Which phase goes next, and how long will the rest take?

Pure: no Ray, no clock, no storage. A phase is ready when everything it needs is done. Among the ready ones the
phase with the most work hanging on it goes first (its own cost plus the longest chain of phases behind it), which
also starts the large sizes early: they are never left for the end of the study.

    queue = Queue(needs={"a": (), "b": ("a",)}, priority={"a": 2.0, "b": 1.0})
    queue.take(4)        # ["a"]
    queue.finish("a")    # now "b" is ready
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    """The state of a walk over a DAG of phases."""

    needs: Mapping[str, Sequence[str]]
    """Key -> keys that must be done first. Needs that are not keys of this mapping count as done."""
    priority: Mapping[str, float]
    done: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    """Key -> why, for phases that failed themselves."""
    blocked: dict[str, str] = field(default_factory=dict)
    """Key -> the failed phase behind it."""

    @property
    def over(self) -> bool:
        return len(self.done) + len(self.failed) + len(self.blocked) == len(self.needs)

    @property
    def left(self) -> list[str]:
        """Keys that still have to run or are running."""
        return [key for key in self.needs if key not in self.done and not self._dead(key)]

    def take(self, free: int) -> list[str]:
        """Up to `free` ready phases, which count as running from now on."""
        ready = [key for key in self.left if key not in self.running and self._ready(key)]
        order = {key: place for place, key in enumerate(self.needs)}
        chosen = sorted(ready, key=lambda key: (-self.priority[key], order[key]))[: max(0, free)]
        self.running.update(chosen)
        return chosen

    def put_back(self, key: str) -> None:
        """A phase that could not be run now (another driver has it) is ready again."""
        self.running.discard(key)

    def finish(self, key: str) -> None:
        self.running.discard(key)
        self.done.add(key)

    def fail(self, key: str, why: str) -> list[str]:
        """Mark a phase as failed; returns its descendants, which are now blocked."""
        self.running.discard(key)
        self.failed[key] = why
        fresh: list[str] = []
        lost = {key}
        grown = True
        while grown:
            grown = False
            for other in self.left:
                if lost.intersection(self.needs[other]):
                    lost.add(other)
                    fresh.append(other)
                    self.blocked[other] = key
                    grown = True
        return fresh

    def _dead(self, key: str) -> bool:
        return key in self.failed or key in self.blocked

    def _ready(self, key: str) -> bool:
        return all(need in self.done or need not in self.needs for need in self.needs[key])


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
    """Seconds still to go, from the phases that were measured in this run."""

    costs: Mapping[str, float]
    groups: Mapping[str, str]
    """Key -> name of the group of phases that take about the same time per cost (kind and size)."""
    seconds: dict[str, float] = field(default_factory=dict)

    def estimate(self, key: str) -> float | None:
        """Seconds of a phase: at the rate of its own group if one of it was measured, else of all; None at first."""
        same = [other for other in self.seconds if self.groups[other] == self.groups[key]]
        known = same or list(self.seconds)
        total = sum(self.costs[other] for other in known)
        return self.costs[key] * sum(self.seconds[other] for other in known) / total if total else None

    def eta(self, left: Mapping[str, float], slots: int) -> float | None:
        """Seconds until the phases of `left` (key -> seconds it has been running) are done on `slots` slots."""
        guesses = [(self.estimate(key), spent) for key, spent in left.items()]
        if any(guess is None for guess, _ in guesses):
            return None
        rest = [max(0.0, guess - spent) for guess, spent in guesses if guess is not None]
        return max(sum(rest) / max(1, min(slots, len(rest))), max(rest)) if rest else 0.0

"""Roughly how long will a plan take? Good to a factor of two, and it says what the guess rests on.

Phases like those already finished are taken at their measured speed; before anything was measured, at a speed
assumed for one processor core and very small models.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from study import narrowing
from study.plan import Row
from study.schedule import Clock, cost, priorities
from study.spec import StudySpec

ASSUMED_SPEED = {"pretrain": 2e11, "import": 2e11, "intermediate": 5e10, "target": 5e10, "evaluation": 5e10}
"""Units of `study.schedule.cost` per second, from lab runs on one thread."""


@dataclass(frozen=True)
class Estimate:
    seconds: float
    """Wall seconds for the phases still to run."""
    measured: int
    """Finished phases behind the estimate; 0: it rests on assumed speeds alone."""

    @property
    def basis(self) -> str:
        return (
            f"measured on {self.measured} finished phases"
            if self.measured
            else "assumed speed of one core, not measured"
        )


def estimate(spec: StudySpec, rows: list[Row]) -> Estimate:
    """Rough wall time of the rows to run: total work over the slots, but no less than the longest chain."""
    phases = {row.phase.key: row.phase for row in rows}
    trials = {key: narrowing.trials(phase, spec) for key, phase in phases.items()}
    costs = {key: cost(phase.config, trials[key]) for key, phase in phases.items()}
    groups = {key: f"{phase.kind} {phase.size}" for key, phase in phases.items()}
    clock, measured = Clock(costs, groups), 0
    for row in rows:
        if row.record is not None:
            spent = row.record.cost
            clock.over(row.phase.key, max(spent.wall_seconds, spent.seconds))
            measured += 1
    seconds = {}
    for row in rows:
        if row.action == "run":
            rate = clock.rate(groups[row.phase.key])
            seconds[row.phase.key] = costs[row.phase.key] * (
                1 / ASSUMED_SPEED[row.phase.kind] if rate is None else rate
            )
    needs = {key: phases[key].needs for key in seconds}
    longest = max(priorities(needs, seconds).values(), default=0.0)
    slots = spec.compute.slots or max(1, (os.cpu_count() or 1) // spec.compute.cpus_per_trial)
    return Estimate(max(sum(seconds.values()) / slots, longest), measured)

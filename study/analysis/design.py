"""What did the study set out to do? The stored spec as a `Design`, so that what is missing can be named.

Without a readable spec the design is what the records show, and nothing can be called missing.
"""

from __future__ import annotations

from math import inf
from typing import Any

from study.analysis.frame import Design, observed
from study.records import Record
from trainables.tasks import TASKS


def design(spec: dict[str, Any], records: list[Record]) -> Design:
    """From `spec.json` (a dumped `StudySpec`) and the records. Names that only records have are not in the design."""
    seen = observed(records)
    if not all(isinstance(spec.get(name), list | dict) for name in ("sizes", "arms", "targets", "seeds")):
        return seen
    targets = tuple(spec["targets"])
    direct = frozenset(
        task for task in targets if task in spec.get("direct", ()) or (task in TASKS and TASKS[task].direct)
    )
    return Design(
        name=str(spec.get("name", seen.name)),
        sizes=tuple(sorted(spec["sizes"], key=lambda size: seen.parameters.get(size, inf))),
        arms=tuple(sorted(spec["arms"], key=lambda arm: arm != "none")),
        targets=targets,
        seeds=tuple(spec["seeds"]),
        direct=direct,
        degenerate=frozenset(
            (arm, target)
            for arm, tasks in arm_tasks(spec).items()
            for target in targets
            if target not in direct and _same_data(tasks, target)  # without a target phase nothing is trained on twice
        ),
        resamples=int(spec.get("report", {}).get("bootstrap", seen.resamples)),
        parameters=seen.parameters,
    )


def arm_tasks(spec: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """{arm: names of its intermediate tasks}; none for arm `none`."""
    arms = spec.get("arms")
    arms = arms if isinstance(arms, dict) else {}
    return {str(arm): tuple((value or {}).get("tasks", {})) for arm, value in arms.items()}


def text_arms(spec: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """{arm with running text: the arms that are the same without it}"""
    arms = spec.get("arms")
    made_of = {str(arm): value for arm, value in (arms if isinstance(arms, dict) else {}).items() if value}
    found = {arm: value for arm, value in made_of.items() if value.get("text")}
    return {
        arm: tuple(other for other, plain in made_of.items() if {**value, "text": None} == {"text": None, **plain})
        for arm, value in found.items()
    }


def metric(target: str) -> str:
    """What a target's score is, in words."""
    return TASKS[target].metric if target in TASKS else "score"


def _same_data(tasks: tuple[str, ...], target: str) -> bool:
    """True when an arm's only task is trained on the data that the target is trained on."""
    if len(tasks) != 1 or target not in TASKS or tasks[0] not in TASKS:
        return False
    data = TASKS[target].trains_on
    return bool(data) and data == TASKS[tasks[0]].trains_on

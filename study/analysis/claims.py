"""What is our number for a published claim? An estimate at one size, a ranking, or why there is none.

Arms are found by what they are made of, not by their names: the arm on SQuAD is the one whose only task is `squad`.
Pairs that train twice on the same data are kept, as the paper keeps them.

Where the best arm per target is asked for, it is chosen by the English dev scores of the target phases (for a target
without one by their mean over the others), never by test scores: the winner's gain is then no winner's luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from study.analysis.basis import Basis
from study.analysis.design import arm_tasks, text_arms
from study.analysis.gains import Place, gains_by_language, pool, pooled_gain
from study.analysis.leaves import NOTHING, Leaves
from study.analysis.noise import Estimate
from study.analysis.series import mean_entry, noise

Kind = Literal["arms_first", "targets_first", "little", "single", "mixture", "mixture_extra", "best", "text", "files"]
DRAWS = 4000
Found = Estimate | str
"""A number, or why there is none."""


@dataclass(frozen=True)
class Claim:
    """One line of `phang2020.yaml`; values in points."""

    claim: str
    kind: Kind
    mark: str
    theirs: float | None = None
    tasks: Sequence[str] = ()
    targets: Sequence[str] = ()
    within: float = 0.0


@dataclass(frozen=True)
class Ranking:
    """Who is ahead of whom: (names, draws) joint draws of gains, and the names that the claim puts first."""

    names: tuple[str, ...]
    named: tuple[str, ...]
    draws: np.ndarray


def ours(base: Basis, claim: Claim, size: str, targets: Sequence[str]) -> Found | Ranking:
    """Our side of a claim at one size; `targets` are those of the paper's means that this study has."""
    made: dict[str, Callable[[], Found | Ranking]] = {
        "arms_first": lambda: _arms_first(base, claim, size, targets),
        "targets_first": lambda: _targets_first(base, claim, size),
        "little": lambda: best(base, size, claim.targets),
        "single": lambda: _single(base, claim.tasks[0], size, targets),
        "mixture": lambda: _mixture(base, size, targets),
        "mixture_extra": lambda: _mixture_extra(base, size, targets),
        "best": lambda: best(base, size, claim.targets or targets),
        "text": lambda: _against_plain(base, _text_pairs(base), size, "running text"),
        "files": lambda: _against_plain(base, _file_pairs(base), size, "training files of its own"),
    }
    return made[claim.kind]()


def single_arms(base: Basis) -> dict[str, str]:
    """{task: the arm that is made of it alone, without text or other files}"""
    arms = base.spec.get("arms") or {}
    plain = {arm for arm, value in arms.items() if value and not value.get("text") and not value.get("files")}
    return {tasks[0]: arm for arm, tasks in arm_tasks(base.spec).items() if len(tasks) == 1 and arm in plain}


def _lacking(base: Basis, targets: Sequence[str]) -> str:
    absent = [target for target in targets if target not in base.design.targets]
    return f"targets not in this study: {', '.join(absent)}" if absent else ""


def _single(base: Basis, task: str, size: str, targets: Sequence[str]) -> Found:
    arm = single_arms(base).get(task)
    if arm is None:
        return f"no arm of {task} alone in this study"
    return _at(base, arm, size, targets)


def _at(base: Basis, arm: str, size: str, targets: Sequence[str], plain: str = "none") -> Found:
    """Pooled gain over arm `plain` at one size."""
    found = pooled_gain(base.resampled, base.design, arm, plain, targets)
    estimate = found.gain.at(size) if found and set(found.targets) == set(targets) else None
    return estimate if estimate else f"{arm} is not scored on every target at {size}"


def _mixtures(base: Basis) -> list[str]:
    """Arms of several tasks and nothing else, the one with most tasks first."""
    tasks = arm_tasks(base.spec)
    arms = base.spec.get("arms") or {}
    found = [arm for arm, names in tasks.items() if len(names) > 1 and not arms[arm].get("text")]
    return sorted(found, key=lambda arm: -len(tasks[arm]))


def _mixture(base: Basis, size: str, targets: Sequence[str]) -> Found:
    mixed = _mixtures(base)
    return _at(base, mixed[0], size, targets) if mixed else "no arm of several tasks"


def _mixture_extra(base: Basis, size: str, targets: Sequence[str]) -> Found:
    """The largest mixture over the single task that is best on dev."""
    mixed = _mixtures(base)
    chosen = chosen_arms(base, size, ["*"], list(single_arms(base).values()))
    if not mixed or not chosen:
        return "an arm of several tasks and arms of one are both needed"
    return _at(base, mixed[0], size, targets, chosen["*"])


def chosen_arms(base: Basis, size: str, targets: Sequence[str], among: Sequence[str]) -> dict[str, str]:
    """{target: arm with the best English dev score}; of a target that is not tuned the best on the mean of the others.

    Means over seeds; only arms that have every dev score of the size.
    """
    rows = base.phases[(base.phases["kind"] == "target") & (base.phases["size"] == size)]
    rows = rows[rows["arm"].isin(among) & rows["dev_score"].notna()]
    if rows.empty:
        return {}
    scores = rows.assign(dev_score=rows["dev_score"].astype(float)).groupby(["arm", "target"])["dev_score"].mean()
    table = scores.unstack()
    table = table[table.notna().all(axis=1)].sort_index()
    if table.empty:
        return {}
    overall = str(table.mean(axis=1).idxmax())
    return {target: str(table[target].idxmax()) if target in table else overall for target in targets}


def best(base: Basis, size: str, targets: Sequence[str]) -> Found:
    """Gain of the arm that is best on dev, target by target, averaged over the targets."""
    if why := _lacking(base, targets):
        return why
    chosen = chosen_arms(base, size, targets, base.design.treated)
    if not chosen:
        return f"no arm has all of its dev scores at {size}"
    places = [(size, seed) for seed in base.design.seeds]
    leaves: dict[str, dict[Place, Leaves]] = {
        target: {
            place: gains_by_language(base.resampled, chosen[target], target, place) if place in places else NOTHING
            for place in base.design.places
        }
        for target in targets
    }
    found = pool(leaves, base.design, "best on dev")
    estimate = found.gain.at(size) if found and set(found.targets) == set(targets) else None
    return estimate if estimate else f"not every target is scored at {size}"


def _arms_first(base: Basis, claim: Claim, size: str, targets: Sequence[str]) -> Ranking | str:
    singles = single_arms(base)
    absent = [task for task in claim.tasks if task not in singles]
    if absent or len(singles) == len(claim.tasks):
        lacking = ", ".join(absent) or "any other task"
        return f"no arm of {lacking} alone in this study"
    leaves = {
        arm: {
            seed: {target: gains_by_language(base.resampled, arm, target, (size, seed)) for target in targets}
            for seed in base.design.seeds
        }
        for arm in singles.values()
    }
    return _ranking(leaves, [singles[task] for task in claim.tasks], size)


def _targets_first(base: Basis, claim: Claim, size: str) -> Ranking | str:
    """Of the targets named, those of this study; one alone would be another claim."""
    named = [target for target in claim.targets if target in base.design.targets]
    if len(named) < 2 or len(named) == len(base.design.targets):
        return _lacking(base, claim.targets) or "no other target to compare with"
    arms = list(single_arms(base).values()) or list(base.design.treated)
    leaves = {
        target: {
            seed: {arm: gains_by_language(base.resampled, arm, target, (size, seed)) for arm in arms}
            for seed in base.design.seeds
        }
        for target in base.design.targets
    }
    return _ranking(leaves, named, size)


def _ranking(
    leaves: Mapping[str, Mapping[int, Mapping[str, Leaves]]], named: Sequence[str], size: str
) -> Ranking | str:
    """From {name: {seed: {part: gains by language}}}: joint draws of the means over parts."""
    lacking = sorted(
        {name for name, seeds in leaves.items() for parts in seeds.values() if not parts or not all(parts.values())}
    )
    if lacking:
        return f"not everything is scored at {size}: {', '.join(lacking)}"
    entries = {(name, seed): mean_entry(parts) for name, seeds in leaves.items() for seed, parts in seeds.items()}
    names = tuple(leaves)
    points = np.array([np.mean([entry.point for (who, _), entry in entries.items() if who == name]) for name in names])
    together, _, _ = noise(entries, names)
    return Ranking(names, tuple(named), together.draws(points, DRAWS, "ranking"))


def _text_pairs(base: Basis) -> dict[str, str]:
    return {arm: plains[0] for arm, plains in text_arms(base.spec).items() if plains}


def _file_pairs(base: Basis) -> dict[str, str]:
    """{arm with training files of its own: the arm that is the same without}"""
    arms: dict[str, Any] = {arm: value for arm, value in (base.spec.get("arms") or {}).items() if value}
    return {
        arm: other
        for arm, value in arms.items()
        if value.get("files")
        for other, plain in arms.items()
        if {**value, "files": {}} == {"files": {}, **plain}
    }


def _against_plain(base: Basis, pairs: Mapping[str, str], size: str, what: str) -> Found:
    """The first arm with it against the same without."""
    if not pairs:
        return f"no arm with {what} beside the same arm without"
    arm, plain = next(iter(pairs.items()))
    return _at(base, arm, size, base.design.targets, plain)

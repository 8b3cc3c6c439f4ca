"""What does a checkpoint score on the benchmark? Task, group and overall scores, and what each of them lacks.

A task's score is the unweighted mean over the benchmark's languages of it, English included where it is one; a
group's the unweighted mean of its tasks; the overall score the unweighted mean of the ten tasks (Ruder et al. 2021).
The public evaluation script cannot give the last one for XTREME-R: it has neither languages nor a reader for LAReQA.

    task_average({"et": 60.0, "zh": 70.0}, ("et", "th", "zh"))      # Average(65.0, missing=("th",)): partial
    average_of({"xcopa": whole}, ("xnli", "xcopa"))                 # Average(nan, missing=("xnli",)): no number

A mean over fewer languages is given, marked partial, with the missing ones named. A mean over fewer *tasks* is none:
tasks differ so much in level that it would say more about which are missing than about the checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np
import pandas as pd

from study.analysis.frame import Design, lines
from study.analysis.resample import Resampled
from study.analysis.series import POINTS, Entry, Series, series
from trainables.tasks import TASKS
from trainables.tasks.benchmark import GROUPS, XTREME_R

OVERALL = "XTREME-R"
BASELINES = ["majority", "random", "english"]
COLUMNS = ["level", "name", "arm", "size", "score", "low", "high", *BASELINES]
COLUMNS += ["seeds", "partial", "missing", "stand_ins"]
Place = tuple[str, str, int]
"""(size, arm, seed)"""


@dataclass(frozen=True)
class Average:
    """A mean in points, and what it lacks."""

    score: float
    """NaN when there is no number to give."""
    missing: tuple[str, ...] = ()
    """Languages of a task; tasks, or "task in languages", of a group."""

    @property
    def partial(self) -> bool:
        """True when something is missing from the number: it is not the benchmark's."""
        return bool(self.missing)


@dataclass(frozen=True)
class Scorecard:
    """All averages of one (size, arm, seed)."""

    tasks: dict[str, Average]
    """Only those with a score; in the order of the benchmark."""
    groups: dict[str, Average]
    overall: Average

    def rows(self) -> Iterable[tuple[str, str, Average]]:
        """(level, name, average), the overall score first."""
        yield "overall", OVERALL, self.overall
        yield from (("group", name, average) for name, average in self.groups.items())
        yield from (("task", name, average) for name, average in self.tasks.items())


def task_average(scores: Mapping[str, float], languages: Sequence[str]) -> Average:
    """Unweighted mean over a task's benchmark languages; scores of other languages are left out."""
    found = [scores[code] for code in languages if code in scores]
    return Average(float(np.mean(found)) if found else nan, tuple(code for code in languages if code not in scores))


def average_of(tasks: Mapping[str, Average], names: Sequence[str]) -> Average:
    """Unweighted mean of tasks; no number unless each of them has one."""
    absent = [name for name in names if name not in tasks or isnan(tasks[name].score)]
    lacking = [
        f"{name} in {' '.join(tasks[name].missing)}" for name in names if name not in absent and tasks[name].partial
    ]
    score = nan if absent else float(np.mean([tasks[name].score for name in names]))
    return Average(score, (*absent, *lacking))


def scorecard(scores: Mapping[str, Mapping[str, float]]) -> Scorecard:
    """The averages of {task: {language: points}}; tasks outside XTREME-R are left out."""
    tasks = {name: task_average(scores[name], TASKS[name].benchmark) for name in XTREME_R if scores.get(name)}
    tasks = {name: average for name, average in tasks.items() if not isnan(average.score)}
    groups = {group: average_of(tasks, names) for group, names in GROUPS.items()}
    return Scorecard(tasks, groups, average_of(tasks, XTREME_R))


def benchmark(cells: pd.DataFrame, design: Design, resampled: Resampled) -> pd.DataFrame:
    """One row per (overall, group or task; arm; size), columns `COLUMNS`: the mean over the seeds that have the
    number, with its 95 % interval. `cells` are rows of `frame.result_cells`.

    `BASELINES` are the same means of the predictors that do not look and of the English scores (NaN where a task does
    not test English). `missing` names what the number lacks (or, where there is none, why); `stand_ins` the task and
    languages in it that were not scored on their own test sets.
    """
    cards = {place: scorecard(scores) for place, scores in _by_place(cells).items()}
    baselines = _baselines(cells)
    rows = []
    for arm in design.arms:
        ours = {place: card for place, card in cards.items() if place[1] == arm}
        for level, name in dict.fromkeys((level, name) for card in ours.values() for level, name, _ in card.rows()):
            averages = {place: _average(card, level, name) for place, card in ours.items()}
            curve = _curve(ours, averages, resampled, design, arm, name)
            for size in design.sizes:
                here = [average for place, average in averages.items() if place[0] == size]
                if here:
                    estimate = curve.at(size) if curve else None
                    interval = (estimate.low, estimate.high) if estimate else (nan, nan)
                    stands = _stand_ins(cells[(cells["arm"] == arm) & (cells["size"] == size)], _tasks(name))
                    score, *lacks = _over_seeds(level, here)
                    beside = _beside(baselines, arm, size, _tasks(name)) if not isnan(score) else (nan,) * 3
                    rows.append((level, name, arm, size, score, *interval, *beside, *lacks, stands))
    return pd.DataFrame(rows, columns=COLUMNS)


def _by_place(cells: pd.DataFrame) -> dict[Place, dict[str, dict[str, float]]]:
    """{(size, arm, seed): {task: {language: points}}}"""
    found: dict[Place, dict[str, dict[str, float]]] = {}
    for row in lines(cells):
        found.setdefault((row.size, row.arm, row.seed), {}).setdefault(row.target, {})[row.language] = row.score
    return found


def _average(card: Scorecard, level: str, name: str) -> Average:
    found = {"overall": {OVERALL: card.overall}, "group": card.groups, "task": card.tasks}[level]
    return found.get(name, Average(nan, (name,)))


def _tasks(name: str) -> tuple[str, ...]:
    """The tasks behind the overall score, a group's, or a task's own."""
    return XTREME_R if name == OVERALL else GROUPS.get(name, (name,))


def _stand_ins(cells: pd.DataFrame, tasks: Sequence[str]) -> str:
    """ "panx in de fr; xnli in sw": what was scored on something else than its test set."""
    replaced = cells[cells["target"].isin(tasks) & (cells["stand_in"] != "")]
    found = replaced.groupby("target")["language"].unique()
    return "; ".join(f"{task} in {' '.join(sorted(codes))}" for task, codes in found.items())


def _baselines(cells: pd.DataFrame) -> dict[tuple[str, str, str], np.ndarray]:
    """{(arm, size, task): `BASELINES`}, means over the task's benchmark languages and the seeds."""
    benchmark = {name: set(TASKS[name].benchmark) for name in XTREME_R}
    kept = [code in benchmark.get(task, ()) for task, code in zip(cells["target"], cells["language"], strict=True)]
    own = cells[np.array(kept, dtype=bool)]
    own = own.assign(english=own["score"].where(own["language"] == "en"))
    means = own.groupby(["arm", "size", "target"])[BASELINES].mean()
    return {place: row for place, row in zip(means.index, means.to_numpy(), strict=True)}


def _beside(
    baselines: Mapping[tuple[str, str, str], np.ndarray], arm: str, size: str, tasks: Sequence[str]
) -> tuple[float, ...]:
    """`BASELINES` of a mean over tasks; NaN where one of the tasks has none."""
    rows = [baselines.get((arm, size, task), np.full(3, nan)) for task in tasks]
    return tuple(float(value) for value in np.mean(rows, axis=0))


def _over_seeds(level: str, averages: Sequence[Average]) -> tuple[float, int, bool, str]:
    """(score, seeds, partial, missing) of the seeds that have a number; if none has, of all."""
    told = [average for average in averages if not isnan(average.score)]
    missing = dict.fromkeys(part for average in told or averages for part in average.missing)
    score = float(np.mean([average.score for average in told])) if told else nan
    return (score, len(told), bool(missing), (" " if level == "task" else "; ").join(missing))


def _curve(
    cards: Mapping[Place, Scorecard],
    averages: Mapping[Place, Average],
    resampled: Resampled,
    design: Design,
    arm: str,
    name: str,
) -> Series | None:
    """The average by size, with example draws; without the sizes of which some predictions cannot be resampled."""
    entries = {}
    blind = set()
    for place, average in averages.items():
        if not isnan(average.score):
            draws = _draws(resampled, place, cards[place], _tasks(name))
            if draws is None:
                blind.add(place[0])
            else:
                entries[(place[0], place[2])] = Entry(average.score, draws)
    seen = {where: entry for where, entry in entries.items() if where[0] not in blind}
    found = series(arm, name, seen, design.sizes, design.parameters)
    return found.bounded(*POINTS) if found else None


def _draws(resampled: Resampled, place: Place, card: Scorecard, tasks: Sequence[str]) -> np.ndarray | None:
    """(draws,) of the mean over tasks of the mean over languages; None unless every scored language was resampled."""
    size, arm, seed = place
    means = []
    for task in tasks:
        scored = [code for code in TASKS[task].benchmark if code not in card.tasks[task].missing]
        drawn = [resampled.draws.get((size, arm, task, seed, code)) for code in scored]
        if any(one is None for one in drawn):
            return None
        means.append(np.mean([one for one in drawn if one is not None], axis=0))
    return np.mean(means, axis=0) if means else None

"""What records would a run have left of these scores? The same phases, lineage, searches and costs as a real one.

Keys are slugs with ten digits of the slug's checksum, unless the plan of a spec says otherwise (`keys`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from study import narrowing
from study.analysis.resample import Cell, Judged
from study.identity import DIGITS
from study.records import Cost, Record, Search, Trial, Winner
from study.simulation.planted import Planted
from study.spec import NONE
from trainables.config import PhaseKind
from trainables.results import LanguageScore

WHEN = "2000-01-01T00:00:00+00:00"
RATES = (1e-5, 1e-3)
"""Window of the learning rates tried."""
WARM, COLD = 0.3, 4.0
"""Seconds around a trial's training; the first starts a process."""


def _rates(window: tuple[float, float], count: int) -> list[float]:
    """Learning rates spread over the inside of a window."""
    return [float(rate) for rate in np.geomspace(*window, count + 2)[1:-1]]


def _middle(rates: list[float]) -> float:
    """The one that wins."""
    return rates[(len(rates) - 1) // 2]


@dataclass(frozen=True)
class Kept:
    """Answers on the English dev sets of the arms' own tasks."""

    before: Mapping[tuple[str, str, int, str], Judged]
    """{(size, arm, seed, task)}"""
    after: Mapping[tuple[str, str, int, str, str], Judged]
    """{(size, arm, seed, task, target)}"""


class Place(NamedTuple):
    """Which phase: what a key stands for."""

    kind: PhaseKind
    size: str
    arm: str | None = None
    target: str | None = None
    seed: int | None = None

    @property
    def key(self) -> str:
        parts = [self.kind, self.size, self.arm, self.target, None if self.seed is None else f"s{self.seed}"]
        slug = "-".join(part for part in parts if part)
        return f"{slug}-{hashlib.sha256(slug.encode()).hexdigest()[:DIGITS]}"


def spec_of(planted: Planted, seed: int) -> dict[str, Any]:
    """The part of a dumped `StudySpec` that a report reads; `simulated` says what was planted."""
    arms = {
        name: arm and {"tasks": dict.fromkeys(arm.tasks, 1.0), "text": _text(planted, name)}
        for name, arm in planted.arms.items()
    }
    return {
        "name": planted.name,
        "sizes": list(planted.sizes),
        "arms": arms,
        "targets": list(planted.targets),
        "direct": [name for name, target in planted.targets.items() if target.direct],
        "seeds": list(planted.seeds),
        "data": {"source": "simulated"},
        "report": {
            "bootstrap": planted.resamples,
            "in_domain": {name: list(arm.text.targets) for name, arm in planted.arms.items() if arm and arm.text},
        },
        "simulated": {"seed": seed, "planted": planted.model_dump(mode="json")},
    }


def _text(planted: Planted, name: str) -> dict[str, Any] | None:
    arm = planted.arms[name]
    if arm is None or arm.text is None:
        return None
    return {"files": ["simulated"], "share": 0.3, "languages": dict.fromkeys(arm.text.languages, 1.0)}


def records(planted: Planted, judged: Mapping[Cell, Judged], kept: Kept) -> list[Record]:
    """Every record of the finished study, sorted by key."""
    writer = _Writer(planted, judged, kept)
    for size in planted.sizes:
        writer.size(size)
    return sorted(writer.made, key=lambda record: record.key)


@dataclass
class _Writer:
    planted: Planted
    judged: Mapping[Cell, Judged]
    kept: Kept
    made: list[Record] = field(default_factory=list)

    def size(self, size: str) -> None:
        planted = self.planted
        base = Place("import", size)
        self._write(
            base, None, (), cost=Cost(seconds=planted.sizes[size] / 1e8, wall_seconds=planted.sizes[size] / 5e7)
        )
        direct = [name for name, target in planted.targets.items() if target.direct]
        if direct:
            scores = [one for name in direct for one in self._tests(size, NONE, name, planted.seeds[0])]
            self._evaluate(Place("evaluation", size, NONE), base, (base.key,), scores)
        for arm, made_of in planted.arms.items():
            for seed in planted.seeds:
                chain: tuple[str, ...] = (base.key,)
                if made_of:
                    phase = Place("intermediate", size, arm, None, seed)
                    self._tune(phase, None, chain)
                    chain = (*chain, phase.key)
                    own = [self._dev(size, task, self.kept.before[(size, arm, seed, task)]) for task in made_of.tasks]
                    tests = [one for name in direct for one in self._tests(size, arm, name, seed)]
                    self._evaluate(Place("evaluation", size, arm, None, seed), phase, chain, [*own, *tests])
                for target in (name for name in planted.targets if name not in direct):
                    self._target(Place("target", size, arm, target, seed), chain)

    def _target(self, phase: Place, chain: tuple[str, ...]) -> None:
        size, arm, target, seed = phase.size, phase.arm or NONE, phase.target or "", phase.seed or 0
        self._tune(phase, chain[-1] if len(chain) > 1 else None, chain)
        made_of = self.planted.arms[arm]
        own = [
            self._dev(size, task, self.kept.after[(size, arm, seed, task, target)])
            for task in (made_of.tasks if made_of else ())
        ]
        scores = [*self._tests(size, arm, target, seed), *own]
        self._evaluate(phase._replace(kind="evaluation"), phase, (*chain, phase.key), scores)

    def _tests(self, size: str, arm: str, target: str, seed: int) -> list[LanguageScore]:
        found = []
        for code in self.planted.targets[target].languages:
            found.append(self._score(size, target, code, "test", self.judged[(size, arm, target, seed, code)]))
        return found

    def _dev(self, size: str, task: str, answers: Judged) -> LanguageScore:
        return self._score(size, task, "en", "dev", answers)

    def _score(self, size: str, task: str, code: str, split: Any, answers: Judged) -> LanguageScore:
        count = len(answers.hits)
        target = self.planted.targets.get(task)
        blind = target.blind if target and split == "test" else 50.0
        tokens = 64 * count
        return LanguageScore(
            task=task,
            language=code,
            split=split,
            score=100 * float(answers.hits.mean()),
            examples=count,
            baselines={"majority": blind, "random": blind},
            seconds=self._seconds(2.0 * self.planted.sizes[size] * tokens),
            tokens=tokens,
            flops=2.0 * self.planted.sizes[size] * tokens,
        )

    def _seconds(self, flops: float) -> float:
        return flops / self.planted.costs.flops_per_second

    def _evaluate(self, place: Place, parent: Place, chain: tuple[str, ...], scores: list[LanguageScore]) -> None:
        seconds = sum(score.seconds for score in scores)
        cost = Cost(
            seconds=seconds,
            wall_seconds=seconds + WARM,
            tokens=sum(score.tokens for score in scores),
            flops=sum(score.flops for score in scores),
        )
        # Like a real run's: what scores a backbone has no parent phase, and is of no seed.
        self._write(place, parent.key if parent.seed is not None else None, chain, scores=tuple(scores), cost=cost)

    def _tune(self, place: Place, parent: str | None, chain: tuple[str, ...]) -> None:
        """A search on the first seed, its winner's rate on the others."""
        planted = self.planted
        flops = 4.0 * planted.sizes[place.size] * planted.costs.tokens  # a frozen base: forward and half of backward
        first = place.seed == planted.seeds[0]
        window, count, twin = RATES, planted.costs.trials, place._replace(size=next(iter(planted.sizes)))
        narrowed = planted.costs.transfer and place != twin
        if narrowed:
            window, count = narrowing.around(_middle(_rates(window, count))), narrowing.half(count)
        rates = _rates(window, count)
        rates = rates if first else [_middle(rates)]
        count, best = len(rates), rates.index(_middle(rates))
        trials = tuple(self._trial(n, rate, abs(n - best), flops) for n, rate in enumerate(rates))
        verdict: Literal["interior", "edge", "single"] = "interior"
        if count <= 2:  # of two the better one has a worse one on one side only
            verdict = "edge" if count == 2 else "single"
        searched = Search(window=window, trials=count, verdict=verdict, extended=False)
        searched = searched.model_copy(update={"narrowed_by": twin.key if narrowed else None})
        cost = Cost(
            seconds=sum(one.seconds for one in trials),
            wall_seconds=sum(one.wall_seconds for one in trials),
            tokens=sum(one.tokens for one in trials),
            flops=sum(one.flops for one in trials),
            winner_flops=flops,
            winner_seconds=trials[best].seconds,
        )
        self._write(
            place,
            parent,
            chain,
            cost=cost,
            trials=trials,
            search=searched if first else None,
            winner=Winner(trial=best, learning_rate=trials[best].learning_rate, score=trials[best].score),
            tuned_by=None if first else place._replace(seed=planted.seeds[0]).key,
        )

    def _trial(self, number: int, rate: float, off: int, flops: float) -> Trial:
        seconds = self._seconds(flops)
        return Trial(
            number=number,
            learning_rate=rate,
            status="finished",
            score=80.0 - off,
            steps=1000,
            tokens=self.planted.costs.tokens,
            flops=flops,
            seconds=seconds,
            wall_seconds=seconds + (COLD if number == 0 else WARM),
            first_loss=2.0,
            last_loss=1.0,
        )

    def _write(self, place: Place, parent: str | None, chain: tuple[str, ...], **more: Any) -> None:
        self.made.append(
            Record(
                key=place.key,
                kind=place.kind,
                study=self.planted.name,
                ladder="simulated",
                size=place.size,
                parameters=self.planted.sizes[place.size],
                arm=place.arm,
                task=place.target,
                seed=place.seed,
                identity={},
                parent=parent,
                lineage=(*chain, place.key),
                versions={"numpy": np.__version__},
                host="simulated",
                started=WHEN,
                finished=WHEN,
                **{"tuned_by": None, **more},
            )
        )

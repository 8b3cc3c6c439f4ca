"""A made-up finished study with planted effects: records and predictions as the runs write them, and nothing else.

plan = Plan(gains={"m": 12.0})                 # arm siqa adds 12 points at size m, on target xcopa
store = build(tmp_path / "toy", plan)
skip = {("m", "siqa", "xcopa", 1)}             # leaves cells out: a half-finished study
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from study.records import Cost, Record, Search, Trial, Winner
from study.store import Store
from trainables import storage
from trainables.results import LanguageScore
from trainables.tasks import TASKS

PARAMETERS = {"xs": 17_000, "s": 52_000, "m": 180_000, "l": 610_000, "xl": 2_100_000}
DISTANCE = {"en": 0.0, "xa": 0.14, "xb": 0.365, "xc": 0.655, "xd": 0.895}
BASE = {"xs": 60.0, "s": 68.0, "m": 76.0, "l": 81.0, "xl": 84.0}
DIRECT = "tatoeba"
LUCK = 0.5 * np.random.default_rng(1).random(20_000) + 0.5 * np.random.default_rng(2).random(20_000)
"""How the luck of an example is spread: half its own, half the checkpoint's."""


@dataclass(frozen=True)
class Plan:
    """What is planted. Scores are accuracies in points."""

    sizes: tuple[str, ...] = ("xs", "s", "m")
    arms: tuple[str, ...] = ("none", "siqa")
    targets: tuple[str, ...] = ("xcopa", "udpos", DIRECT)
    seeds: tuple[int, ...] = (0, 1)
    gains: dict[str, float] = field(default_factory=dict)
    """Points that every arm but `none` adds on xcopa, by size."""
    language_gains: dict[str, float] = field(default_factory=dict)
    """Points that every arm but `none` adds in a language, on every target."""
    seed_noise: float = 1.0
    """Standard deviation of a seed's score around its size's, in points."""
    per_distance: float = -15.0
    retained: float = 0.9
    examples: int = 300
    resamples: int = 300
    languages: dict[str, float | None] = field(default_factory=lambda: dict(DISTANCE))
    """Distance from English by language; None where unknown (real languages)."""
    chance: int = 0
    """Seed of the dice."""
    benchmark: bool = False
    """True: a study on real data, with every target in all languages of the benchmark instead of `languages`."""

    def tested(self, target: str) -> dict[str, float | None]:
        """{test language of a target: distance from English}"""
        return dict.fromkeys(TASKS[target].benchmark) if self.benchmark else self.languages


def build(folder: Path, plan: Plan, skip: Iterable[tuple[str, str, str, int]] = (), spec: bool = True) -> Store:
    """Write a study into `folder`; (size, arm, target, seed) in `skip` are neither trained nor scored."""
    store = Store(folder)
    skip = set(skip)
    if spec:
        store.write_spec(spec_of(plan))
    stated = {} if plan.benchmark else plan.languages
    storage.write_json(
        store.join("data", "lab-0", "languages.json"),
        {code: {"distance": d, "family": "lab"} for code, d in stated.items() if d is not None},
    )
    world = _World(store, plan)
    for size in plan.sizes:
        world.phase("pretrain", size)
        for arm in plan.arms:
            world.backbone(size, arm, skip)
            for seed in plan.seeds:
                world.line(size, arm, seed, skip)
    return store


def spec_of(plan: Plan) -> dict[str, Any]:
    """The part of a dumped `StudySpec` that a report reads."""
    return {
        "name": "toy",
        "sizes": list(plan.sizes),
        "arms": {arm: None if arm == "none" else {"tasks": {arm: 1.0}} for arm in plan.arms},
        "targets": list(plan.targets),
        "seeds": list(plan.seeds),
        "data": {"source": "local" if plan.benchmark else "lab"},
        "report": {"bootstrap": plan.resamples},
    }


class _World:
    """Draws scores and predictions; one set of dice for the whole study."""

    def __init__(self, store: Store, plan: Plan) -> None:
        self.store, self.plan = store, plan
        self.dice = np.random.default_rng(plan.chance)
        self.hard = {}

    def line(self, size: str, arm: str, seed: int, skip: set) -> None:
        """Intermediate and target phases of one seed, and their evaluations."""
        before = None
        if arm != "none":
            key = self.phase("intermediate", size, arm, seed=seed)
            before = 85.0
            scores = [self.score(f"evaluation-{key}", size, arm, arm, "en", "dev", before)]
            if DIRECT in self.plan.targets and (size, arm, DIRECT, seed) not in skip:
                scores += self.test(f"evaluation-{key}", size, arm, DIRECT, seed)
            self.evaluation(key, size, arm, None, seed, scores)
        for target in self.plan.targets:
            if target == DIRECT or (size, arm, target, seed) in skip:
                continue
            key = self.phase("target", size, arm, target, seed)
            scores = self.test(f"evaluation-{key}", size, arm, target, seed)
            if before is not None:
                after = before * self.plan.retained + self.dice.normal(0, 0.5)
                scores.append(self.score(f"evaluation-{key}", size, arm, arm, "en", "dev", after))
            self.evaluation(key, size, arm, target, seed, scores)

    def backbone(self, size: str, arm: str, skip: set) -> None:
        """The bare backbone on the direct target: once per size, for every seed of arm none."""
        if arm != "none" or DIRECT not in self.plan.targets or (size, arm, DIRECT, self.plan.seeds[0]) in skip:
            return
        key = f"pretrain-{size}"
        self.evaluation(key, size, arm, None, None, self.test(f"evaluation-{key}", size, arm, DIRECT, None))

    def test(self, evaluation: str, size: str, arm: str, target: str, seed: int | None) -> list[LanguageScore]:
        level = BASE[size] + self.dice.normal(0, self.plan.seed_noise)
        if arm != "none" and target == "xcopa":
            level += self.plan.gains.get(size, 0.0)
        found = []
        for code, distance in self.plan.tested(target).items():
            there = level + self.plan.per_distance * (distance or 0.0)
            there += self.plan.language_gains.get(code, 0.0) if arm != "none" else 0.0
            found.append(self.score(evaluation, size, arm, target, code, "test", there))
        return found

    def score(
        self, evaluation: str, size: str, arm: str, task: str, code: str, split: str, level: float
    ) -> LanguageScore:
        """Examples differ in how hard they are (shared by all checkpoints), so that pairing has something to gain."""
        count = self.plan.examples
        hard = self.hard.setdefault((task, code), self.dice.random(count))
        luck = 0.5 * hard + 0.5 * self.dice.random(count)
        hits = (luck <= np.quantile(LUCK, min(max(level, 0.0), 100.0) / 100)).astype(float)
        table = pd.DataFrame(
            {
                "id": [f"{code}{n}" for n in range(count)],
                "prediction": "a",
                "gold": "b",
                "hits": hits,
                "predicted": 1.0,
                "possible": 1.0,
            }
        )
        data = io.BytesIO()
        table.to_parquet(data)
        storage.write_bytes(
            self.store.join("phases", evaluation, "predictions", f"{task}.{code}.{split}.parquet"), data.getvalue()
        )
        points = 100 * float(hits.mean())
        return LanguageScore(
            task=task,
            language=code,
            split=split,
            score=points,
            examples=count,
            baselines={"majority": 51.0, "random": 50.0},
            seconds=0.1,
            tokens=count,
            flops=1e6,
        )

    def evaluation(self, parent: str, size: str, arm: str, target: str | None, seed: int | None, scores: list) -> None:
        self.write(
            f"evaluation-{parent}",
            "evaluation",
            size,
            arm,
            target,
            seed,
            parent,
            scores=tuple(scores),
            cost=Cost(seconds=0.5),
        )

    def phase(
        self, kind: str, size: str, arm: str | None = None, target: str | None = None, seed: int | None = None
    ) -> str:
        key = "-".join(str(part) for part in (kind, size, arm, target, seed) if part is not None)
        scale = PARAMETERS[size] / 1e4
        if kind == "pretrain":
            self.write(
                key,
                kind,
                size,
                arm,
                target,
                seed,
                None,
                cost=Cost(seconds=10 * scale, flops=1e12 * scale, winner_flops=1e12 * scale),
            )
            return key
        first = seed == self.plan.seeds[0]
        tried = [self.trial(n, rate, scale) for n, rate in enumerate((0.001, 0.003, 0.01, 0.03) if first else (0.003,))]
        winner = Winner(trial=1 if first else 0, learning_rate=0.003, score=80.0)
        cost = Cost(
            seconds=sum(t.seconds for t in tried),
            flops=sum(t.flops for t in tried),
            winner_flops=1e11 * scale,
            winner_seconds=scale,
            tokens=1000,
        )
        search = Search(window=(0.001, 0.03), trials=len(tried), verdict="interior", extended=False) if first else None
        tuned_by = None if first else key.rsplit("-", 1)[0] + f"-{self.plan.seeds[0]}"
        parent = f"pretrain-{size}" if kind == "intermediate" or arm == "none" else f"intermediate-{size}-{arm}-{seed}"
        self.write(
            key,
            kind,
            size,
            arm,
            target,
            seed,
            parent,
            cost=cost,
            trials=tuple(tried),
            search=search,
            winner=winner,
            tuned_by=tuned_by,
        )
        return key

    def trial(self, number: int, rate: float, scale: float) -> Trial:
        lost = rate > 0.02
        return Trial(
            number=number,
            learning_rate=rate,
            status="diverged" if lost else "finished",
            score=None if lost else 80.0 - 100 * abs(rate - 0.003),
            steps=100,
            tokens=1000,
            flops=1e11 * scale,
            seconds=scale,
            wall_seconds=scale + (4.0 if number == 0 else 0.3),
            first_loss=2.0,
            last_loss=1.0,
            note="loss above its start" if lost else "",
        )

    def write(
        self,
        key: str,
        kind: str,
        size: str,
        arm: str | None,
        target: str | None,
        seed: int | None,
        parent: str | None,
        **more: Any,
    ) -> None:
        more = {"tuned_by": None, **more}
        self.store.write_record(
            Record(
                key=key,
                kind=kind,
                study="toy",
                ladder="lab",
                size=size,
                parameters=PARAMETERS[size],
                arm=arm,
                task=target,
                seed=seed,
                identity={},
                parent=parent,
                lineage=(*((parent,) if parent else ()), key),
                versions={"torch": "2.13.0"},
                host="here",
                started="2026-01-01T00:00:00Z",
                finished="2026-01-01T00:01:00Z",
                **more,
            )
        )

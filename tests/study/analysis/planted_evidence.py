"""Evidence in memory with planted scores: what a report reads, without a store.

evidence = study(spec, {"s": 10_000}, lambda size, arm, target, code: 0.6 + 0.1 * (arm == "siqa"))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from study.analysis.basis import Evidence
from study.analysis.languages import Language
from study.analysis.resample import Judged
from study.records import Cost, Record, Trial, Winner
from trainables.results import LanguageScore

CODES = ("en", "xa", "xb", "xc")
Level = Callable[[str, str, str, str], float]
"""(size, arm, target, language) -> share of examples that are right"""


def study(
    spec: dict[str, Any],
    sizes: dict[str, int],
    level: Level,
    tokens: Callable[[str], int] = lambda arm: 1000,
    examples: int = 400,
    noise: float = 0.003,
    dev: Level | None = None,
    codes: Sequence[str] = CODES,
) -> Evidence:
    """Examples are as hard for every arm, so that pairing works; `noise` is the spread between seeds."""
    rng = np.random.default_rng(0)
    records, judged = [], {}
    hard = {(target, code): rng.random(examples) for target in spec["targets"] for code in codes}
    ones = np.ones(examples)
    for size, parameters in sizes.items():
        for seed in spec["seeds"]:
            for arm in spec["arms"]:
                if arm != "none":
                    records.append(record("intermediate", size, parameters, arm, None, seed, tokens=tokens(arm)))
                for target in spec["targets"]:
                    scores = []
                    for code in codes:
                        hits = (hard[target, code] < level(size, arm, target, code) + rng.normal(0, noise)).astype(
                            float
                        )
                        ids = np.array([f"{code}{number}" for number in range(examples)], dtype=object)
                        judged[size, arm, target, seed, code] = Judged(ids, hits, ones, ones)
                        scores.append(_score(target, code, 100 * float(hits.mean()), examples))
                    told = 100 * dev(size, arm, target, "en") if dev else 50.0
                    if target not in spec.get("untuned", ()):
                        records.append(record("target", size, parameters, arm, target, seed, tokens=10, score=told))
                    records.append(record("evaluation", size, parameters, arm, target, seed, scores=tuple(scores)))
    return Evidence(spec, records, judged, {code: Language(code) for code in codes})


def _score(target: str, code: str, score: float, examples: int) -> LanguageScore:
    return LanguageScore(
        task=target,
        language=code,
        split="test",
        score=score,
        examples=examples,
        baselines={},
        seconds=0.0,
        tokens=0,
        flops=0.0,
    )


def trial(number: int = 0, status: str = "finished", tokens: int = 1, flops: float = 1.0, score: float = 1.0) -> Trial:
    return Trial(
        number=number,
        learning_rate=0.1,
        status=status,
        score=score if status == "finished" else None,
        steps=1,
        tokens=tokens,
        flops=flops,
        seconds=flops,
        wall_seconds=flops,
        first_loss=None,
        last_loss=None,
    )


def record(
    kind: str,
    size: str,
    parameters: int,
    arm: str | None,
    target: str | None,
    seed: int | None,
    tokens: int = 0,
    score: float = 1.0,
    **more: Any,
) -> Record:
    """A phase; with `tokens` it is one that was tuned, in one trial."""
    if tokens:
        tried = trial(tokens=tokens, score=score)
        more = {"trials": (tried,), "winner": Winner(trial=0, learning_rate=0.1, score=score), **more}
    return Record(
        **{
            "key": f"{kind}-{size}-{arm}-{target}-{seed}",
            "kind": kind,
            "study": "toy",
            "ladder": "lab",
            "size": size,
            "parameters": parameters,
            "arm": arm,
            "task": target,
            "seed": seed,
            "identity": {},
            "parent": None,
            "tuned_by": None,
            "cost": Cost(),
            "facts": {"tokens_by_source": {"task": 700, "text": 300}} if tokens else {},
            "versions": {},
            "host": "",
            "started": "",
            "finished": "",
            **more,
        }
    )

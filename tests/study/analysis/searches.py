"""Records of searches that nobody ran."""

from __future__ import annotations

from typing import Any

from study.records import Cost, Record, Search, Trial, Winner


def trial(number: int, tokens: int = 100) -> Trial:
    return Trial(
        number=number, learning_rate=1e-3 * (number + 1), status="finished", score=50.0, steps=1, tokens=tokens,
        flops=1.0, seconds=1.0, wall_seconds=1.0, first_loss=2.0, last_loss=1.0,
    )  # fmt: skip


def searched(key: str, size: str, score: float, trials: int = 4, by: str | None = None, **changes: Any) -> Record:
    search = {"trials": trials, "seed": 0, **({} if by else {"window": [1e-3, 1e-2]})}
    found = Search(window=(1e-3, 1e-2), trials=trials, verdict="interior", extended=False, narrowed_by=by)
    values: dict[str, Any] = dict(
        key=key, kind="target", study="toy", ladder="lab", size=size, parameters=1, arm="none", task="xcopa", seed=0,
        identity={"search": search, "config": {"steps": 10}}, parent=None, tuned_by=None, search=found,
        winner=Winner(trial=0, learning_rate=1e-3, score=score), trials=tuple(map(trial, range(trials))),
        cost=Cost(flops=float(trials)), versions={}, host="here", started="", finished="",
    )  # fmt: skip
    return Record(**{**values, **changes})

"""How does MLflow's own line chart draw a scaling curve? One row per (arm, target), with step = parameters.

    scaling_rows(records)[0].points     # Point("score", 41.0, step=36), Point("score", 47.5, step=90), ...

Every point is a mean over the seeds found so far, so a row changes, and is written anew, when a cell is added.
"""

from __future__ import annotations

from collections.abc import Collection
from statistics import fmean

from study.mirror_rows import Point, Records, Row, cell_name, milliseconds, points, test_scores
from study.records import Record

Scores = dict[tuple[str, str, str, str], float]
"""{(size, arm, target, seed): task score}"""


def scaling_rows(records: Records, asked: Collection[str] = ()) -> list[Row]:
    """Metrics `score` and, for arms other than `none`, `gain` (paired by seed) at every size with a cell.

    `asked`: keys of the last run's phases.
    """
    evaluations = sorted((r for r in records.values() if r.kind == "evaluation"), key=lambda r: (r.finished, r.key))
    if not evaluations:
        return []
    scores: Scores = {}
    # As in the report: of one cell a record that was asked for counts, else the later one.
    for record in sorted(evaluations, key=lambda record: record.key in asked):
        for task, found in test_scores(record).items():
            scores[cell_name(record, task)] = fmean(score.score for score in found)
    sizes = {record.size: record.parameters for record in evaluations}
    curves = sorted({(arm, target) for _, arm, target, _ in scores})
    return [_row(arm, target, sizes, scores, evaluations) for arm, target in curves]


def unit(parameters: list[int]) -> tuple[int, str]:
    """(divisor, name) of the step: millions when every size has at least one, else thousands."""
    return (10**6, "millions") if min(parameters) >= 10**6 else (10**3, "thousands")


def _row(arm: str, target: str, sizes: dict[str, int], scores: Scores, evaluations: list[Record]) -> Row:
    divisor, name = unit(list(sizes.values()))
    curve: list[Point] = []
    for size, parameters in sorted(sizes.items(), key=lambda item: item[1]):
        step = max(1, round(parameters / divisor))
        seeds = {cell[3]: score for cell, score in scores.items() if cell[:3] == (size, arm, target)}
        if seeds:
            curve += points({"score": fmean(seeds.values())}, step)
        gains = [
            score - plain for seed, score in seeds.items() if (plain := _plain(scores, size, target, seed)) is not None
        ]
        if gains and arm != "none":
            curve += points({"gain": fmean(gains)}, step)
    first = evaluations[0]
    return Row(
        id=f"scaling/{arm}/{target}",
        name=f"scaling {arm} {target}",
        tags={
            "study": first.study,
            "kind": "scaling",
            "arm": arm,
            "task": target,
            "step": f"{name} of parameters",
            "sizes": ", ".join(f"{size} {count}" for size, count in sorted(sizes.items(), key=lambda item: item[1])),
        },
        params={"arm": arm, "task": target},
        points=tuple(curve),
        start=min(moment for r in evaluations if (moment := milliseconds(r.started)) is not None),
        end=max(moment for r in evaluations if (moment := milliseconds(r.finished)) is not None),
    )


def _plain(scores: Scores, size: str, target: str, seed: str) -> float | None:
    """Score without an intermediate phase: of the same seed, or of the bare backbone that all seeds share."""
    return scores.get((size, "none", target, seed), scores.get((size, "none", target, "shared")))

"""What do all answers of a report rest on? The evidence of one study, and the series that every question starts from.

`Evidence` is what was read (or simulated); `basis` turns it into cells, bootstrap draws, scores and gains. Each
question then has a module of its own with a function `find(basis)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from study.analysis import gains as gain
from study.analysis import spent
from study.analysis.design import design as read_design
from study.analysis.frame import Design, missing_cells, result_cells, scores, task_scores
from study.analysis.languages import Language
from study.analysis.resample import Cell, Judged, Resampled, resample
from study.analysis.series import Series
from study.records import Record

DevCell = tuple[str, str, str]
"""(key of the evaluation, task, language)"""


@dataclass(frozen=True)
class Evidence:
    """One study as it was read. `judged` holds the predictions of the cells in `frame.result_cells`."""

    spec: dict[str, Any]
    records: list[Record]
    judged: Mapping[Cell, Judged]
    languages: dict[str, Language]
    failures: dict[str, str] = field(default_factory=dict)
    """{key: one line} of phases that failed last time and have no record."""
    notes: tuple[str, ...] = ()
    """What could not be read, one sentence each."""
    dev_judged: Mapping[DevCell, Judged] = field(default_factory=dict)
    """English dev predictions of the arms' own tasks, before and after a target phase."""
    older: tuple[Record, ...] = ()
    """Records in whose place newer ones of the same phase stand; only `regret` looks at them."""


@dataclass(frozen=True)
class Basis:
    """Cells and series of one study. Mappings keep the order of the design."""

    spec: dict[str, Any]
    records: list[Record]
    failures: dict[str, str]
    notes: tuple[str, ...]
    design: Design
    rows: pd.DataFrame
    """Rows of `frame.scores`: every score, dev scores of the arms' own tasks too."""
    cells: pd.DataFrame
    """Rows of `frame.result_cells`."""
    tasks: pd.DataFrame
    """Rows of `frame.task_scores`."""
    missing: list[tuple[str, str, str, int]]
    resampled: Resampled
    dev_judged: Mapping[DevCell, Judged]
    languages: dict[str, Language]
    phases: pd.DataFrame
    """Rows of `spent.phases`."""
    scores: dict[str, dict[str, Series]]
    """{target: {arm: task score by size}}"""
    gains: dict[str, dict[str, Series]]
    """{arm: {target: gain by size}}, degenerate pairs included."""
    pools: dict[str, gain.Pool]
    """{arm: gain pooled over its targets, degenerate ones left out}"""

    @property
    def asked(self) -> int:
        """Cells of the design. The store may hold more: of arms or targets that were taken out of the spec."""
        design = self.design
        return len(design.sizes) * len(design.arms) * len(design.targets) * len(design.seeds)

    def baselines(self, target: str) -> dict[str, float]:
        """Mean over languages of the predictors that do not look."""
        rows = self.cells[self.cells["target"] == target].drop_duplicates("language")
        return {name: float(rows[name].mean()) for name in ("majority", "random")}

    def keys(self, **where: str) -> tuple[str, ...]:
        """Sorted evaluation keys behind the cells that match, e.g. keys(target="xcopa")."""
        rows = self.cells
        for column, value in where.items():
            rows = rows[rows[column] == value]
        return tuple(sorted(set(rows["key"])))


def basis(evidence: Evidence) -> Basis:
    """Compute what every answer needs. Works on an empty and on a half-finished study."""
    design = read_design(evidence.spec, evidence.records)
    rows = scores(evidence.records, design)
    cells = result_cells(rows)
    resampled = resample(evidence.judged, design.resamples)
    pools = {arm: gain.pooled_gain(resampled, design, arm) for arm in design.treated}
    return Basis(
        spec=evidence.spec,
        records=evidence.records,
        failures=evidence.failures,
        notes=(*evidence.notes, *resampled.notes),
        design=design,
        rows=rows,
        cells=cells,
        tasks=task_scores(cells, design),
        missing=missing_cells(cells, design),
        resampled=resampled,
        dev_judged=evidence.dev_judged,
        languages=evidence.languages,
        phases=spent.phases(evidence.records, evidence.spec),
        scores=_table(
            design.targets, design.arms, lambda target, arm: gain.score_series(resampled, design, arm, target)
        ),
        gains=_table(design.treated, design.targets, lambda arm, target: gain.gain(resampled, design, arm, target)),
        pools={arm: pool for arm, pool in pools.items() if pool},
    )


def _table(
    outer: tuple[str, ...], inner: tuple[str, ...], make: Callable[[str, str], Series | None]
) -> dict[str, dict[str, Series]]:
    return {a: {b: found for b in inner if (found := make(a, b)) is not None} for a in outer}

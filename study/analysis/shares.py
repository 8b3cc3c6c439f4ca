"""Who pays for a phase that several results rest on? Everything that was spent, shared out over the cells.

A cell is one (size, arm, target, seed) of the design. The rule:

  the winning run      equal shares over the cells that rest on it: of a pretraining or an import all cells of its
                       size, of an intermediate phase all targets of its (size, arm, seed), of a target phase its own
  the rest of a search equal shares over the cells of all seeds that use its learning rate
  scoring              the cells that were scored; the scoring of an intermediate checkpoint belongs to the targets
                       that are scored without tuning, or to all targets where there are none

The shares of all cells, and what was spent outside the design, sum to what was spent (`tests` hold that).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import pandas as pd

from study.analysis.frame import CELL, Design, lines
from study.analysis.spent import TUNED

UNITS = ["flops", "hours", "winner_flops", "winner_hours"]
"""What is shared out: `winner_` is the part that one run per phase would have cost, its learning rate being known."""


def shares(phases: pd.DataFrame, design: Design) -> pd.DataFrame:
    """One row per (cell, kind of phase), columns `frame.CELL`, kind, `UNITS`. `phases` are rows of `spent.phases`.

    Phases that no cell of the design rests on (of an arm that was taken out of the spec) are left out.
    """
    users = phases[phases["tuned_by"].notna()].groupby("tuned_by")["seed"].agg(list).to_dict()
    paid: dict[tuple[Any, ...], list[float]] = {}
    for phase in lines(phases):
        seeds = design.seeds if pd.isna(phase.seed) else (int(phase.seed),)
        winner = [phase.winner_flops, phase.winner_hours]
        _pay(paid, cells(phase, seeds, design), phase.kind, [*winner, *winner])
        if phase.kind in TUNED:
            all_seeds = tuple(sorted({*seeds, *(int(seed) for seed in users.get(phase.key, ()))}))
            rest = [phase.flops - phase.winner_flops, phase.hours - phase.winner_hours]
            _pay(paid, cells(phase, all_seeds, design), phase.kind, [*rest, 0.0, 0.0])
    return pd.DataFrame([(*cell, *sums) for cell, sums in paid.items()], columns=[*CELL, "kind", *UNITS])


def cells(phase: Any, seeds: Sequence[int], design: Design) -> list[tuple[str, str, str, int]]:
    """Cells of the design that rest on a phase (a row of `spent.phases`), for these seeds."""
    arms = design.arms if pd.isna(phase.arm) else (phase.arm,)
    targets: Sequence[str] = design.targets if pd.isna(phase.target) else (phase.target,)
    if phase.kind == "evaluation" and pd.isna(phase.target):
        targets = [target for target in targets if target in design.direct] or targets
    known = (design.sizes, design.arms, design.targets, design.seeds)
    found = product((phase.size,), arms, targets, seeds)
    return [cell for cell in found if all(name in names for name, names in zip(cell, known, strict=True))]


def per_seed(table: pd.DataFrame, kinds: Sequence[str], **where: Any) -> pd.Series | None:
    """`UNITS` of the rows of `shares` that match, summed and divided by the number of their seeds; None: no row."""
    rows = table[table["kind"].isin(kinds)]
    for column, value in where.items():
        rows = rows[rows[column].isin(value) if isinstance(value, list | tuple) else rows[column] == value]
    return None if rows.empty else rows[UNITS].sum() / rows["seed"].nunique()


def _pay(paid: dict[tuple[Any, ...], list[float]], among: Sequence[tuple], kind: str, amounts: Sequence[float]) -> None:
    for cell in among:
        sums = paid.setdefault((*cell, kind), [0.0] * len(UNITS))
        for place, amount in enumerate(amounts):
            sums[place] += amount / len(among)

"""Question 4, put together: what was spent on what, what a point costs by either lever, and which ways are worth it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from study.analysis.basis import Basis
from study.analysis.frame import CELL
from study.analysis.frontier import Frontier, cheapest, frontier
from study.analysis.prices import prices, steps
from study.analysis.shares import UNITS, shares
from study.analysis.spent import by_kind, on_gpus


@dataclass(frozen=True)
class Costs:
    """Tables of one study."""

    kinds: pd.DataFrame
    """Rows of `spent.by_kind`."""
    cells: pd.DataFrame
    """One row per cell: its share of all that was spent, columns `frame.CELL`, `UNITS`."""
    prices: pd.DataFrame
    """Rows of `prices.prices`."""
    steps: pd.DataFrame
    """Rows of `prices.steps`."""
    frontier: Frontier
    cheapest: pd.DataFrame
    """Rows of `frontier.cheapest`."""
    rate: float | None
    """Price of a GPU-hour; None: not told, or the study ran without GPUs."""
    gpus: bool
    """True: hours are GPU-hours; False: hours of a process."""


def find(base: Basis) -> Costs:
    """Everything about cost; empty tables where nothing has finished."""
    price = _rate(base.spec)
    shared = shares(base.phases, base.design)
    front = frontier(base, shared, price)
    return Costs(
        kinds=by_kind(base.phases, base.design),
        cells=shared.table.groupby(CELL, sort=False)[UNITS].sum().reset_index(),
        prices=prices(base, shared, price),
        steps=steps(base, shared, price),
        frontier=front,
        cheapest=cheapest(front),
        rate=price,
        gpus=on_gpus(base.spec),
    )


def _rate(spec: dict[str, Any]) -> float | None:
    told = (spec.get("report") or {}).get("gpu_hour_price")
    return float(told) if told is not None and on_gpus(spec) else None

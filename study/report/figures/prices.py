"""What does a point cost, by arm and size, and what does it cost with the next size instead?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from study.analysis.frame import NONE, Design, lines
from study.analysis.prices import pooled
from study.report.answers.cost import flops
from study.report.figures.axes import BOX, WIDTH, draw_interval
from study.report.findings import Findings
from study.report.marks import Tip, mark
from study.report.style import NEUTRAL, Drawing, canvas, colour, finish, marker


@dataclass(frozen=True)
class Group:
    """What is bought in one way: rows of `prices.prices` or `prices.steps` with a label each."""

    title: str
    arm: str
    tone: str
    shape: str
    rows: list[tuple[str, Any]]


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One for all arms, in FLOPs per point of the mean over targets."""
    yield prices(pooled(found.cost.prices), pooled(found.cost.steps), found.design, found.keys())


def prices(table: pd.DataFrame, steps: pd.DataFrame, design: Design, keys: Sequence[str]) -> Drawing | None:
    """An arrow where a price has no upper limit."""
    groups = _groups(table, steps, design)
    if not groups:
        return None
    every = [row for group in groups for _, row in group.rows]
    lows = [row.flops_per_point_low for row in every]
    ends = [*lows, *(row.flops_per_point_high for row in every if np.isfinite(row.flops_per_point_high))]
    right = 10 ** (np.log10(max(ends)) + 0.12 * max(np.log10(max(ends) / min(ends)), 1.0))
    with canvas(WIDTH, 0.9 + 0.2 * sum(len(group.rows) + 1.1 for group in groups)) as (figure, axes):
        axes.set_xscale("log")
        y, ticks, names = 0.0, [], []
        place = axes.get_yaxis_transform()
        for group in groups:
            axes.text(0.0, y, group.title, transform=place, weight="bold", fontsize=8.5, va="center", bbox=BOX)
            for label, row in group.rows:
                y -= 1.0
                _price(axes, label, row, y, right, group)
                ticks.append(y)
                names.append(label)
            y -= 1.1
        axes.set_yticks(ticks, names)
        axes.set_ylim(y + 0.3, 0.8)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("FLOPs per point, search included (95 % interval)")
        axes.set_title("Price of a point")
        alt = "FLOPs per point of gain by arm and size; an arrow where a price has no upper limit"
        return finish(figure, "price", alt, keys)


def _groups(table: pd.DataFrame, steps: pd.DataFrame, design: Design) -> list[Group]:
    """Arms, then the next size; without what is free or has no price at all, for which a log axis has no place."""
    found = [
        Group(arm, arm, colour(arm, design.arms), marker(arm, design.arms), [(row.size, row) for row in lines(rows)])
        for arm in design.treated
        for rows in [table[table["arm"] == arm]]
    ]
    next_sizes = [(f"{row.size} to {row.larger}", row) for row in lines(steps)]
    found.append(Group("next size, no intermediate phase", NONE, NEUTRAL, marker("none", design.arms), next_sizes))
    shown = [replace(group, rows=[one for one in group.rows if one[1].flops_per_point_low > 0]) for group in found]
    return [group for group in shown if group.rows]


def _price(axes: Axes, label: str, row: Any, y: float, right: float, group: Group) -> None:
    low, high, tone = row.flops_per_point_low, row.flops_per_point_high, group.tone
    if np.isfinite(high):
        draw_interval(axes, low, high, y, tone, group.arm)
        (point,) = axes.plot(row.flops_per_point, y, group.shape, color=tone, ms=6, zorder=4)
        ends = f"95 % interval {flops(low)} to {flops(high)}"
        mark(point, group.arm, [Tip(f"{group.title}, {label}\n{flops(row.flops_per_point)} FLOPs a point ({ends})")])
        return
    axes.annotate("", (right, y), (low, y), arrowprops={"arrowstyle": "->", "color": tone, "alpha": 0.6, "lw": 1.2})
    axes.plot([low, right], [y, y], alpha=0)  # an arrow does not count for the limits of the axis
    axes.plot([low, low], [y - 0.25, y + 0.25], color=tone, lw=1.4)

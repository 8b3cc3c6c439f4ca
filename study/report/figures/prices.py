"""What does a point cost, by arm and size, and what does it cost with the next size instead?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from study.analysis.frame import Design, lines
from study.analysis.prices import pooled
from study.report.figures.axes import BOX, WIDTH
from study.report.findings import Findings
from study.report.style import NEUTRAL, Drawing, canvas, colour, finish, marker

Group = tuple[str, str, str, list[tuple[str, Any]]]
"""(title, colour, marker, rows: (label, a row with flops_per_point and its ends))"""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One for all arms, in FLOPs per point of the mean over targets."""
    yield prices(pooled(found.cost.prices), pooled(found.cost.steps), found.design, found.keys())


def prices(table: pd.DataFrame, steps: pd.DataFrame, design: Design, keys: Sequence[str]) -> Drawing | None:
    """Rows of `prices.prices` and `prices.steps`; an arrow where a price has no upper limit."""
    groups: list[Group] = []
    for arm, rows in table.groupby("arm", sort=False):
        shown = [(row.size, row) for row in lines(rows)]
        groups.append((str(arm), colour(str(arm), design.arms), marker(str(arm), design.arms), shown))
    if len(steps):
        shown = [(f"{row.size} to {row.larger}", row) for row in lines(steps)]
        groups.append(("next size, no intermediate phase", NEUTRAL, marker("none", design.arms), shown))
    groups = [(*head, shown) for *head, rows in groups if (shown := [row for row in rows if _known(row[1])])]
    if not groups:
        return None
    lows = [row.flops_per_point_low for *_, rows in groups for _, row in rows]
    highs = [row.flops_per_point_high for *_, rows in groups for _, row in rows]
    ends = [*lows, *(value for value in highs if np.isfinite(value))]
    right = 10 ** (np.log10(max(ends)) + 0.12 * max(np.log10(max(ends) / min(ends)), 1.0))
    with canvas(WIDTH, 0.9 + 0.2 * sum(len(rows) + 1.1 for *_, rows in groups)) as (figure, axes):
        axes.set_xscale("log")
        y, ticks, names = 0.0, [], []
        for title, tone, shape, rows in groups:
            axes.text(
                0.0, y, title, transform=axes.get_yaxis_transform(), weight="bold", fontsize=8.5, va="center", bbox=BOX
            )
            for label, row in rows:
                y -= 1.0
                _price(axes, row, y, right, tone, shape)
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


def _known(row: Any) -> bool:
    """A log axis has no place for what is free, or has no price at all."""
    return bool(row.flops_per_point_low > 0)


def _price(axes: Axes, row: Any, y: float, right: float, tone: str, shape: str) -> None:
    low, high = row.flops_per_point_low, row.flops_per_point_high
    if np.isfinite(high):
        axes.plot([low, high], [y, y], color=tone, lw=1.6, alpha=0.75, zorder=3)
        axes.plot(row.flops_per_point, y, shape, color=tone, ms=6, zorder=4)
        return
    axes.annotate("", (right, y), (low, y), arrowprops={"arrowstyle": "->", "color": tone, "alpha": 0.6, "lw": 1.2})
    axes.plot([low, right], [y, y], alpha=0)  # an arrow does not count for the limits of the axis
    axes.plot([low, low], [y - 0.25, y + 0.25], color=tone, lw=1.4)

"""What does a score cost? Mean score over targets against FLOPs and against time, with what is worth its cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatter

from study.analysis.frame import Design, lines
from study.report.figures.axes import WIDTH
from study.report.findings import Findings
from study.report.style import MUTED, PAPER, Drawing, canvas, colour, finish, marker

SCALES = ((2.0, 1.0, "hours"), (1 / 30, 60.0, "minutes"), (0.0, 3600.0, "seconds"))
"""(least hours, factor, name)"""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One in FLOPs, one in hours of GPUs (or of processes)."""
    ways, keys = found.cost.frontier.ways, found.keys()
    yield cost("cost", ways, "flops", "FLOPs", found.design, keys)
    factor, name = next((factor, name) for least, factor, name in SCALES if ways["hours"].max() >= least or not least)
    label = f"{'GPU' if found.cost.gpus else 'device'}-{name}"
    yield cost("cost-time", ways.assign(hours=ways["hours"] * factor), "hours", label, found.design, keys)


def cost(name: str, ways: pd.DataFrame, unit: str, label: str, design: Design, keys: Sequence[str]) -> Drawing | None:
    """Rows of `frontier.frontier`: a marker per way, full on the frontier, which is the grey stair."""
    ways = ways[ways[unit] > 0]
    if ways.empty:
        return None
    best = ways[ways[f"on_{unit}"].astype(bool)].sort_values(unit)
    arms = [arm for arm in design.arms if arm in set(ways["arm"])]
    rows = -(-len(arms) // 3)
    with canvas(WIDTH, 3.0 + 0.18 * rows) as (figure, axes):
        axes.step(best[unit], best["score"], where="post", color=MUTED, lw=3.5, alpha=0.35, zorder=1)
        for arm in arms:
            tone, shape = colour(arm, design.arms), marker(arm, design.arms)
            mine = ways[ways["arm"] == arm].sort_values(unit)
            axes.plot(mine[unit], mine["score"], color=tone, lw=0.9, alpha=0.6, zorder=2)
            axes.plot([], [], shape, color=tone, ms=6, mec=PAPER, label=arm)
            for way in lines(mine):
                full = bool(getattr(way, f"on_{unit}"))
                x = getattr(way, unit)
                axes.plot([x, x], [way.score_low, way.score_high], color=tone, lw=0.9, alpha=0.55, zorder=2)
                axes.plot(x, way.score, shape, color=tone if full else PAPER, mec=tone, mew=1.2, ms=6, zorder=4)
        _size_names(axes, best, unit, design)
        axes.set_xscale("log")
        if unit == "hours":  # plain numbers: a time is no power of ten
            axes.xaxis.set_major_formatter(LogFormatter())
            axes.xaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
        axes.margins(0.1, 0.12)
        above = (0.0, 1.0)
        axes.legend(frameon=False, fontsize=8.5, borderpad=0, ncols=3, loc="lower left", bbox_to_anchor=above)
        axes.set_xlabel(f"{label} of both phases per seed, search included")
        axes.set_ylabel("mean score over targets, points")
        axes.set_title("Score against what it cost", pad=9 + 14 * rows)
        return finish(figure, name, f"Mean score over targets against {label}; grey: worth their cost", keys)


def _size_names(axes: Axes, best: pd.DataFrame, unit: str, design: Design) -> None:
    """The sizes on the frontier, above and left of their markers, where the stair leaves room."""
    for way in lines(best):
        axes.annotate(
            way.size,
            (getattr(way, unit), way.score),
            (-5, 5),
            textcoords="offset points",
            fontsize=8,
            ha="right",
            weight="bold",
            color=colour(way.arm, design.arms),
        )

"""What does a score cost? Mean score over targets against FLOPs and against time, with what is worth its cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from study.analysis.frame import Design, lines
from study.report.figures.axes import WIDTH, labels_right, signless
from study.report.findings import Findings
from study.report.marks import Tip, keys_by, mark
from study.report.style import MUTED, PAPER, Drawing, canvas, colour, finish, marker

SCALES = ((2.0, 1.0, "hours"), (1 / 30, 60.0, "minutes"), (0.0, 3600.0, "seconds"))
"""(least hours, factor, name)"""
Keys = Mapping[tuple[str, str], tuple[str, ...]]
"""{(arm, size): evaluation keys over all targets}"""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One in FLOPs, one in hours of GPUs (or of processes)."""
    ways, keys = found.cost.frontier.ways, keys_by(found.cells, "arm", "size")
    yield cost("cost", ways, "flops", "FLOPs", found.design, keys)
    factor, name = next((factor, name) for least, factor, name in SCALES if ways["hours"].max() >= least or not least)
    label = f"{'GPU' if found.cost.gpus else 'device'}-{name}"
    yield cost("cost-time", ways.assign(hours=ways["hours"] * factor), "hours", label, found.design, keys)


def cost(name: str, ways: pd.DataFrame, unit: str, label: str, design: Design, keys: Keys) -> Drawing | None:
    """Rows of `frontier.frontier`: a marker per way, full on the frontier, which is the grey stair."""
    ways = ways[ways[unit] > 0]
    if ways.empty:
        return None
    best = ways[ways[f"on_{unit}"].astype(bool)].sort_values(unit)
    with canvas(WIDTH, 3.1) as (figure, axes):
        axes.step(best[unit], best["score"], where="post", color=MUTED, lw=3.5, alpha=0.35, zorder=1)
        ends = []
        for arm in design.arms:
            mine = ways[ways["arm"] == arm].sort_values(unit)
            if len(mine):
                _arm(axes, arm, mine, unit, label, design, keys)
                ends.append((arm, arm, float(mine["score"].iloc[-1]), True))
        _size_names(axes, best, unit, design)
        axes.set_xscale("log")
        if unit == "hours":  # plain numbers: a time is no power of ten
            _plain_ticks(axes, float(ways[unit].max() / ways[unit].min()))
        axes.margins(0.16, 0.12)  # room for the name of the smallest size, left of its marker
        labels_right(axes, float(ways[unit].max()), ends, design)
        axes.set_xlabel(f"{label} of both phases per seed, search included")
        axes.set_ylabel("mean score over targets, points")
        axes.set_title("Score against what it cost")
        return finish(figure, name, f"Mean score over targets against {label}; grey: worth their cost")


def _plain_ticks(axes: Axes, ratio: float) -> None:
    """Ticks written out ("0.5", "20"), as many as have room on an axis that spans this ratio."""
    steps = (1.0,) if ratio > 1000 else (1.0, 2.0, 5.0) if ratio > 6 else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
    axes.xaxis.set_major_locator(LogLocator(subs=steps))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _arm(axes: Axes, arm: str, mine: pd.DataFrame, unit: str, label: str, design: Design, keys: Keys) -> None:
    """The ways of one arm, from the smallest size to the largest."""
    tone, shape = colour(arm, design.arms), marker(arm, design.arms)
    (line,) = axes.plot(mine[unit], mine["score"], color=tone, lw=0.9, alpha=0.6, zorder=2)
    mark(line, arm)
    bars = axes.vlines(mine[unit], mine["score_low"], mine["score_high"], colors=tone, lw=0.9, alpha=0.55, zorder=2)
    mark(bars, arm)
    for way in lines(mine):
        face = tone if getattr(way, f"on_{unit}") else PAPER
        (point,) = axes.plot(getattr(way, unit), way.score, shape, color=face, mec=tone, mew=1.2, ms=6, zorder=4)
        mark(point, arm, [Tip(_told(way, unit, label), keys.get((arm, way.size), ()))])


def _told(way: Any, unit: str, label: str) -> str:
    ends = f"95 % interval {signless(way.score_low)} to {signless(way.score_high)}"
    often = f"nothing scores as much for less in {getattr(way, f'often_{unit}'):.0%} of draws"
    return f"{way.arm} at {way.size}\n{way.score:.1f} points ({ends})\n{getattr(way, unit):.3g} {label}; {often}"


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

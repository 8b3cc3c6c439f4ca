"""How is an axis drawn? What figures share: curves with their seeds, intervals, the axis of sizes, labels at ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from study.analysis.frame import Design
from study.analysis.series import Series
from study.report.style import MUTED, PAPER, colour, count, spread

WIDTH, HEIGHT = 4.4, 3.1
"""Inches of a figure that has no reason to be of another size."""
BOX = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0}


def draw_curve(axes: Axes, x: np.ndarray, of: Series, tone: str, shape: str) -> None:
    """A line through the sizes; at each size its interval and one small ring per seed. `x` is parameters."""
    for row, size in enumerate(of.sizes):
        estimate = of.at(size)
        assert estimate is not None
        axes.plot([x[row], x[row]], [estimate.low, estimate.high], color=tone, lw=1.1, alpha=0.7, zorder=2)
        single = of.values[row][np.isfinite(of.values[row])]
        axes.plot(np.full(len(single), x[row]), single, "o", ms=3.2, mfc="none", mec=tone, mew=0.8, alpha=0.7, zorder=3)
    axes.plot(x, of.points, marker=shape, color=tone, ms=6, mec=PAPER, mew=0.8, zorder=4)


def draw_interval(axes: Axes, low: float, high: float, y: float, tone: str) -> None:
    """A horizontal bar at height `y`."""
    axes.plot([low, high], [y, y], color=tone, lw=1.6, alpha=0.75, zorder=3)


def shifts(curves: Mapping[str, Series], design: Design) -> dict[str, float]:
    """A small factor on x per arm, so that the intervals of two arms do not lie on each other."""
    values = [value for curve in curves.values() for value in curve.parameters]
    decades = max(np.log10(max(values) / min(values)), 0.3)
    arms = [arm for arm in design.arms if arm in curves]
    return {arm: float(10 ** ((index - (len(arms) - 1) / 2) * 0.018 * decades)) for index, arm in enumerate(arms)}


def size_axis(axes: Axes, design: Design, sizes: Sequence[str]) -> None:
    """The x axis: parameters on a log scale, a tick per size with its name."""
    axes.set_xscale("log")
    places = [design.parameters[size] for size in sizes]
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(places, [f"{size}\n{count(design.parameters[size])}" for size in sizes])
    axes.grid(axis="x", visible=False)
    axes.set_xlabel("size and parameters (log scale)")
    if len(places) == 1:
        axes.set_xlim(places[0] / 2, places[0] * 2)


def end_labels(axes: Axes, curves: Mapping[str, Series], design: Design, shift: Mapping[str, float]) -> None:
    """Names of the arms at the right end of their lines, moved apart where they would touch."""
    ends = [(arm, float(curve.points[-1]), colour(arm, design.arms), True) for arm, curve in curves.items()]
    labels_right(axes, max(curve.parameters[-1] * shift[arm] for arm, curve in curves.items()), ends)


def labels_right(axes: Axes, x: float, ends: Sequence[tuple[str, float, str, bool]]) -> None:
    """(label, y, colour, in full) right of `x`, moved apart where they would touch."""
    low, high = axes.get_ylim()
    places = spread([end[1] for end in ends], (high - low) * 0.058)
    for (label, _, tone, full), y in zip(ends, places, strict=True):
        axes.annotate(
            label,
            (x, y),
            (9, 0),
            textcoords="offset points",
            color=tone,
            fontsize=8.5 if full else 7.5,
            alpha=1.0 if full else 0.75,
            weight="bold" if full else "normal",
            va="center",
            annotation_clip=False,
        )


def blind_lines(axes: Axes, baselines: Mapping[str, float]) -> None:
    """Dotted lines of the predictors that do not look; two that nearly agree share one label."""
    known = sorted((value, name) for name, value in baselines.items() if np.isfinite(value))
    axes.margins(y=0.1)
    for value, _ in known:
        axes.axhline(value, color=MUTED, lw=0.9, ls=(0, (1, 2)), zorder=1)
    low, high = axes.get_ylim()
    if len(known) == 2 and known[1][0] - known[0][0] < (high - low) * 0.07:
        known = [(known[1][0], f"{known[1][1]}, {known[0][1]}")]
    for value, name in known:
        axes.annotate(
            name,
            (1, value),
            (-2, 1.5),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            color=MUTED,
            fontsize=7.5,
            va="bottom",
            ha="right",
        )

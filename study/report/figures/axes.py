"""How is an axis drawn? What figures share: curves with their tips, intervals, the axis of sizes, labels at ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from study.analysis.frame import Design
from study.analysis.series import Series
from study.report.marks import Tip, mark
from study.report.style import MUTED, PAPER, colour, count, marker, spread

WIDTH, HEIGHT = 4.4, 3.1
"""Inches of a figure that has no reason to be of another size."""
BOX = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0}
DOTTED = (0, (1, 2))


def draw_curve(axes: Axes, x: np.ndarray, of: Series, design: Design, tips: Sequence[Tip]) -> None:
    """A line through the sizes; at each size its interval and one small ring per seed. `x` is parameters."""
    tone = colour(of.arm, design.arms)
    estimates = [estimate for size in of.sizes if (estimate := of.at(size)) is not None]
    lows, highs = [estimate.low for estimate in estimates], [estimate.high for estimate in estimates]
    mark(axes.vlines(x, lows, highs, colors=tone, lw=1.1, alpha=0.7, zorder=2), of.arm)
    row, column = np.nonzero(np.isfinite(of.values))
    (rings,) = axes.plot(x[row], of.values[row, column], "o", ms=3.2, mfc="none", mec=tone, mew=0.8, alpha=0.7)
    mark(rings, of.arm)
    shape = marker(of.arm, design.arms)
    (line,) = axes.plot(x, of.points, marker=shape, color=tone, ms=6, mec=PAPER, mew=0.8, zorder=4)
    mark(line, of.arm, tips)


def curve_tips(of: Series, on: str, unit: str, keys: Mapping[str, tuple[str, ...]]) -> list[Tip]:
    """One tip per size: value, interval, parameters, the seeds. `on` says what of; `keys` are by size."""
    tips = []
    for row, size in enumerate(of.sizes):
        estimate = of.at(size)
        assert estimate is not None
        seeds = [
            f"seed {seed} {value:.1f}"
            for seed, value in zip(of.seeds, of.values[row], strict=True)
            if np.isfinite(value)
        ]
        text = (
            f"{of.arm} at {size}{on}\n{estimate.point:.1f} {unit} (95 % interval {signless(estimate.low)} to "
            f"{signless(estimate.high)})\n{count(of.parameters[row])} parameters; {', '.join(seeds)}"
        )
        tips.append(Tip(text, keys.get(size, ())))
    return tips


def signless(value: float) -> str:
    """One decimal, a true minus sign where it is needed."""
    return f"{value:.1f}".replace("-", "−")


def draw_interval(axes: Axes, low: float, high: float, y: float, tone: str, arm: str) -> None:
    """A horizontal bar at height `y`."""
    (bar,) = axes.plot([low, high], [y, y], color=tone, lw=1.6, alpha=0.75, zorder=3)
    mark(bar, arm)


def shifts(curves: Mapping[str, Series], design: Design) -> dict[str, float]:
    """A small factor on x per arm, so that the intervals of two arms do not lie on each other."""
    values = [value for curve in curves.values() for value in curve.parameters]
    decades = max(np.log10(max(values) / min(values)), 0.3)
    arms = [arm for arm in design.arms if arm in curves]
    return {arm: float(10 ** ((index - (len(arms) - 1) / 2) * 0.018 * decades)) for index, arm in enumerate(arms)}


def size_axis(axes: Axes, design: Design, curves: Mapping[str, Series]) -> None:
    """The x axis: parameters on a log scale, a tick per size that any curve has."""
    sizes = [size for size in design.sizes if any(size in curve.sizes for curve in curves.values())]
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
    ends = [(arm, arm, float(curve.points[-1]), True) for arm, curve in curves.items()]
    labels_right(axes, max(curve.parameters[-1] * shift[arm] for arm, curve in curves.items()), ends, design)


def labels_right(axes: Axes, x: float, ends: Sequence[tuple[str, str, float, bool]], design: Design) -> None:
    """(label, arm, y, in full) right of `x`, moved apart where they would touch."""
    low, high = axes.get_ylim()
    figure = axes.get_figure(root=True)
    assert figure is not None
    height = figure.get_figheight() - 1.0  # inches of the axes, without title and labels
    places = spread([end[2] for end in ends], (high - low) * 0.135 / height)
    for (label, arm, _, full), y in zip(ends, places, strict=True):
        text = axes.annotate(
            label,
            (x, y),
            (9, 0),
            textcoords="offset points",
            color=colour(arm, design.arms),
            fontsize=9 if full else 7.5,
            alpha=1.0 if full else 0.75,
            weight="bold" if full else "normal",
            va="center",
            annotation_clip=False,
        )
        mark(text, arm)


def blind_lines(axes: Axes, baselines: Mapping[str, float]) -> None:
    """Dotted lines of the predictors that do not look; those far below the curves are only named, so that the
    curves keep the room."""
    known = sorted((value, name) for name, value in baselines.items() if np.isfinite(value))
    axes.margins(y=0.1)
    low, high = axes.get_ylim()
    near = [(value, name) for value, name in known if value > low - 1.2 * (high - low)]
    far = [(value, name) for value, name in known if (value, name) not in near]
    for value, _ in near:
        axes.axhline(value, color=MUTED, lw=0.9, ls=DOTTED, zorder=1)
    low, high = axes.get_ylim()
    if len(near) == 2 and near[1][0] - near[0][0] < (high - low) * 0.07:
        near = [(near[1][0], f"{near[1][1]}, {near[0][1]}")]
    for value, name in near:
        _small(axes, name, value, axes.get_yaxis_transform())
    if far:
        told = ", ".join(f"{name} {value:.1f}" for value, name in far)
        _small(axes, f"far below: {told}", 0, axes.transAxes)


def _small(axes: Axes, text: str, y: float, place: object) -> None:
    """Muted text at the right end of height `y`."""
    axes.annotate(
        text,
        (1, y),
        (-2, 1.5),
        xycoords=place,  # type: ignore[arg-type]
        textcoords="offset points",
        color=MUTED,
        fontsize=7.5,
        va="bottom",
        ha="right",
    )

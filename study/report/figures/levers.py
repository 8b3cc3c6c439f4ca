"""Which lever buys more? Each arm's gain beside a doubling of size, and the factor on size that it is worth."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import isinf
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from study.analysis.frame import NONE, Design
from study.analysis.levels import ALL_SIZES
from study.analysis.levers import Equivalent, Lever
from study.report.answers.levers import factor
from study.report.answers.words import interval
from study.report.figures.axes import BOX, WIDTH, draw_interval
from study.report.findings import Findings
from study.report.marks import Tip, mark
from study.report.style import INK, NEUTRAL, PAPER, Drawing, canvas, colour, finish


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """The means over targets: points, then factors."""
    rows = [row for row in found.levels.rows if row.of == "overall" and row.size == ALL_SIZES]
    clear = {row.arm for row in rows if found.levels.stands(row)}
    yield points(found.levers.pooled, clear, found.design, found.keys())
    yield factors(found.levers.pooled, found.design, found.keys())


def points(pooled: Mapping[str, Lever], clear: Collection[str], design: Design, keys: Sequence[str]) -> Drawing | None:
    """A row per arm: its gain in its colour (filled for those in `clear`), below in grey twice the parameters."""
    if not pooled:
        return None
    with canvas(WIDTH, 1.25 + 0.36 * len(pooled)) as (figure, axes):
        for y, (arm, lever) in enumerate(pooled.items()):
            tone = colour(arm, design.arms)
            draw_interval(axes, lever.doubling.low, lever.doubling.high, y + 0.24, NEUTRAL, NONE)
            label = "twice the parameters, without the arm" if y == 0 else None
            (point,) = axes.plot(lever.doubling.point, y + 0.24, "|", ms=9, mew=2, color=NEUTRAL, zorder=4, label=label)
            mark(point, NONE, [Tip(f"twice the parameters, without {arm}\n{interval(lever.doubling)} points")])
            draw_interval(axes, lever.gain.low, lever.gain.high, y, tone, arm)
            face = tone if arm in clear else PAPER
            (point,) = axes.plot(lever.gain.point, y, "o", ms=6, mfc=face, mec=tone, mew=1.4, zorder=4)
            mark(point, arm, [Tip(_tip(lever))])
        axes.axvline(0, color=INK, lw=0.9, zorder=1)
        axes.set_yticks(range(len(pooled)), list(pooled))
        axes.set_ylim(len(pooled) - 0.4, -0.5)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1.0), borderpad=0)
        axes.set_xlabel("points, mean over targets and sizes (95 % interval)")
        axes.set_title("An arm beside a doubling of size", pad=24)
        alt = "Gain of each arm beside what twice the parameters buy, with 95 % intervals"
        return finish(figure, "levers-points", alt, keys)


def factors(pooled: Mapping[str, Lever], design: Design, keys: Sequence[str]) -> Drawing | None:
    """A row per arm and size on a log axis; arrows where a factor or its interval leaves the ladder."""
    shown = {arm: lever.equivalents for arm, lever in pooled.items() if lever.equivalents}
    if not shown:
        return None
    inside = [
        value
        for ones in shown.values()
        for one in ones
        for value in (one.point, one.low, one.high)
        if value > 0 and not isinf(value)
    ]
    left, right = min([*inside, 0.5]) / 1.6, max([*inside, 2.0]) * 1.6
    with canvas(WIDTH, 0.9 + 0.2 * sum(len(ones) + 1.1 for ones in shown.values())) as (figure, axes):
        axes.set_xscale("log")
        axes.set_xlim(left, right)
        y, ticks, names = 0.0, [], []
        for arm, ones in shown.items():
            axes.text(
                0.0, y, arm, transform=axes.get_yaxis_transform(), weight="bold", fontsize=8.5, va="center", bbox=BOX
            )
            for one in ones:
                y -= 1.0
                _row(axes, arm, one, y, (left, right), colour(arm, design.arms))
                ticks.append(y)
                names.append(one.size)
            y -= 1.1
        axes.axvline(1, color=INK, lw=0.9, zorder=1)
        axes.set_yticks(ticks, names)
        axes.set_ylim(y + 0.3, 0.8)
        _factor_axis(axes)
        axes.set_title("What an arm is worth in size")
        alt = "Equivalent size of each arm by size: the factor on parameters that gives the arm's score without it"
        return finish(figure, "levers-factor", alt, keys)


def _tip(lever: Lever) -> str:
    return (
        f"{lever.arm}, mean over targets and sizes\n{interval(lever.gain)} points\n"
        f"minus one doubling of size: {interval(lever.against_doubling)}"
    )


def _row(axes: Axes, arm: str, one: Equivalent, y: float, ends: tuple[float, float], tone: str) -> None:
    """One factor with its interval; its tip hangs on its mark."""
    left, right = ends
    low, high = max(one.low, left), min(one.high, right)
    draw_interval(axes, low, high, y, tone, arm)
    if isinf(one.high):
        _dot(axes, right / 1.05, y, arm, marker=">", ms=5, color=tone, clip_on=False, zorder=5)
    if one.low == 0:
        _dot(axes, left * 1.05, y, arm, marker="<", ms=5, color=tone, clip_on=False, zorder=5)
    tip = Tip(f"{arm} at {one.size}, mean over targets\nworth a factor on parameters of\n{factor(one)}")
    if one.point > 0 and not isinf(one.point):
        _dot(axes, one.point, y, arm, tip, marker="o", ms=6, mfc=tone, mec=PAPER, mew=0.8, zorder=6)
    else:
        where, side, text = (right / 1.25, "right", "beyond") if one.point else (left * 1.25, "left", "below")
        mark(axes.text(where, y, text, color=tone, fontsize=7.5, ha=side, va="center", bbox=BOX, zorder=6), arm)


def _dot(axes: Axes, x: float, y: float, arm: str, tip: Tip | None = None, **style: Any) -> None:
    (point,) = axes.plot(x, y, **style)
    mark(point, arm, [tip] if tip else [])


def _factor_axis(axes: Axes) -> None:
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5), numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"×{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("factor on parameters that gives the arm's score (95 % interval)")

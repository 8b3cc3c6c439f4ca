"""How does every figure look? One style, colours that a colour-blind reader can tell apart, and the twins of a figure.

Every figure is drawn once and comes as SVG for the page, as an SVG file and as PNG, these two on white. All are the
same bytes for the same data (no dates, no random ids).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from study.report.marks import marks_of
from study.report.svg import alone, for_page, marked, plain

INK, MUTED, GRID, PAPER = "#1b1f24", "#66707b", "#e2e5e9", "#fdfdfd"
NEUTRAL = "#5d6975"
ARMS = ("#0072b2", "#d55e00", "#009e73", "#b0569a", "#8f6b00", "#3a8fb7")
"""Okabe and Ito's set, in the order used; `none` is neutral grey."""
DPI = 180
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
VARIABLES = {INK: "ink", MUTED: "muted", GRID: "grid", PAPER: "paper", NEUTRAL: "arm-none"} | {
    colour: f"arm-{index}" for index, colour in enumerate(ARMS)
}

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # where it would come to lie as well; finding that out takes a tenth of the time
    "axes.titlepad": 10,
    "axes.labelsize": 9,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "axes.titlecolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8.8,
    "ytick.labelsize": 8.8,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
}


@dataclass(frozen=True)
class Drawing:
    """One finished figure. `name` is its file name without an ending, `alt` what it shows, in words."""

    name: str
    alt: str
    svg: str
    """For the page."""
    file: str
    """The same as an SVG file that opens by itself."""
    png: bytes
    keys: tuple[str, ...] = ()
    """Evaluations behind it, sorted."""


def colour(arm: str, arms: Sequence[str]) -> str:
    """Colour of an arm: the same in every figure of a report."""
    treated = [name for name in arms if name != "none"]
    return ARMS[treated.index(arm) % len(ARMS)] if arm in treated else NEUTRAL


def marker(arm: str, arms: Sequence[str]) -> str:
    return MARKERS[list(arms).index(arm) % len(MARKERS)] if arm in arms else MARKERS[0]


@contextmanager
def canvas(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure in house style, in inches; closed afterwards."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(width, height), layout="constrained")
        try:
            yield figure, axes
        finally:
            plt.close(figure)


def finish(figure: Figure, name: str, alt: str, keys: Sequence[str] = ()) -> Drawing:
    """All twins of a figure. Call it inside `canvas`. The keys of its marks are added to `keys`."""
    # The canvases' own printing draws once; `savefig` draws twice, and lays the figure out for each file.
    png = io.BytesIO()
    figure.set_dpi(DPI)
    FigureCanvasAgg(figure).print_png(png)
    figure.set_layout_engine("none")
    figure.set_facecolor("none")
    svg = io.StringIO()
    with plt.rc_context({"svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None, "Creator": None})
    marks = marks_of(figure)
    traced = tuple(sorted({*keys, *(key for mark in marks for tip in mark.tips for key in tip.keys)}))
    drawn = plain(svg.getvalue())
    return Drawing(
        name=name,
        alt=alt,
        svg=for_page(marked(drawn, marks, traced), name, alt, VARIABLES),
        file=alone(marked(drawn, marks), alt, PAPER),
        png=png.getvalue(),
        keys=traced,
    )


def count(parameters: float) -> str:
    """17250 -> "17 k", 3.5e6 -> "3.5 M"."""
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if parameters >= limit:
            return f"{parameters / limit:.3g} {unit}"
    return f"{parameters:.0f}"


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Move label positions apart until neighbours are at least `gap` apart, keeping order and centre of mass."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    moved = [values[index] for index in order]
    for _ in range(50):
        for left in range(len(moved) - 1):
            lack = gap - (moved[left + 1] - moved[left])
            if lack > 1e-9:
                moved[left] -= lack / 2
                moved[left + 1] += lack / 2
    result = [0.0] * len(values)
    for place, index in enumerate(order):
        result[index] = moved[place]
    return result

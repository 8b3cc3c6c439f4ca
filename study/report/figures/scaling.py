"""How does the score grow with size? One figure per target: a line per arm, blind predictors dotted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes

from study.analysis.design import metric
from study.analysis.frame import Design
from study.analysis.series import Series
from study.report.figures.axes import HEIGHT, WIDTH, blind_lines, curve_tips, draw_curve, end_labels, shifts, size_axis
from study.report.findings import Findings
from study.report.marks import keys_by
from study.report.style import Drawing, canvas, finish

Keys = Mapping[tuple[str, str], tuple[str, ...]]
"""{(arm, size): evaluation keys} of one target"""
LONGEST = 38
"""Letters that fit beside the axis: longer names of a metric take two lines."""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One per target."""
    keys = keys_by(found.cells, "target", "arm", "size")
    for target in found.design.targets:
        ours = {(arm, size): found for (of, arm, size), found in keys.items() if of == target}
        curves = found.scores.get(target, {})
        yield scaling(target, curves, found.design, found.baselines(target), metric(target), ours)


def scaling(
    target: str,
    curves: Mapping[str, Series],
    design: Design,
    baselines: Mapping[str, float],
    metric: str,
    keys: Keys,
) -> Drawing | None:
    """Score against parameters, one line per arm, intervals, one small ring per seed, blind baselines dotted."""
    if not curves:
        return None
    with canvas(WIDTH, HEIGHT) as (figure, axes):
        shift = shifts(curves, design)
        for arm, curve in curves.items():
            own = {size: found for (of, size), found in keys.items() if of == arm}
            tips = curve_tips(curve, f" on {target}", "points", own)
            draw_curve(axes, np.array(curve.parameters) * shift[arm], curve, design, tips)
        blind_lines(axes, baselines)
        _below_hundred(axes)
        size_axis(axes, design, curves)
        end_labels(axes, curves, design, shift)
        label = f"{metric}, points"
        axes.set_ylabel(label if len(label) <= LONGEST else fill(label, 30))
        axes.set_title(target)
        alt = f"{target}: score against parameters, one line per arm ({', '.join(curves)})"
        return finish(figure, f"scaling-{target}", alt)


def _below_hundred(axes: Axes) -> None:
    """No score is above 100, and no tick need be."""
    low, high = axes.get_ylim()
    axes.set_ylim(top=min(high, 100 + 0.03 * (100 - low)))

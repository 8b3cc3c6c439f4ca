"""How does the score grow with size? One figure per target: a line per arm, blind predictors dotted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from study.analysis.design import metric
from study.analysis.frame import Design
from study.analysis.series import Series
from study.report.figures.axes import HEIGHT, WIDTH, blind_lines, draw_curve, end_labels, shifts, size_axis
from study.report.findings import Findings
from study.report.style import Drawing, canvas, colour, finish, marker


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One per target."""
    for target in found.design.targets:
        yield scaling(
            target,
            found.scores.get(target, {}),
            found.design,
            found.baselines(target),
            metric(target),
            found.keys(target=target),
        )


def scaling(
    target: str,
    curves: Mapping[str, Series],
    design: Design,
    baselines: Mapping[str, float],
    metric: str,
    keys: Sequence[str],
) -> Drawing | None:
    """Score against parameters, one line per arm, intervals, one small ring per seed, blind baselines dotted."""
    if not curves:
        return None
    with canvas(WIDTH, HEIGHT) as (figure, axes):
        shift = shifts(curves, design)
        for arm, curve in curves.items():
            x = np.array(curve.parameters) * shift[arm]
            draw_curve(axes, x, curve, colour(arm, design.arms), marker(arm, design.arms))
        blind_lines(axes, baselines)
        size_axis(
            axes, design, [size for size in design.sizes if any(size in curve.sizes for curve in curves.values())]
        )
        end_labels(axes, curves, design, shift)
        axes.set_ylabel(f"{metric}, points")
        axes.set_title(target)
        alt = f"{target}: score against parameters, one line per arm ({', '.join(curves)})"
        return finish(figure, f"scaling-{target}", alt, keys)

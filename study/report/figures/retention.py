"""Is the intermediate task still known? Retention in per cent against parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from study.analysis.frame import Design
from study.analysis.series import Series
from study.report.figures.axes import HEIGHT, WIDTH, draw_curve, end_labels, shifts, size_axis
from study.report.findings import Findings
from study.report.style import MUTED, Drawing, canvas, colour, finish, marker


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One for all arms."""
    yield retention(found.retention, found.design, sorted(set(found.retained["key"])))


def retention(curves: Mapping[str, Series], design: Design, keys: Sequence[str]) -> Drawing | None:
    """Retention in per cent against parameters, one line per arm."""
    if not curves:
        return None
    with canvas(WIDTH, HEIGHT) as (figure, axes):
        shift = shifts(curves, design)
        for arm, curve in curves.items():
            draw_curve(
                axes, np.array(curve.parameters) * shift[arm], curve, colour(arm, design.arms), marker(arm, design.arms)
            )
        axes.axhline(100, color=MUTED, lw=0.9, ls=(0, (1, 2)))
        axes.annotate(
            "nothing forgotten", (0, 100), xycoords=axes.get_yaxis_transform(), color=MUTED, fontsize=7.5, va="bottom"
        )
        size_axis(
            axes, design, [size for size in design.sizes if any(size in curve.sizes for curve in curves.values())]
        )
        end_labels(axes, curves, design, shift)
        axes.set_ylabel("dev score after / before, per cent")
        axes.set_title("Retention of the intermediate task")
        return finish(figure, "retention", "Retention of the intermediate task against parameters", keys)

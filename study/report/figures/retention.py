"""Is the intermediate task still known? Retention in per cent against parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from study.analysis.frame import Design
from study.analysis.series import Series
from study.report.figures.axes import DOTTED, HEIGHT, WIDTH, curve_tips, draw_curve, end_labels, shifts, size_axis
from study.report.findings import Findings
from study.report.marks import keys_by
from study.report.style import MUTED, Drawing, canvas, finish

Keys = Mapping[tuple[str, str], tuple[str, ...]]
"""{(arm, size): keys of the evaluations after the target phase}"""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One for all arms."""
    yield retention(found.memory.curves, found.design, keys_by(found.memory.table, "arm", "size"))


def retention(curves: Mapping[str, Series], design: Design, keys: Keys) -> Drawing | None:
    """Retention in per cent against parameters, one line per arm."""
    if not curves:
        return None
    with canvas(WIDTH, HEIGHT) as (figure, axes):
        shift = shifts(curves, design)
        for arm, curve in curves.items():
            own = {size: found for (of, size), found in keys.items() if of == arm}
            tips = curve_tips(curve, ", score kept", "per cent", own)
            draw_curve(axes, np.array(curve.parameters) * shift[arm], curve, design, tips)
        axes.axhline(100, color=MUTED, lw=0.9, ls=DOTTED)
        place = axes.get_yaxis_transform()
        axes.annotate("nothing forgotten", (0.01, 100), xycoords=place, color=MUTED, fontsize=7.5, va="bottom")
        size_axis(axes, design, curves)
        end_labels(axes, curves, design, shift)
        axes.set_ylabel("dev score after / before, per cent")
        axes.set_title("Retention of the intermediate task")
        return finish(figure, "retention", "Retention of the intermediate task against parameters")

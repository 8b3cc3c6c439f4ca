"""What does an arm add, where? One forest plot per arm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from study.analysis.frame import Design
from study.analysis.gains import POOLED
from study.analysis.series import Series
from study.report.figures.axes import BOX, WIDTH, draw_interval
from study.report.findings import Findings
from study.report.style import INK, PAPER, Drawing, canvas, colour, finish, marker


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One per arm; the mean of the targets comes last."""
    for arm in found.design.treated:
        rows = list(found.gains[arm].values())
        rows += [found.pools[arm].gain] if arm in found.pools and len(rows) > 1 else []
        yield gains(arm, rows, found.design, found.keys(arm=arm))


def gains(arm: str, rows: Sequence[Series], design: Design, keys: Sequence[str]) -> Drawing | None:
    """Forest plot: one group per target, one line per size; filled where the interval leaves zero out."""
    if not rows:
        return None
    height = sum(len(row.sizes) + 1.1 for row in rows)
    with canvas(WIDTH, 0.9 + 0.2 * height) as (figure, axes):
        y, ticks, names = 0.0, [], []
        tone = colour(arm, design.arms)
        for row in rows:
            label = "mean of targets" if row.target == POOLED else row.target
            axes.text(
                0.0, y, label, transform=axes.get_yaxis_transform(), weight="bold", fontsize=8.5, va="center", bbox=BOX
            )
            y -= 1.0
            for size in row.sizes:
                estimate = row.at(size)
                assert estimate is not None
                draw_interval(axes, estimate.low, estimate.high, y, tone)
                face = tone if estimate.clear else PAPER
                axes.plot(estimate.point, y, marker(arm, design.arms), ms=6, mfc=face, mec=tone, mew=1.4, zorder=4)
                ticks.append(y)
                names.append(size)
                y -= 1.0
            y -= 0.1
        axes.axvline(0, color=INK, lw=0.9, zorder=1)
        axes.set_yticks(ticks, names)
        axes.set_ylim(y + 0.3, 0.8)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"gain of {arm} over none, points (95 % interval)")
        axes.set_title(f"Gain of {arm}")
        return finish(figure, f"gain-{arm}", f"Gain of arm {arm} by target and size with 95 % intervals", keys)

"""What does an arm add, where? One forest plot per arm."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from study.analysis.frame import NONE, Design
from study.analysis.gains import POOLED
from study.analysis.series import Series
from study.report.answers.words import interval
from study.report.figures.axes import BOX, WIDTH, draw_interval
from study.report.findings import Findings
from study.report.marks import Tip, keys_by, mark
from study.report.style import INK, PAPER, Drawing, canvas, colour, count, finish

Keys = Mapping[tuple[str, str], tuple[str, ...]]
"""{(target or pool, size): evaluation keys} of an arm and of none"""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One per arm; the mean of the targets comes last."""
    cells = keys_by(found.cells, "arm", "target", "size")
    for arm in found.design.treated:
        rows = list(found.gains[arm].values())
        rows += [found.pools[arm].gain] if arm in found.pools and len(rows) > 1 else []
        targets = {row.target: (row.target,) for row in rows} | (
            {POOLED: found.pools[arm].targets} if arm in found.pools else {}
        )
        keys = {
            (name, size): tuple(
                key for of in (arm, NONE) for target in behind for key in cells.get((of, target, size), ())
            )
            for name, behind in targets.items()
            for size in found.design.sizes
        }
        clear = {(row.name, row.size) for row in found.levels.rows if row.arm == arm and found.levels.stands(row)}
        yield gains(arm, rows, clear, found.design, keys)


def gains(
    arm: str, rows: Sequence[Series], clear: Collection[tuple[str, str]], design: Design, keys: Keys
) -> Drawing | None:
    """Forest plot: one group per target, one line per size; filled where (target, size) is in `clear`."""
    if not rows:
        return None
    height = sum(len(row.sizes) + 1.1 for row in rows)
    with canvas(WIDTH, 0.9 + 0.2 * height) as (figure, axes):
        y, ticks, names = 0.0, [], []
        tone = colour(arm, design.arms)
        for row in rows:
            label = "mean of targets" if row.target == POOLED else row.target
            place = axes.get_yaxis_transform()
            axes.text(0.0, y, label, transform=place, weight="bold", fontsize=8.5, va="center", bbox=BOX, zorder=5)
            y -= 1.0
            for size, parameters in zip(row.sizes, row.parameters, strict=True):
                estimate = row.at(size)
                assert estimate is not None
                draw_interval(axes, estimate.low, estimate.high, y, tone, arm)
                face = tone if (row.target, size) in clear else PAPER
                (point,) = axes.plot(estimate.point, y, "o", ms=6, mfc=face, mec=tone, mew=1.4, zorder=4)
                text = f"gain of {arm} at {size}, {label}\n{interval(estimate)} points"
                seeds = f"{count(parameters)} parameters, {row.seeds_at(size)} seeds"
                mark(point, arm, [Tip(f"{text}\n{seeds}", keys.get((row.target, size), ()))])
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
        return finish(figure, f"gain-{arm}", f"Gain of arm {arm} by target and size with 95 % intervals")

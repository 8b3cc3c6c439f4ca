"""Does a gain change with size? A forest per arm: the mean of the targets and each target, for either scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill

from study.analysis.frame import Design
from study.analysis.gains import POOLED
from study.analysis.interaction import Change
from study.report.answers.words import interval, span
from study.report.figures.axes import WIDTH, draw_interval
from study.report.findings import Findings
from study.report.marks import Tip, mark
from study.report.style import INK, MUTED, PAPER, Drawing, canvas, colour, finish

Row = tuple[str, Change, bool]
"""(label, change, whether it stands with its family counted)"""
TITLE_WIDTH = 34
"""Letters that fit above the axes, beside the names of targets: an arm with a long name gets two lines."""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One per arm."""
    for arm, by_target in found.interaction.changes.items():
        pooled = found.interaction.pooled.get(arm)
        rows: list[Row] = [("mean of targets", pooled, found.interaction.arms.stands(arm))] if pooled else []
        rows += [(target, one, found.interaction.targets.stands(arm, target)) for target, one in by_target.items()]
        yield forest(arm, rows, found.design, found.keys(arm=arm))


def forest(arm: str, rows: Sequence[Row], design: Design, keys: Sequence[str]) -> Drawing | None:
    """A row per target; the interval for languages like these is the thin bar below."""
    if not rows:
        return None
    tone = colour(arm, design.arms)
    with canvas(WIDTH, 0.95 + 0.26 * len(rows)) as (figure, axes):
        for y, (label, change, stands) in enumerate(rows):
            if change.answer_like:
                axes.plot(
                    [change.answer_like.low, change.answer_like.high], [y + 0.28] * 2, color=MUTED, lw=0.9, zorder=2
                )
            draw_interval(axes, change.answer.low, change.answer.high, y, tone, arm)
            face = tone if stands else PAPER
            (point,) = axes.plot(change.answer.point, y, "o", ms=6, mfc=face, mec=tone, mew=1.4, zorder=4)
            mark(point, arm, [Tip(_tip(arm, label, change, stands))])
        axes.axvline(0, color=INK, lw=0.9, zorder=1)
        axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        if rows[0][1].gain.target == POOLED:
            axes.get_yticklabels()[0].set(weight="bold", color=INK)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(_unit([change for _, change, _ in rows]))
        axes.set_title(fill(f"Gain of {arm}: change with size", TITLE_WIDTH))
        alt = f"How the gain of arm {arm} changes with size, by target, with 95 % intervals"
        return finish(figure, f"interaction-{arm}", alt, keys)


def _tip(arm: str, label: str, change: Change, stands: bool) -> str:
    unit = "points" if change.by_contrast else "points per tenfold parameters"
    like = f"\nfor languages like these {span(change.answer_like)}" if change.answer_like else ""
    verdict = "stands" if stands else "does not stand"
    return (
        f"change of the gain of {arm} with size, {label}\n{interval(change.answer)} {unit}{like}\n"
        f"{verdict} with all of its kind counted"
    )


def _unit(changes: Sequence[Change]) -> str:
    if not changes[0].by_contrast:
        return "points per tenfold parameters (95 % interval)"
    ends = {(change.gain.sizes[0], change.gain.sizes[-1]) for change in changes}
    which = "from {} to {}".format(*ends.pop()) if len(ends) == 1 else "from the smallest to the largest size"
    return f"change {which}, points (95 % interval)"

"""What does domain text add: in all, where it speaks and elsewhere, and by language? One forest plot per arm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from study.analysis.domain import Added, Split
from study.analysis.frame import Design, lines
from study.analysis.noise import Estimate
from study.analysis.series import Series
from study.report.answers.words import interval
from study.report.figures.axes import BOX, WIDTH, draw_interval
from study.report.findings import Findings
from study.report.marks import Tip, mark
from study.report.style import INK, PAPER, Drawing, canvas, colour, finish, marker

Group = tuple[str, list[tuple[str, Estimate]]]


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One per pair of arms that differ in text alone."""
    for one in found.domain.added:
        keys = sorted({*found.keys(arm=one.arm), *found.keys(arm=one.base)})
        yield domain(one, found.design, keys)


def domain(one: Added, design: Design, keys: Sequence[str]) -> Drawing | None:
    """Filled where the interval leaves zero out."""
    groups: list[Group] = [("all targets, by size", _sizes(one.pool.gain))]
    groups += [("by domain, mean of sizes", _sides(one.targets, "targets"))] if one.targets else []
    groups += [("by language, mean of sizes", _sides(one.languages, "languages"))] if one.languages else []
    spoken = {True: " (in the text)", False: "", None: ""}
    each = [
        (f"{row.language}{spoken[row.in_language]}", Estimate(row.added, row.low, row.high))
        for row in lines(one.by_language)
    ]
    groups += [("single languages, mean of targets and sizes", each)] if len(each) > 1 else []
    tone, shape = colour(one.arm, design.arms), marker(one.arm, design.arms)
    with canvas(WIDTH, 0.9 + 0.2 * sum(len(rows) + 1.1 for _, rows in groups)) as (figure, axes):
        y, ticks, names = 0.0, [], []
        for title, rows in groups:
            axes.text(
                0.0, y, title, transform=axes.get_yaxis_transform(), weight="bold", fontsize=8.5, va="center", bbox=BOX
            )
            for label, estimate in rows:
                y -= 1.0
                draw_interval(axes, estimate.low, estimate.high, y, tone, one.arm)
                face = tone if estimate.clear else PAPER
                (point,) = axes.plot(estimate.point, y, shape, ms=6, mfc=face, mec=tone, mew=1.4, zorder=4)
                mark(point, one.arm, [Tip(f"{one.arm} over {one.base}, {label}\n{interval(estimate)} points")])
                ticks.append(y)
                names.append(label)
            y -= 1.1
        axes.axvline(0, color=INK, lw=0.9, zorder=1)
        axes.set_yticks(ticks, names)
        axes.set_ylim(y + 0.3, 0.8)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"{one.arm} minus {one.base}, points (95 % interval)")
        axes.set_title(f"What text adds: {one.arm}")
        alt = f"What running text adds in {one.arm} over {one.base}, with 95 % intervals"
        return finish(figure, f"domain-{one.arm}-{one.base}", alt, keys)


def _sizes(of: Series) -> list[tuple[str, Estimate]]:
    return [(size, estimate) for size in of.sizes if (estimate := of.at(size)) is not None]


def _sides(of: Split, what: str) -> list[tuple[str, Estimate]]:
    inside = "in-domain targets" if what == "targets" else "languages of the text"
    return [
        (inside, of.within.mean()),
        (f"other {what}", of.outside.mean()),
        ("difference", of.difference.mean()),
    ]

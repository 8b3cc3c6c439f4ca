"""What does domain text add: in all, where it speaks and elsewhere, and by language? One forest plot per arm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from study.analysis.domain import Added, Domain, Statement
from study.analysis.frame import Design
from study.report.answers.words import interval
from study.report.figures.axes import BOX, WIDTH, draw_interval
from study.report.findings import Findings
from study.report.marks import Tip, mark
from study.report.style import INK, PAPER, Drawing, canvas, colour, finish, marker

Group = tuple[str, list[tuple[str, Statement]]]


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One per pair of arms that differ in text alone."""
    for one in found.domain.added:
        keys = sorted({*found.keys(arm=one.arm), *found.keys(arm=one.base)})
        yield domain(found.domain, one, found.design, keys)


def domain(of: Domain, one: Added, design: Design, keys: Sequence[str]) -> Drawing | None:
    """Filled where zero is ruled out with all numbers of the kind counted."""
    groups = _groups(of, one)
    tone, shape = colour(one.arm, design.arms), marker(one.arm, design.arms)
    with canvas(WIDTH, 0.9 + 0.2 * sum(len(rows) + 1.1 for _, rows in groups)) as (figure, axes):
        y, ticks, names = 0.0, [], []
        for title, rows in groups:
            axes.text(
                0.0, y, title, transform=axes.get_yaxis_transform(), weight="bold", fontsize=8.5, va="center", bbox=BOX
            )
            for label, told in rows:
                estimate = told.added
                y -= 1.0
                draw_interval(axes, estimate.low, estimate.high, y, tone, one.arm)
                face = tone if of.stands(told) else PAPER
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


def _groups(of: Domain, one: Added) -> list[Group]:
    sizes = of.about(one, "overall", "size") or of.about(one, "overall")
    found: list[Group] = [("all targets, by size", [(told.at, told) for told in sizes])]
    told_apart = [*of.about(one, "side"), *of.about(one, "difference")]
    for what, inside, outside in (
        ("domain", "in-domain targets", "other targets"),
        ("languages", "languages of the text", "other languages"),
    ):
        rows = [told for told in told_apart if told.name.endswith(f" its {what}")]
        if rows:
            title = f"by {what.removesuffix('s')}, mean of sizes"
            found.append((title, list(zip((inside, outside, "difference"), rows, strict=True))))
    spoken = {True: " (in the text)", False: "", None: ""}
    each = [(f"{told.name}{spoken[one.by_language[told.name].inside]}", told) for told in of.about(one, "language")]
    return [*found, ("single languages, mean of targets and sizes", each)] if len(each) > 1 else found

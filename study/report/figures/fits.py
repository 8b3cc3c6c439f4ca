"""Which curve do the scores follow over the sizes? The chosen curve per arm with its band, over the points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from study.analysis.fits import Fitted
from study.analysis.frame import Design
from study.analysis.gains import POOLED
from study.report.figures.axes import HEIGHT, WIDTH, end_labels, size_axis
from study.report.findings import Findings
from study.report.style import PAPER, Drawing, canvas, colour, finish, marker


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One, of the mean over targets; nothing with fewer than four sizes."""
    yield fits(found.fits.get(POOLED, {}), found.design, found.keys())


def fits(curves: Mapping[str, Fitted], design: Design, keys: Sequence[str]) -> Drawing | None:
    """Lines end where the ladder ends. Whole line: power law; dashed: straight line over log10 N."""
    if not curves:
        return None
    with canvas(WIDTH, HEIGHT) as (figure, axes):
        for arm, both in curves.items():
            tone = colour(arm, design.arms)
            x, y, low, high = both.chosen.band
            axes.fill_between(x, low, high, color=tone, alpha=0.13, lw=0)
            axes.plot(x, y, color=tone, lw=1.5, ls="-" if both.chosen is both.power else (0, (4, 2)), zorder=3)
            points = both.of.points
            axes.plot(
                both.of.parameters, points, marker(arm, design.arms), color=tone, ms=5.5, mec=PAPER, mew=0.8, zorder=4
            )
        size_axis(axes, design, [size for size in design.sizes if any(size in one.of.sizes for one in curves.values())])
        end_labels(axes, {arm: one.of for arm, one in curves.items()}, design, dict.fromkeys(curves, 1.0))
        axes.set_ylabel("mean score over targets, points")
        axes.set_title("Curves over size")
        alt = "Mean score over targets against parameters with the chosen curve per arm and its 95 % band"
        return finish(figure, "fit", alt, keys)

"""Which curve do the scores follow over the sizes? The chosen curve per arm with its band, over the points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from study.analysis.fits import Fitted
from study.analysis.frame import Design
from study.analysis.gains import POOLED
from study.report.figures.axes import HEIGHT, WIDTH, curve_tips, end_labels, size_axis
from study.report.findings import Findings
from study.report.marks import keys_by, mark
from study.report.style import PAPER, Drawing, canvas, colour, finish, marker

Keys = Mapping[tuple[str, str], tuple[str, ...]]
"""{(arm, size): evaluation keys over all targets}"""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One, of the mean over targets; nothing with fewer than four sizes."""
    yield fits(found.fits.get(POOLED, {}), found.design, keys_by(found.cells, "arm", "size"))


def fits(curves: Mapping[str, Fitted], design: Design, keys: Keys) -> Drawing | None:
    """Lines end where the ladder ends. Whole line: power law; dashed: straight line over log10 N."""
    if not curves:
        return None
    with canvas(WIDTH, HEIGHT) as (figure, axes):
        for arm, both in curves.items():
            tone = colour(arm, design.arms)
            x, y, low, high = both.chosen.band
            mark(axes.fill_between(x, low, high, color=tone, alpha=0.13, lw=0), arm)
            dashes = "-" if both.chosen is both.power else (0, (4, 2))
            (line,) = axes.plot(x, y, color=tone, lw=1.5, ls=dashes, zorder=3)
            mark(line, arm)
            shape, own = marker(arm, design.arms), {size: keys.get((arm, size), ()) for size in both.of.sizes}
            (points,) = axes.plot(
                both.of.parameters, both.of.points, shape, color=tone, ms=5.5, mec=PAPER, mew=0.8, zorder=4
            )
            mark(points, arm, curve_tips(both.of, ", mean of targets", "points", own))
        series = {arm: both.of for arm, both in curves.items()}
        size_axis(axes, design, series)
        end_labels(axes, series, design, dict.fromkeys(curves, 1.0))
        axes.set_ylabel("mean score over targets, points")
        axes.set_title("Curves over size")
        alt = "Mean score over targets against parameters with the chosen curve per arm and its 95 % band"
        return finish(figure, "fit", alt)

"""What does a score cost? Mean score over targets against FLOPs."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from study.analysis.frame import Design, lines
from study.report.figures.axes import HEIGHT, WIDTH
from study.report.findings import Findings
from study.report.style import PAPER, Drawing, canvas, colour, finish, marker


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One for all arms."""
    yield cost(found.frontier, found.design)


def cost(table: pd.DataFrame, design: Design) -> Drawing | None:
    """Mean score over targets against FLOPs per seed, one line per arm; columns size, arm, flops, score."""
    if table.empty:
        return None
    with canvas(WIDTH, HEIGHT) as (figure, axes):
        for arm in design.arms:
            rows = table[table["arm"] == arm].sort_values("flops")
            tone = colour(arm, design.arms)
            axes.plot(
                rows["flops"], rows["score"], marker=marker(arm, design.arms), color=tone, ms=6, mec=PAPER, label=arm
            )
            for row in lines(rows):
                axes.annotate(
                    row.size,
                    (row.flops, row.score),
                    (0, 6),
                    textcoords="offset points",
                    fontsize=8,
                    color=tone,
                    ha="center",
                )
        axes.set_xscale("log")
        axes.margins(0.12, 0.18)
        axes.legend(frameon=False, fontsize=8.5, loc="upper left")
        axes.set_xlabel("FLOPs of both phases per seed, search included")
        axes.set_ylabel("mean score over targets, points")
        axes.set_title("Score against what it cost")
        return finish(figure, "cost", "Mean score over targets against FLOPs, one line per arm")

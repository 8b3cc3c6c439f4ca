"""What does a score cost? Mean score over targets against FLOPs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from study.analysis.frame import Design, lines
from study.report.figures.axes import HEIGHT, WIDTH, labels_right
from study.report.findings import Findings
from study.report.marks import Tip, keys_by, mark
from study.report.style import MUTED, PAPER, Drawing, canvas, colour, finish, marker

NAME: Any = {"fontsize": 8, "color": MUTED, "ha": "center"}
Keys = Mapping[tuple[str, str], tuple[str, ...]]
"""{(arm, size): evaluation keys over all targets}"""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One for all arms."""
    yield cost(found.frontier, found.design, keys_by(found.cells, "arm", "size"))


def cost(table: pd.DataFrame, design: Design, keys: Keys) -> Drawing | None:
    """Mean score over targets against FLOPs per seed, one line per arm; columns size, arm, seconds, flops, score."""
    if table.empty:
        return None
    with canvas(WIDTH, HEIGHT) as (figure, axes):
        ends = []
        for arm in design.arms:
            rows = table[table["arm"] == arm].sort_values("flops")
            if rows.empty:
                continue
            tone, shape = colour(arm, design.arms), marker(arm, design.arms)
            (line,) = axes.plot(rows["flops"], rows["score"], marker=shape, color=tone, ms=6, mec=PAPER)
            tips = [
                Tip(
                    f"{arm} at {row.size}\n{row.score:.1f} points, mean over targets\n{row.flops:.2g} FLOPs and "
                    f"{row.seconds:.3g} device-seconds per seed",
                    keys.get((arm, row.size), ()),
                )
                for row in lines(rows)
            ]
            mark(line, arm, tips)
            ends.append((arm, arm, float(rows["score"].iloc[-1]), True))
        for size, rows in table.groupby("size", sort=False):
            best = rows.sort_values("score").iloc[-1]  # one name for the arms' neighbouring points
            axes.annotate(str(size), (best["flops"], best["score"]), (0, 7), textcoords="offset points", **NAME)
        axes.set_xscale("log")
        axes.margins(0.08, 0.14)
        labels_right(axes, float(table["flops"].max()), ends, design)
        axes.set_xlabel("FLOPs of both phases per seed, search included")
        axes.set_ylabel("mean score over targets, points")
        axes.set_title("Score against what it cost")
        return finish(figure, "cost", "Mean score over targets against FLOPs, one line per arm")

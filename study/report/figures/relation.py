"""Do gains go with retention? One mark per (arm, size, target, seed)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from study.analysis.frame import Design, lines
from study.report.answers.words import signed
from study.report.figures.axes import HEIGHT, WIDTH
from study.report.findings import Findings
from study.report.marks import Tip, mark
from study.report.style import INK, Drawing, canvas, colour, finish, marker

CROWD = 150
"""Marks, above which they are fainter: a cloud shows where it is dense."""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One for all arms."""
    yield scatter(found.memory.relation.rows, found.design, sorted(set(found.memory.table["key"])))


def scatter(rows: pd.DataFrame, design: Design, keys: Sequence[str]) -> Drawing | None:
    """Gain against retention; larger sizes have larger marks. Columns as in `Relation.rows`."""
    if len(rows) < 2:
        return None
    arms = [arm for arm in design.arms if arm in set(rows["arm"])]
    columns = min(len(arms), 3)
    with canvas(WIDTH, HEIGHT + 0.2 * -(-len(arms) // columns)) as (figure, axes):
        for arm in arms:
            for rank, size in enumerate(design.sizes):
                here = rows[(rows["arm"] == arm) & (rows["size"] == size)]
                (points,) = axes.plot(
                    here["retention"],
                    here["gain"],
                    marker(arm, design.arms),
                    ms=3.0 + 4.0 * (rank + 1) / len(design.sizes),
                    mfc="none",
                    mec=colour(arm, design.arms),
                    mew=1.0,
                    alpha=0.65 if len(rows) <= CROWD else 0.35,
                    label=arm if len(here) and arm not in axes.get_legend_handles_labels()[1] else None,
                )
                mark(points, arm, [_tip(row) for row in lines(here)])
        axes.axhline(0, color=INK, lw=0.9, zorder=1)
        axes.legend(frameon=False, fontsize=8, ncols=columns, loc="lower left", bbox_to_anchor=(0, 1.0), borderpad=0)
        axes.set_xlabel("retention, per cent (larger marks: larger sizes)")
        axes.set_ylabel("gain over none, points")
        axes.set_title("Gain against retention", pad=9 + 15 * -(-len(arms) // columns))
        alt = f"Gain against retention of the intermediate task, one mark per cell ({', '.join(arms)})"
        return finish(figure, "relation", alt, keys)


def _tip(row: Any) -> Tip:
    return Tip(
        f"{row.arm} at {row.size}, {row.target}, seed {row.seed}\n{row.retention:.1f} % retained, "
        f"gain {signed(row.gain)} points"
    )

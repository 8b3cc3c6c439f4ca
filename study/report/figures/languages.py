"""Which languages score what? Against distance from English where known, else a row per language by family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from study.analysis.frame import Design
from study.analysis.languages import FEWEST, Language
from study.report.figures.axes import HEIGHT, WIDTH, labels_right
from study.report.findings import Findings
from study.report.style import PAPER, Drawing, canvas, colour, finish, marker

APART = 0.06
"""Share of the axis between two languages that leaves room for their names."""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One per target."""
    for target in found.design.targets:
        yield languages(target, found.by_language, found.languages, found.design)


def languages(target: str, table: pd.DataFrame, facts: Mapping[str, Language], design: Design) -> Drawing | None:
    """Score by language: against distance from English where it is known of all and they lie apart, else by family."""
    rows = table[table["target"] == target]
    if rows.empty:
        return None
    distances = [facts[code].distance for code in rows["language"].unique()]
    known = sorted(distance for distance in distances if distance is not None)
    apart = len(known) >= FEWEST and min(np.diff(known)) >= APART * (known[-1] - known[0]) > 0
    drawn = _by_distance if apart and len(known) == len(distances) else _by_family
    return drawn(target, rows, facts, design)


def _by_distance(target: str, rows: pd.DataFrame, facts: Mapping[str, Language], design: Design) -> Drawing:
    """Lines over distance; the largest size in full colour, smaller ones faint."""
    rows = rows.assign(distance=np.array([facts[code].distance for code in rows["language"]], dtype=float))
    sizes = [size for size in design.sizes if size in set(rows["size"])]
    with canvas(WIDTH, HEIGHT) as (figure, axes):
        ends = []
        for arm in design.arms:
            for rank, size in enumerate(reversed(sizes)):
                line = rows[(rows["arm"] == arm) & (rows["size"] == size)].sort_values("distance")
                if line.empty:
                    continue
                tone, full = colour(arm, design.arms), rank == 0
                axes.plot(
                    line["distance"],
                    line["score"],
                    marker=marker(arm, design.arms),
                    ms=5.5 if full else 3.5,
                    mec=PAPER,
                    color=tone,
                    lw=1.8 if full else 1.0,
                    alpha=1.0 if full else 0.4,
                    zorder=5 - rank,
                )
                ends.append((f"{arm} {size}", float(line["score"].iloc[-1]), tone, full))
        labels_right(axes, float(rows["distance"].max()), ends)
        places = rows.groupby("language")["distance"].first().sort_values()
        axes.set_xticks(places.to_list(), [f"{code}\n{value:.3g}" for code, value in places.items()])
        axes.grid(axis="x", visible=False)
        axes.set_xlabel("language and its distance from English (0 to 1)")
        axes.set_ylabel("score, points (mean of seeds)")
        axes.set_title(target)
        return finish(
            figure, f"languages-{target}", f"{target}: score against distance from English", sorted(set(rows["key"]))
        )


def _by_family(target: str, rows: pd.DataFrame, facts: Mapping[str, Language], design: Design) -> Drawing:
    """One row per language, grouped by family; the largest size found, one marker per arm."""
    largest = [size for size in design.sizes if size in set(rows["size"])][-1]
    rows = rows[rows["size"] == largest]
    codes = sorted(rows["language"].unique(), key=lambda code: (code != "en", facts[code].family, code))
    columns = min(len(design.arms), 3)  # a wider legend would leave no room for the axes
    lines = -(-len(design.arms) // columns)
    with canvas(WIDTH, 1.0 + 0.2 * lines + 0.19 * len(codes)) as (figure, axes):
        for arm in design.arms:
            line = rows[rows["arm"] == arm].set_index("language")["score"]
            y = [-index for index, code in enumerate(codes) if code in line.index]
            x = [line[code] for code in codes if code in line.index]
            axes.plot(x, y, marker(arm, design.arms), color=colour(arm, design.arms), mec=PAPER, ms=6, label=arm)
        axes.set_yticks([-index for index in range(len(codes))], [_family_label(facts[code]) for code in codes])
        axes.set_ylim(-len(codes) + 0.4, 0.6)
        axes.legend(frameon=False, fontsize=8.5, ncols=columns, loc="lower left", bbox_to_anchor=(0, 1.0), borderpad=0)
        axes.set_xlabel(f"score at size {largest}, points (mean of seeds)")
        axes.set_title(target, pad=9 + 15 * lines)
        return finish(
            figure, f"languages-{target}", f"{target}: score by language at {largest}", sorted(set(rows["key"]))
        )


def _family_label(language: Language) -> str:
    return f"{language.family.removeprefix('Indo-European: ')}  {language.code}" if language.family else language.code

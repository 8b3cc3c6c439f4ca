"""Which languages score what? Against distance from English where known, else a row per language by family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from study.analysis.frame import Design, lines
from study.analysis.languages import FEWEST, Language
from study.report.figures.axes import HEIGHT, WIDTH, labels_right
from study.report.findings import Findings
from study.report.marks import Tip, keys_by, mark
from study.report.style import PAPER, Drawing, canvas, colour, finish, marker

Keys = Mapping[tuple[str, str], tuple[str, ...]]
"""{(arm, size): evaluation keys} of one target"""
APART = 0.06
"""Share of the axis between two languages that leaves room for their names."""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """One per target."""
    keys = keys_by(found.cells, "target", "arm", "size")
    for target in found.design.targets:
        ours = {(arm, size): found for (of, arm, size), found in keys.items() if of == target}
        yield languages(target, found.by_language, found.languages, found.design, ours)


def languages(
    target: str, table: pd.DataFrame, facts: Mapping[str, Language], design: Design, keys: Keys
) -> Drawing | None:
    """Score by language: against distance from English where it is known of all and they lie apart, else by family."""
    rows = table[table["target"] == target]
    if rows.empty:
        return None
    distances = [facts[code].distance for code in rows["language"].unique()]
    known = sorted(distance for distance in distances if distance is not None)
    apart = len(known) >= FEWEST and min(np.diff(known)) >= APART * (known[-1] - known[0]) > 0
    draw = _by_distance if apart and len(known) == len(distances) else _by_family
    return draw(target, rows, facts, design, keys)


def _by_distance(target: str, rows: pd.DataFrame, facts: Mapping[str, Language], design: Design, keys: Keys) -> Drawing:
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
                full = rank == 0
                (drawn,) = axes.plot(
                    line["distance"],
                    line["score"],
                    marker=marker(arm, design.arms),
                    ms=5.5 if full else 3.5,
                    mec=PAPER,
                    color=colour(arm, design.arms),
                    lw=1.8 if full else 1.0,
                    alpha=1.0 if full else 0.4,
                    zorder=5 - rank,
                )
                mark(drawn, arm, _tips(target, line, facts, keys))
                if full:
                    ends.append((f"{arm} {size}", arm, float(line["score"].iloc[-1]), full))
        labels_right(axes, float(rows["distance"].max()), ends, design)
        places = rows.groupby("language")["distance"].first().sort_values()
        axes.set_xticks(places.to_list(), [f"{code}\n{value:.3g}" for code, value in places.items()])
        axes.grid(axis="x", visible=False)
        axes.set_xlabel("language and its distance from English (0 to 1)")
        axes.set_ylabel("score, points (mean of seeds)")
        axes.set_title(target)
        return finish(figure, f"languages-{target}", f"{target}: score against distance from English")


def _by_family(target: str, rows: pd.DataFrame, facts: Mapping[str, Language], design: Design, keys: Keys) -> Drawing:
    """One row per language, grouped by family; the largest size found, one marker per arm."""
    largest = [size for size in design.sizes if size in set(rows["size"])][-1]
    rows = rows[rows["size"] == largest]
    codes = sorted(rows["language"].unique(), key=lambda code: (code != "en", facts[code].family, code))
    heights = {code: -index for index, code in enumerate(codes)}
    columns = min(len(design.arms), 3)  # a wider legend would leave no room for the axes
    deep = -(-len(design.arms) // columns)
    with canvas(WIDTH, 1.0 + 0.2 * deep + 0.19 * len(codes)) as (figure, axes):
        for arm in design.arms:
            line = rows[rows["arm"] == arm]
            y = [heights[code] for code in line["language"]]
            tone, shape = colour(arm, design.arms), marker(arm, design.arms)
            (drawn,) = axes.plot(line["score"], y, shape, color=tone, mec=PAPER, mew=0.4, ms=6.5, label=arm)
            mark(drawn, arm, _tips(target, line, facts, keys))
        axes.set_yticks(list(heights.values()), [_family_label(facts[code]) for code in codes])
        axes.set_ylim(-len(codes) + 0.4, 0.6)
        axes.legend(frameon=False, fontsize=8.5, ncols=columns, loc="lower left", bbox_to_anchor=(0, 1.0), borderpad=0)
        axes.set_xlabel(f"score at size {largest}, points (mean of seeds)")
        axes.set_title(target, pad=9 + 15 * deep)
        return finish(figure, f"languages-{target}", f"{target}: score by language at {largest}")


def _tips(target: str, rows: pd.DataFrame, facts: Mapping[str, Language], keys: Keys) -> list[Tip]:
    """One tip per row: language, score, examples."""
    return [
        Tip(
            f"{row.arm} at {row.size} on {target}, {facts[row.language].name or row.language}\n"
            f"{row.score:.1f} points, mean of seeds, {row.examples:.0f} examples",
            keys.get((row.arm, row.size), ()),
        )
        for row in lines(rows)
    ]


def _family_label(language: Language) -> str:
    return f"{language.family.removeprefix('Indo-European: ')}  {language.code}" if language.family else language.code

"""What does a mark of a figure say when it is pointed at? Tips, tied to an arm and to the evaluations behind a number.

    (points,) = axes.plot(x, y, "o-")
    mark(points, "siqa", [Tip("siqa at s: 59.4 points", keys), Tip("siqa at m: 77.2 points", more)])   # one a point
    mark(bars, "siqa")                              # no tip, but fades with its arm when the reader picks another

matplotlib carries only a group id into the SVG; `study.report.svg` puts the rest there, by that id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

PREFIX = "mark-"


@dataclass(frozen=True)
class Tip:
    """Lines of text, and the keys of the evaluations that the number rests on."""

    text: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """One artist of a figure: its arm, and a tip for each of its points (or none at all)."""

    arm: str
    tips: tuple[Tip, ...]


_MARKS: WeakKeyDictionary[Figure, list[Mark]] = WeakKeyDictionary()


def mark(artist: Artist, arm: str, tips: Sequence[Tip] = ()) -> None:
    """Tie an artist to an arm ("" for none of them); `tips` are for the points of a line with markers, in order."""
    figure = artist.get_figure(root=True)
    assert isinstance(figure, Figure)
    marks = _MARKS.setdefault(figure, [])
    artist.set_gid(f"{PREFIX}{len(marks)}")
    marks.append(Mark(arm, tuple(tips)))


def marks_of(figure: Figure) -> list[Mark]:
    """All marks of a figure; the number in a group's id is a place in this list."""
    return _MARKS.get(figure, [])


def keys_by(table: pd.DataFrame, *columns: str) -> dict[tuple, tuple[str, ...]]:
    """{values of the columns: sorted evaluation keys} of the rows of `frame.result_cells`."""
    pairs = table[[*columns, "key"]].drop_duplicates()
    return {place: tuple(sorted(found)) for place, found in pairs.groupby(list(columns))["key"]}

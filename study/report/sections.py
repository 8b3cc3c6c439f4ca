"""What is a chapter of the page made of? Figures, and tables with a title, a note and a view each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from study.report.benchmark import overview
from study.report.findings import Findings
from study.report.style import Drawing
from study.report.view import View, view

FOLD = 12
"""Tables with more rows start folded."""

Tables = Mapping[str, pd.DataFrame]
Make = Callable[[Findings, Tables], View]


@dataclass(frozen=True)
class Table:
    """A table of the page. `columns` are names, or make the view; `csv` is the file where that is not `name`."""

    name: str
    title: str
    note: str
    columns: str | Make
    csv: str = ""


@dataclass(frozen=True)
class Chapter:
    """A part of the page: the families of figures that open it, and its tables."""

    anchor: str
    title: str
    families: tuple[str, ...]
    caption: str | Callable[[Findings], str]
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Section:
    """One table, ready to be shown. Long ones are folded."""

    anchor: str
    title: str
    note: str
    table: View
    csv: str

    @property
    def folded(self) -> bool:
        return len(self.table.rows) > FOLD


@dataclass(frozen=True)
class Shown:
    """One chapter, ready to be shown."""

    anchor: str
    title: str
    caption: str
    drawn: bool
    """False for a chapter that has no figures by design."""
    drawings: tuple[Drawing, ...]
    sections: tuple[Section, ...]


def section(table: Table, found: Findings, tables: Tables) -> Section:
    """`tables` are those of `csv_tables(found)`."""
    columns = table.columns
    shown = view(tables[table.name], columns.split()) if isinstance(columns, str) else columns(found, tables)
    return Section(table.name, table.title, table.note, shown, table.csv or table.name)


def benchmark_overview(found: Findings, tables: Tables) -> View:
    return overview(tables["benchmark"])


def benchmark_tasks(found: Findings, tables: Tables) -> View:
    """The intervals are of scores, which have no sign."""
    table = tables["benchmark"].rename(columns={"low": "score_low", "high": "score_high"})
    names = "level name arm size score score_low score_high seeds partial missing stand_ins"
    return view(table, names.split())


def lost_trials(found: Findings, tables: Tables) -> View:
    lost = tables["trials"][tables["trials"]["status"] != "finished"]
    return view(lost, ["key", "trial", "learning_rate", "status", "seconds", "note"])


def language_scores(found: Findings, tables: Tables) -> View:
    """One score column per arm and three gain columns per arm other than none."""
    names = ["target", "size", "language", "family", "distance", "examples", "majority"]
    names += [f"score_{arm}" for arm in found.design.arms]
    names += [f"{part}_{arm}" for arm in found.design.treated for part in ("gain", "low", "high")]
    return view(tables["languages"], names)

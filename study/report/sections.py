"""What is a chapter of the page made of? Figures, and tables with a title, a note and a view each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from study.analysis.frame import NONE, Design
from study.records import LOST
from study.report.benchmark import overview
from study.report.findings import Findings
from study.report.style import Drawing
from study.report.tables.transfer import ALL
from study.report.view import View, view

FOLD = 12
"""Tables with more rows start folded."""
PRINTED = 40
"""Tables with more rows are printed up to this one; style.css leaves out the rest."""

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
    traced: str = ""
    """Name of the table whose rows the numbers rest on (scores or phases); every row then links to them there."""
    paper: bool = False
    """True: one of the main tables, which are also written as LaTeX and Markdown."""


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
    traced: str = ""
    paper: bool = False

    @property
    def folded(self) -> bool:
        return len(self.table.rows) > FOLD

    @property
    def cut(self) -> bool:
        """Whether the paper holds a part of it only."""
        return len(self.table.rows) > PRINTED


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
    if table.traced:
        shown = replace(shown, traces=traces(shown, found.design))
    return Section(table.name, table.title, table.note, shown, table.csv or table.name, table.traced, table.paper)


COMPARED = ("gain", "factor", "slope", "gain − doubling", "seen with 80 %")
"""Headings of tables in which arms are compared with none."""


def traces(shown: View, design: Design) -> tuple[str, ...]:
    """What each row rests on: the rows of the same arm, target and size; those of none too where arms are compared.

    A row about no single target, or no single size, rests on all of them.
    """
    found = []
    for values in shown.rows:
        row = dict(zip(shown.columns, values, strict=True))
        parts = {name: f"={row[name]}" for name in ("kind", "arm", "target", "size") if row.get(name)}
        if row.get("target") not in design.targets:
            parts.pop("target", None)
        if row.get("size") not in design.sizes:
            parts.pop("size", None)
        compared = any(heading in row for heading in COMPARED) or row.get("of") == "gain"
        if compared and row.get("arm") not in (None, NONE):
            parts["arm"] += f"|={NONE}"
        found.append(";".join(f"{name}:{wanted}" for name, wanted in parts.items()))
    return tuple(found)


def phases(found: Findings, tables: Tables) -> View:
    """Rows that tables and figures link to."""
    table = tables["phases"]
    names = "key kind size arm trials seconds flops tokens peak_memory_mb learning_rate tuned_by lineage"
    return replace(view(table, names.split()), anchors=tuple(table["key"]))


def benchmark_overview(found: Findings, tables: Tables) -> View:
    return overview(tables["benchmark"])


def benchmark_tasks(found: Findings, tables: Tables) -> View:
    """The intervals are of scores, which have no sign."""
    table = tables["benchmark"].rename(columns={"low": "score_low", "high": "score_high"})
    names = "level name arm size score score_low score_high majority random english seeds partial missing stand_ins"
    return view(table, names.split())


def lost_trials(found: Findings, tables: Tables) -> View:
    lost = tables["trials"][tables["trials"]["status"].isin(LOST)]
    return view(lost, ["key", "trial", "learning_rate", "status", "seconds", "note"])


def language_gains(found: Findings, tables: Tables) -> View:
    """Over all sizes; the sizes one by one are in the CSV. Facts that nobody states take no column."""
    table = _all_sizes(tables["language_gains"])
    facts = [name for name in ("name", "family", "distance", "resource") if table[name].replace("", None).notna().any()]
    return view(table, ["arm", "language", *facts, "gain", "low", "high", "q", "clear", "targets"])


def language_groups(found: Findings, tables: Tables) -> View:
    names = "kind group arm score score_low score_high majority random english gap gap_low gap_high "
    return view(_all_sizes(tables["language_groups"]), (names + "gain gain_low gain_high").split())


def _all_sizes(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["size"] == ALL]


def language_scores(found: Findings, tables: Tables) -> View:
    """One score column per arm and three gain columns per arm other than none."""
    names = ["target", "size", "language", "family", "distance", "examples", "majority", "random"]
    names += [f"score_{arm}" for arm in found.design.arms]
    names += [f"{part}_{arm}" for arm in found.design.treated for part in ("gain", "low", "high")]
    return view(tables["languages"], names)

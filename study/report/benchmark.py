"""How do the benchmark's own numbers look on the page? One row per (arm, size): the overall score and the groups.

A number that lacks languages says "partial"; where a task is missing there is no number, and the row says which.
"""

from __future__ import annotations

from math import isnan
from typing import Any

import pandas as pd

from study.analysis.benchmark import OVERALL
from study.analysis.frame import lines
from study.report.view import View, points
from trainables.tasks.benchmark import GROUPS, XTREME_R


def overview(table: pd.DataFrame) -> View:
    """From the rows of `study.analysis.benchmark.benchmark`."""
    columns = ("arm", "size", OVERALL, "95 % interval", *GROUPS, "seeds", "missing")
    kinds = ("text", "text", *("number",) * (3 + len(GROUPS)), "long")
    rows = []
    for (arm, size), here in table.groupby(["arm", "size"], sort=False):
        found = {(row.level, row.name): row for row in lines(here)}
        overall = found[("overall", OVERALL)]
        groups = [_number(found[("group", name)]) for name in GROUPS]
        seeds = str(overall.seeds) if overall.seeds else ""
        rows.append((str(arm), str(size), _number(overall), _interval(overall), *groups, seeds, _missing(found)))
    return View(columns, kinds, tuple(rows))


def _number(row: Any) -> str:
    if isnan(row.score):
        return "missing"
    return points(row.score) + (" partial" if row.partial else "")


def _interval(row: Any) -> str:
    return "" if isnan(row.low) else f"{row.low:.1f} to {row.high:.1f}"


def _missing(found: dict[tuple[str, str], Any]) -> str:
    """Tasks without a score, those that lack languages, those with stand-ins; the rows of the tasks say which."""
    scored = {name: row for (level, name), row in found.items() if level == "task" and row.seeds}
    absent = [name for name in XTREME_R if name not in scored]
    partial = [name for name in XTREME_R if name in scored and scored[name].partial]
    parts = [", ".join(absent)] if absent else []
    parts += [f"languages of {', '.join(partial)}"] if partial else []
    replaced = [name for name, row in scored.items() if row.stand_ins]
    return "; ".join(parts + ([f"own test sets of {', '.join(replaced)}"] if replaced else []))

"""How are rows shown? One table format for every command, and the same facts as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from study import halving, narrowing
from study.cost import Estimate
from study.plan import Counts, Row
from study.spec import StudySpec
from study.status import Status
from study.store import Store
from trainables.config import TuneConfig

if TYPE_CHECKING:
    from study.export import Exported
    from study.fetch import Summary
    from study.fetch_models import Summary as FetchedModel


def as_json(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their headings; plain, unwrapped text when the output is not a terminal."""
    width = None if sys.stdout.isatty() else 200
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(escape(cell) for cell in row))
    Console(width=width, highlight=False).print(grid)


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def fetched_json(data: Summary | None, models: Sequence[FetchedModel]) -> dict[str, Any]:
    return {**(asdict(data) if data else {}), "models": [asdict(model) for model in models]}


def fetched_text(data: Summary | None, models: Sequence[FetchedModel]) -> None:
    if data:
        new = f"{data.made} fetched now, {data.downloaded_bytes / 1e6:,.1f} MB" if data.made else "nothing was missing"
        print(f"{data.root}: {data.files} files, {data.rows:,} rows ({new})")
    for model in models:
        new = f"{model.made} fetched now" if model.made else "nothing was missing"
        print(f"{model.repo} at {model.commit[:10]}: {model.files} files, {model.bytes / 1e6:,.1f} MB ({new})")
    if not data and not models:
        print("nothing to fetch: the models of this study are folders of yours")


def plan_json(spec: StudySpec, store: Store, rows: list[Row], counts: Counts, estimate: Estimate) -> dict[str, Any]:
    phases = [
        {
            **{name: getattr(row.phase, name) for name in ("key", "kind", "size", "arm", "task", "seed", "parent")},
            "needs": list(row.phase.needs),
            "trials": narrowing.trials(row.phase, spec) if isinstance(row.phase.config, TuneConfig) else 0,
            "narrowed_by": row.phase.narrowed_by,
            "action": row.action,
            "reason": row.reason,
        }
        for row in rows
    ]
    guess = {"seconds": round(estimate.seconds), "basis": estimate.basis}
    return {"study": spec.name, "path": store.path, "phases": phases, "counts": asdict(counts), "estimate": guess}


def plan_text(spec: StudySpec, store: Store, rows: list[Row], counts: Counts, estimate: Estimate) -> None:
    table(("action", "phase", "reason"), [(row.action, row.phase.key, row.reason) for row in rows])
    print(
        f"\n{spec.name} in {store.path}: {counts.total} phases, {counts.done} done, {counts.run} to run; "
        f"{counts.cells} cells share phases, which saves {counts.saved}"
    )
    for line in filter(None, (narrowing.said(spec), halving.said(spec))):
        print(line)
    if counts.run:
        print(f"rough time: {duration(estimate.seconds)} ({estimate.basis})")


def status_json(spec: StudySpec, store: Store, found: Status, estimate: Estimate) -> dict[str, Any]:
    guess = {"seconds": round(estimate.seconds), "basis": estimate.basis}
    return {"study": spec.name, "path": store.path, **asdict(found), "estimate": guess}


def status_text(spec: StudySpec, store: Store, found: Status, estimate: Estimate) -> None:
    states = ("done", "running", "failed", "waiting")
    table(("kind", *states), [(kind, *(str(n[state]) for state in states)) for kind, n in found.kinds.items()])
    for one in found.running:
        share = "" if one.share is None else f" {100 * one.share:.0f} %,"
        print(f"running {one.key}:{share} {duration(one.seconds)} so far, {duration(one.eta)} to go, by {one.by}")
    for key, line in found.failures.items():
        print(f"failed {key}: {line}")
    for key, line in found.damaged.items():
        print(f"damaged {key}: {line}")
    left = sum(sum(n[state] for state in states[1:]) for n in found.kinds.values())
    print(
        f"{spec.name} in {store.path}: {left} phases to go"
        + (f", roughly {duration(estimate.seconds)}" if left else "")
    )


def export_json(found: Sequence[Exported]) -> list[dict[str, Any]]:
    """A number that is not there is null: JSON has no NaN."""
    return [{**asdict(one), "overall": {**asdict(one.overall), "score": one.score}} for one in found]


def export_text(found: Sequence[Exported]) -> None:
    for one in found:
        number = "" if one.score is None else f", overall {one.score:.1f}{' (partial)' if one.overall.partial else ''}"
        print(f"{one.name}: {len(one.tasks)} tasks{number}, in {one.folder}")
        for line in one.missing:
            print(f"  missing: {line}")

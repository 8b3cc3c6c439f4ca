"""How does a report come about? Gather, draw, fill the template, write.

It can be made again at any time, on a half-finished study too. The same store gives the same bytes,
but for the date at the foot of the page.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from study.report.answers import answers
from study.report.cautions import cautions
from study.report.chapters import chapters
from study.report.figures import draw
from study.report.findings import Findings, gather
from study.report.style import ARMS, Drawing, count
from study.report.tables import csv_tables
from study.store import Store
from trainables import storage


def write(store: Store, now: datetime | None = None, settings: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Write report/index.html, report/*.csv and report/figures/*.png; return their paths by name.

    Raises `StorageError` when the storage refuses. `now` (UTC) is the date shown; the default is the clock's.
    `settings`: a `ReportSpec` in place of the one that the last run stored.
    """
    found = gather(store, settings)
    drawings = draw(found)
    folder = store.report_folder
    paths = {"page": storage.join(folder, "index.html"), "tables": folder, "figures": storage.join(folder, "figures")}
    for name, table in csv_tables(found).items():
        storage.write_bytes(
            storage.join(folder, f"{name}.csv"), table.to_csv(index=False, lineterminator="\n").encode()
        )
    for drawing in chain.from_iterable(drawings.values()):
        storage.write_bytes(storage.join(paths["figures"], f"{drawing.name}.png"), drawing.png)
    page = render(found, drawings, command(store, found), now or datetime.now(UTC))
    storage.write_bytes(paths["page"], page.encode())
    return paths


def render(found: Findings, drawings: dict[str, list[Drawing]], run: str, now: datetime) -> str:
    """The page as HTML text without a single outside reference."""
    environment = Environment(
        loader=PackageLoader("study.report", "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        found=found,
        design=found.design,
        answers=answers(found),
        cautions=cautions(found),
        chapters=chapters(found, drawings),
        inline=Markup,
        arm_colours=ARMS,
        count=count,
        command=run,
        versions=_versions(found),
        hosts=sorted({record.host for record in found.records}),
        date=now.strftime("%Y-%m-%d %H:%M UTC"),
    )


def command(store: Store, found: Findings) -> str:
    """The command that made the study: what the run stored, else one that follows from the spec."""
    argv = found.spec.get("argv")
    if isinstance(argv, list) and argv:
        return shlex.join(str(part) for part in argv)
    return shlex.join(["study", "run", found.design.name, "--storage", store.path.rsplit("/", 1)[0]])


def _versions(found: Findings) -> dict[str, list[str]]:
    """{library: every version that a phase ran with}"""
    seen: dict[str, set[str]] = {}
    for record in found.records:
        for name, version in record.versions.items():
            seen.setdefault(name, set()).add(version)
    return {name: sorted(seen[name]) for name in sorted(seen)}

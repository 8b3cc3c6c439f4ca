"""How does a report come about? Gather, draw, fill the template, write.

It can be made again at any time, on a half-finished study too. The same store gives the same bytes,
but for the date at the foot of the page.
"""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from study.analysis.design import metric
from study.report import figures
from study.report.answers import answers
from study.report.cautions import cautions
from study.report.findings import Findings, gather
from study.report.sections import sections
from study.report.style import ARMS, Drawing, count
from study.report.tables import csv_tables
from study.store import Store
from trainables import storage


def write(store: Store, now: datetime | None = None) -> dict[str, str]:
    """Write report/index.html, report/*.csv and report/figures/*.png; return their paths by name.

    Raises `StorageError` when the storage refuses. `now` (UTC) is the date shown; the default is the clock's.
    """
    found = gather(store)
    drawings = draw(found)
    folder = store.report_folder
    paths = {"page": storage.join(folder, "index.html"), "tables": folder, "figures": storage.join(folder, "figures")}
    for name, table in csv_tables(found).items():
        storage.write_bytes(
            storage.join(folder, f"{name}.csv"), table.to_csv(index=False, lineterminator="\n").encode()
        )
    for drawing in drawings.values():
        storage.write_bytes(storage.join(paths["figures"], f"{drawing.name}.png"), drawing.png)
    page = render(found, drawings, command(store, found), now or datetime.now(UTC))
    storage.write_bytes(paths["page"], page.encode())
    return paths


def draw(found: Findings) -> dict[str, Drawing]:
    """{name: drawing} of all figures that have something to show."""
    made: list[Drawing | None] = []
    design = found.design
    for target in design.targets:
        curves = found.scores.get(target, {})
        made.append(
            figures.scaling(target, curves, design, found.baselines(target), metric(target), found.keys(target=target))
        )
    for arm in design.treated:
        rows = list(found.gains[arm].values())
        rows += [found.pools[arm].gain] if arm in found.pools and len(rows) > 1 else []
        made.append(figures.gains(arm, rows, design, found.keys(arm=arm)))
    made += [figures.languages(target, found.by_language, found.languages, design) for target in design.targets]
    keys = tuple(sorted(set(found.retained["key"])))
    made += [figures.retention(found.retention, design, keys), figures.cost(found.frontier, design)]
    return {drawing.name: drawing for drawing in made if drawing is not None}


def render(found: Findings, drawings: dict[str, Drawing], run: str, now: datetime) -> str:
    """The page as HTML text without a single outside reference."""
    environment = Environment(
        loader=PackageLoader("study.report", "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    groups = {
        kind: [d for name, d in drawings.items() if name == kind or name.startswith(f"{kind}-")]
        for kind in ("scaling", "gain", "languages", "retention", "cost")
    }
    return environment.get_template("page.html").render(
        found=found,
        design=found.design,
        answers=answers(found),
        cautions=cautions(found),
        sections=sections(found),
        figures=groups,
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

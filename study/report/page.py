"""How does a report come about? Gather, draw, fill the templates, write.

It can be made again at any time, on a half-finished study too. The same store gives the same bytes,
but for the date at the foot of the page.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from study import summary
from study.progress import Told, silent
from study.report.answers import answers
from study.report.answers.words import Answer
from study.report.cautions import SIMULATED, cautions
from study.report.chapters import chapters
from study.report.figures import draw
from study.report.findings import Findings, gather
from study.report.gaps import gaps
from study.report.latex import latex
from study.report.markdown import answer_parts, markdown
from study.report.sections import PRINTED, Shown, Tables
from study.report.style import ARMS, VARIABLES, Drawing, colour, count
from study.report.tables import csv_tables
from study.store import Store
from study.summary import Summary
from trainables import storage

MOST = 12
"""An answer of more sentences shows them when asked."""


def write(
    store: Store, now: datetime | None = None, settings: Mapping[str, Any] | None = None, progress: Told = silent
) -> dict[str, str]:
    """Write the page, its Markdown, tables as CSV and LaTeX, and figures as SVG and PNG; return their paths by name.

    Raises `StorageError` when the storage refuses. `now` (UTC) is the date shown; the default is the clock's.
    `settings`: a `ReportSpec` in place of the one that the last run stored. `progress` is told how far it is.
    """
    found = gather(store, settings, progress)
    drawings, tables = draw(found, progress), csv_tables(found)
    shown, told = chapters(found, tables, drawings), answers(found)
    folder = store.report_folder
    paths = {
        "page": storage.join(folder, "index.html"),
        "markdown": storage.join(folder, "report.md"),
        "tables": folder,
        "latex": storage.join(folder, "tex"),
        "figures": storage.join(folder, "figures"),
    }
    summary.clear(store)
    made = _tables(tables, shown) | _figures(drawings)
    for done, (name, content) in enumerate(made.items()):
        progress("writing files", done, len(made))
        storage.write_bytes(storage.join(folder, name), content)
    for part in ("figures", "tex"):  # of a report on more, or other, arms and targets
        for name in storage.names(storage.join(folder, part)):
            if f"{part}/{name}" not in made:
                storage.remove(storage.join(folder, part, name))
    notes = [*cautions(found), *found.notes]
    notice = SIMULATED if found.spec.get("simulated") else ""
    text = markdown(found.design.name, notice, told, shown if found.records else (), notes, gaps(found, told))
    storage.write_bytes(paths["markdown"], text.encode())
    page = render(found, shown, told, command(store, found), now or datetime.now(UTC))
    storage.write_bytes(paths["page"], page.encode())
    summary.write(store, _summary(found, told, shown, made))
    return paths


def _summary(found: Findings, told: Sequence[Answer], shown: Sequence[Shown], made: dict[str, bytes]) -> Summary:
    """Figures and main tables with their checksums, and the answers."""
    main = {f"{section.csv}.csv" for chapter in shown for section in chapter.sections if section.paper}
    files = {name: data for name, data in made.items() if name.endswith(".png") or name in main}
    return Summary(
        study=found.design.name,
        cells=found.asked - len(found.missing),
        missing=len(found.missing),
        answers="\n\n".join(answer_parts(told)),
        files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    )


def _tables(tables: Tables, shown: Sequence[Shown]) -> dict[str, bytes]:
    """{file: content} of all tables as CSV and of the main ones as LaTeX."""
    made = {f"{name}.csv": table.to_csv(index=False, lineterminator="\n").encode() for name, table in tables.items()}
    for section in chain.from_iterable(chapter.sections for chapter in shown):
        if section.paper and section.table.rows:
            made[f"tex/{section.anchor}.tex"] = latex(section.table, section.title, section.note).encode()
    return made


def _figures(drawings: dict[str, list[Drawing]]) -> dict[str, bytes]:
    """{file: content} of both twins of every figure."""
    made = {}
    for drawing in chain.from_iterable(drawings.values()):
        made[f"figures/{drawing.name}.png"] = drawing.png
        made[f"figures/{drawing.name}.svg"] = drawing.file.encode()
    return made


def render(found: Findings, shown: Sequence[Shown], told: Sequence[Answer], run: str, now: datetime) -> str:
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
        answers=told,
        gaps=gaps(found, told),
        cautions=cautions(found),
        chapters=shown,
        inline=Markup,
        script=_script(),
        script_hash=_hash(_script()),
        verdicts=[verdict_lines(answer.verdict, found.design.arms) for answer in told],
        most=MOST,
        printed=PRINTED,
        arm_colours=ARMS,
        tone=lambda arm: VARIABLES[colour(arm, found.design.arms)],
        count=count,
        command=run,
        versions=_versions(found),
        hosts=sorted({record.host for record in found.records}),
        date=now.strftime("%Y-%m-%d %H:%M UTC"),
    )


def verdict_lines(verdict: str, arms: Sequence[str]) -> list[tuple[str, str]]:
    """(arm or "", line): a verdict on several arms is told arm by arm, "siqa: helps; mnli: hurts" in two lines."""
    lines: list[tuple[str, str]] = []
    for part in verdict.split("; "):
        arm = next((arm for arm in arms if part.startswith((f"{arm}:", f"{arm} on "))), "")
        if lines and (not arm or arm == lines[-1][0]):
            lines[-1] = (lines[-1][0], f"{lines[-1][1]}; {part}")
        else:
            lines.append((arm, part))
    return lines if len(lines) > 1 else [("", verdict)]


@cache
def _script() -> str:
    return files("study.report").joinpath("templates", "page.js").read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """How the page's policy names the one script that may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


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

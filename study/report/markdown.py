"""What does the report look like where only Markdown is shown? Answers and main tables, with the figures beside them.

It names the same files as the page does; a repository that keeps the report's folder shows it as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from study.report.answers.words import Answer
from study.report.gaps import Gaps
from study.report.sections import Section, Shown


def markdown(
    name: str,
    notice: str,
    answers: Sequence[Answer],
    chapters: Sequence[Shown],
    cautions: Sequence[str],
    gaps: Gaps | None,
) -> str:
    """The whole file; `notice` stands first. Tables that only list things stay in their CSV files."""
    parts = [f"# Study {escaped(name)}", *([f"**{escaped(notice)}**"] if notice else [])]
    if gaps:
        parts += ["## Not finished", _items([*gaps.lines, *gaps.waiting])]
    if chapters:
        parts += ["## Answers", *answer_parts(answers)]
    for chapter in chapters:
        shown = [section for section in chapter.sections if section.paper and section.table.rows]
        if shown or chapter.drawings:
            parts.append(f"## {escaped(chapter.title)}")
        parts += [f"![{escaped(one.alt)}](figures/{one.name}.svg)" for one in chapter.drawings]
        parts += [part for section in shown for part in _table(section)]
    if cautions:
        parts += ["## To be read with caution", _items(cautions)]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text on one line, as it stands: nothing in it is read as markup."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", re.sub(r"\s+", " ", text))


def answer_parts(answers: Sequence[Answer]) -> list[str]:
    """Paragraphs: question, verdict, findings, what they rest on and what could overturn them."""
    return [part for answer in answers for part in _answer(answer)]


def _answer(answer: Answer) -> list[str]:
    parts = [f"### {escaped(answer.question)}", f"**{escaped(answer.verdict)}**", _items(answer.sentences)]
    if answer.rests_on:
        parts.append(escaped(answer.rests_on))
    if answer.overturned_by:
        parts += ["Could overturn it:", _items(answer.overturned_by)]
    return parts


def _items(lines: Sequence[str]) -> str:
    return "\n".join(f"- {escaped(line)}" for line in lines)


def _table(section: Section) -> list[str]:
    table = section.table
    kept = [place for place, kind in enumerate(table.kinds) if kind != "keys"]
    rule = ["---:" if table.kinds[place] == "number" else "---" for place in kept]
    rows = [[escaped(row[place]) for place in kept] for row in (table.columns, *table.rows)]
    text = "\n".join("| " + " | ".join(row) + " |" for row in (rows[0], rule, *rows[1:]))
    return [f"### {escaped(section.title)}", escaped(section.note), text, f"[CSV]({section.csv}.csv)"]

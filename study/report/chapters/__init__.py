"""Which figures and tables does the page show, in what order and words? Chapters, each with figures and tables.

To add a table: a `Table` in the chapter that it belongs to; its name is that of a table of `study.report.tables`.
To add figures: the name of their family (`study.report.figures.FAMILIES`) in the chapter's `families`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.report.chapters.comparisons import REPLICATION, TEXT
from study.report.chapters.cost import COST, SEARCHES
from study.report.chapters.gains import GAINS, LEVERS
from study.report.chapters.languages import LANGUAGES
from study.report.chapters.retention import RETENTION
from study.report.chapters.scores import BENCHMARKS, CURVES, FITS
from study.report.findings import Findings
from study.report.sections import Shown, Tables, section
from study.report.style import Drawing

CHAPTERS = (BENCHMARKS, CURVES, GAINS, LEVERS, LANGUAGES, RETENTION, FITS, COST, TEXT, REPLICATION, SEARCHES)
"""In the order of the page."""


def chapters(found: Findings, tables: Tables, drawings: Mapping[str, Sequence[Drawing]]) -> list[Shown]:
    """All chapters with their figures and tables, but those of what this study does not ask.

    `tables` are those of `csv_tables(found)`.
    """
    asked = {"benchmarks": len(found.benchmark) > 0, "text": bool(found.domain.arms)}
    made = []
    for chapter in CHAPTERS:
        if not asked.get(chapter.anchor, True):
            continue
        shown = tuple(drawing for family in chapter.families for drawing in drawings.get(family, ()))
        caption = chapter.caption if shown else "Nothing to draw yet."
        if not isinstance(chapter.caption, str):
            caption = chapter.caption(found)
        sections = tuple(section(table, found, tables) for table in chapter.tables)
        made.append(Shown(chapter.anchor, chapter.title, str(caption), bool(chapter.families), shown, sections))
    return made

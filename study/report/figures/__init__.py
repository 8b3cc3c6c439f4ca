"""Which figures does a report have? One file per family; each yields finished drawings from the findings.

To add one: a file beside these with `drawings(found) -> Iterator[Drawing | None]`, its line in `FAMILIES`, and the
family's name in the chapter of `study.report.sections.CHAPTERS` that shows it. A drawing's name is its file name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from study.progress import Told, silent
from study.report.figures import (
    cost,
    domain,
    fits,
    gains,
    interaction,
    language_gains,
    language_groups,
    languages,
    levers,
    prices,
    relation,
    retention,
    scaling,
)
from study.report.findings import Findings
from study.report.style import Drawing

FAMILIES: dict[str, Callable[[Findings], Iterator[Drawing | None]]] = {
    "scaling": scaling.drawings,
    "gain": gains.drawings,
    "interaction": interaction.drawings,
    "levers": levers.drawings,
    "language-gains": language_gains.drawings,
    "language-groups": language_groups.drawings,
    "languages": languages.drawings,
    "retention": retention.drawings,
    "relation": relation.drawings,
    "cost": cost.drawings,
    "prices": prices.drawings,
    "domain": domain.drawings,
    "fits": fits.drawings,
}
"""Family -> its drawings; None is a figure without anything to show."""


def draw(found: Findings, progress: Told = silent) -> dict[str, list[Drawing]]:
    """{family: its drawings that have something to show}"""
    made: dict[str, list[Drawing]] = {}
    for done, (family, drawings) in enumerate(FAMILIES.items()):
        progress("drawing figures", done, len(FAMILIES))
        made[family] = [one for one in drawings(found) if one is not None]
    return made

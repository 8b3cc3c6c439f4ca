"""Which tables tell of domain text: what it adds by target, by side and size, and by language?"""

from __future__ import annotations

import pandas as pd

from study.analysis.domain import Added, Split, language_table
from study.analysis.scaling import contrasts
from study.analysis.series import Series
from study.report.findings import Findings
from study.report.tables.gains import three

COLUMNS = ["arm", "base", "where", "size", "added", "low", "high", "clear"]


def domain_tables(found: Findings) -> dict[str, pd.DataFrame]:
    """{file stem: table}"""
    rows = [row for one in found.domain.added for where, series in _series(one) for row in _rows(one, where, series)]
    return {
        "domain": pd.DataFrame(rows, columns=COLUMNS),
        "domain_languages": language_table(found.domain),
        "domain_tokens": pd.DataFrame(
            [
                (one.arm, one.base, one.tokens.low, one.tokens.high, one.tokens.pairs, one.tokens.equal)
                for one in found.domain.added
            ],
            columns=["arm", "base", "ratio_low", "ratio_high", "pairs", "equal"],
        ),
    }


def _series(one: Added) -> list[tuple[str, Series]]:
    named: list[tuple[str, Series]] = [("all targets", one.pool.gain), *one.by_target.items()]
    for what, split in (("domain", one.targets), ("languages", one.languages)):
        named += _sides(what, split) if split else []
    return named


def _sides(what: str, split: Split) -> list[tuple[str, Series]]:
    inside, outside = f"in its {what}", f"outside its {what}"
    return [(inside, split.within), (outside, split.outside), (f"in - outside its {what}", split.difference)]


def _rows(one: Added, where: str, of: Series) -> list[tuple]:
    """The mean over sizes, each size, and the change over the ladder."""
    told = [("mean", of.mean())] if len(of.sizes) > 1 else []
    told += [(size, estimate) for size in of.sizes if (estimate := of.at(size)) is not None]
    told += [(f"{large} - {small}", change) for small, large, change in contrasts(of)[:1]]
    return [(one.arm, one.base, where, size, *three(estimate), estimate.clear) for size, estimate in told]

"""Which tables tell of domain text: what it adds by target, by side and size, and by language?"""

from __future__ import annotations

import pandas as pd

from study.analysis.domain import Statement
from study.report.findings import Findings
from study.report.tables.gains import three

COLUMNS = ["arm", "base", "where", "size", "added", "low", "high", "p", "holm", "clear"]
LANGUAGES = ["arm", "base", "language", "in_language", "targets", "added", "low", "high", "p", "holm", "clear"]


def domain_tables(found: Findings) -> dict[str, pd.DataFrame]:
    """{file stem: table}; `clear`: zero is ruled out with the whole family counted (Holm)."""
    whole = [one for one in found.domain.statements if one.of != "language"]
    inside = {
        (one.arm, one.base, code): (language.inside, " ".join(language.targets))
        for one in found.domain.added
        for code, language in one.by_language.items()
    }
    single = [one for one in found.domain.statements if one.of == "language"]
    return {
        "domain": pd.DataFrame(
            [(one.arm, one.base, one.name, one.at, *_numbers(found, one)) for one in whole], columns=COLUMNS
        ),
        "domain_languages": pd.DataFrame(
            [
                (one.arm, one.base, one.name, *inside[one.arm, one.base, one.name], *_numbers(found, one))
                for one in single
            ],
            columns=LANGUAGES,
        ),
        "domain_tokens": pd.DataFrame(
            [
                (one.arm, one.base, one.tokens.low, one.tokens.high, one.tokens.pairs, one.tokens.equal)
                for one in found.domain.added
            ],
            columns=["arm", "base", "ratio_low", "ratio_high", "pairs", "equal"],
        ),
    }


def _numbers(found: Findings, one: Statement) -> tuple[float, float, float, float, float, bool]:
    """(added, low, high, p, holm, clear)"""
    family = found.domain.families[(one.of, one.kind)]
    holm = family.holm[(one.arm, one.base, one.name, one.at)]
    return (*three(one.added), one.added.p, holm, found.domain.stands(one))

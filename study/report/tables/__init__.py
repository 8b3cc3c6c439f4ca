"""Which tables does a report have? The CSV files, at full precision; the page shows the same ones, rounded.

csv_tables(found)["gains"]     # arm, target, size, parameters, gain, low, high, seeds, clear, degenerate
"""

from __future__ import annotations

import pandas as pd

from study.report.findings import Findings
from study.report.tables import transfer
from study.report.tables.gains import equivalent_table, gain_table, scaling_table
from study.report.tables.languages import language_table


def csv_tables(found: Findings) -> dict[str, pd.DataFrame]:
    """{file stem: table}; a table may be empty, never absent."""
    return {
        "scores": found.tasks,
        "cells": found.cells,
        "benchmark": found.benchmark,
        "gains": gain_table(found),
        "scaling": scaling_table(found),
        "equivalent_size": equivalent_table(found),
        "languages": language_table(found),
        **transfer.tables(found),
        "retention": found.retained,
        "cost_by_kind": found.kinds,
        "phases": found.phases,
        "prices": pd.concat(found.prices.values(), ignore_index=True)
        if found.prices
        else pd.DataFrame(columns=["arm"]),
        "searches": found.searches,
        "trials": found.trials,
        "missing": pd.DataFrame(found.missing, columns=["size", "arm", "target", "seed"]),
    }

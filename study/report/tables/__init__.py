"""Which tables does a report have? The CSV files, at full precision; the page shows the same ones, rounded.

csv_tables(found)["gains"]     # level, arm, target, size, parameters, gain, low, high, ...
"""

from __future__ import annotations

import pandas as pd

from study.analysis.fits import fit_table
from study.report.findings import Findings
from study.report.tables import transfer
from study.report.tables.cost import cost_tables
from study.report.tables.domain import domain_tables
from study.report.tables.gains import gain_table, scaling_table
from study.report.tables.interaction import change_table, check_table
from study.report.tables.languages import language_table
from study.report.tables.levers import equivalent_table, lever_table
from study.report.tables.retention import memory_table


def csv_tables(found: Findings) -> dict[str, pd.DataFrame]:
    """{file stem: table}; a table may be empty, never absent."""
    return {
        "scores": found.tasks,
        "cells": found.cells,
        "benchmark": found.benchmark,
        "gains": gain_table(found),
        "changes": change_table(found),
        "slope_checks": check_table(found),
        "scaling": scaling_table(found),
        "arm_against_size": lever_table(found),
        "equivalent_size": equivalent_table(found),
        "languages": language_table(found),
        **transfer.tables(found),
        "retention_by_size": memory_table(found),
        "retention": found.memory.table,
        "retention_gain": found.memory.relation.rows,
        "phases": found.phases,
        **cost_tables(found),
        **domain_tables(found),
        "fits": fit_table(found.fits),
        "replication": found.replication,
        "fairness": found.fairness,
        "regret": found.regret,
        "searches": found.searches,
        "trials": found.trials,
        "missing": pd.DataFrame(found.missing, columns=["size", "arm", "target", "seed"]),
    }

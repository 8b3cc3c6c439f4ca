"""Which tables tell of cost: where it went, what a point costs, which ways are worth it?"""

from __future__ import annotations

import pandas as pd

from study.report.findings import Findings


def cost_tables(found: Findings) -> dict[str, pd.DataFrame]:
    """{file stem: table}"""
    return {
        "cost_by_kind": found.cost.kinds,
        "cost_by_cell": found.cost.cells,
        "prices": found.cost.prices,
        "next_size": found.cost.steps,
        "ways": found.cost.frontier.ways,
        "cheapest": found.cost.cheapest,
    }

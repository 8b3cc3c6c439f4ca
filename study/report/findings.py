"""Everything the page says, computed once: the basis of a study and what each question finds in it.

found = gather(Store("runs/lab"))
found.gains["siqa"]["xcopa"].at("m")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from study.analysis import bylanguage, distance, efficiency, retention
from study.analysis import gains as gain
from study.analysis import trials as tried
from study.analysis.basis import Basis, Evidence, basis
from study.analysis.benchmark import COLUMNS, benchmark
from study.analysis.design import text_arms
from study.analysis.frame import NONE, Design
from study.analysis.resample import Resampled
from study.analysis.series import Series
from study.report import load
from study.store import Store
from trainables.tasks.benchmark import XTREME_R


@dataclass(frozen=True)
class Findings(Basis):
    """The basis and all results of one study."""

    benchmark: pd.DataFrame
    """Rows of `benchmark.benchmark`; none for a lab, whose tasks only bear the benchmark's names."""
    by_language: pd.DataFrame
    text_gains: dict[str, dict[str, gain.Pool]]
    """{arm with running text: {the same arm without it: what the text adds}}"""
    language_gains: pd.DataFrame
    across_languages: bylanguage.LanguageFindings
    retained: pd.DataFrame
    retention: dict[str, Series]
    kinds: pd.DataFrame
    prices: dict[str, pd.DataFrame]
    frontier: pd.DataFrame
    """size, arm, seconds, flops, score: mean over targets against the cost of tuning."""
    searches: pd.DataFrame
    trials: pd.DataFrame
    overhead: tried.Overhead


def gather(store: Store) -> Findings:
    """Read a store and compute. Works on an empty and on a half-finished study."""
    return find(load.evidence(store))


def find(evidence: Evidence) -> Findings:
    """Compute from what was read or simulated."""
    base = basis(evidence)
    design, resampled, cells = base.design, base.resampled, base.cells
    ran = tried.trials(base.records)
    retained = retention.retention(base.rows)
    return Findings(
        **vars(base),
        benchmark=_benchmark(base.spec, cells, design, resampled),
        by_language=distance.by_language(cells),
        text_gains={
            arm: {base: pool for base in bases if (pool := gain.pooled_gain(resampled, design, arm, base))}
            for arm, bases in text_arms(base.spec).items()
        },
        language_gains=_language_gains(resampled, design, cells),
        across_languages=bylanguage.find(base),
        retained=retained,
        retention={arm: s for arm in design.treated if (s := retention.retention_series(retained, design, arm))},
        kinds=efficiency.by_kind(base.phases, design),
        prices={arm: efficiency.price_of_gain(base.phases, pool.gain) for arm, pool in base.pools.items()},
        frontier=_frontier(base.tasks, base.phases, design),
        searches=tried.searches(base.records),
        trials=ran,
        overhead=tried.overhead(ran),
    )


def _benchmark(spec: dict[str, Any], cells: pd.DataFrame, design: Design, resampled: Resampled) -> pd.DataFrame:
    lab = (spec.get("data") or {}).get("source") == "lab"
    if lab or not set(XTREME_R) & set(cells["target"]):
        return pd.DataFrame(columns=COLUMNS)
    return benchmark(cells, design, resampled)


def _language_gains(resampled: Resampled, design: Design, cells: pd.DataFrame) -> pd.DataFrame:
    """One row per (arm, target, size, language): gain with its interval, averaged over seeds."""
    rows = []
    for arm in design.treated:
        for target in design.targets:
            for code in sorted(set(cells[cells["target"] == target]["language"])):
                found = gain.gain(resampled, design, arm, target, code)
                for size in found.sizes if found else ():
                    estimate = found.at(size) if found else None
                    if estimate:
                        rows.append((arm, target, size, code, estimate.point, estimate.low, estimate.high))
    return pd.DataFrame(rows, columns=["arm", "target", "size", "language", "gain", "low", "high"])


def _frontier(tasks: pd.DataFrame, phases: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Mean score over the targets that every (size, arm) shown has, against the cost of tuning."""
    columns = ["size", "arm", "seconds", "flops", "score"]
    if tasks.empty:
        return pd.DataFrame(columns=columns)
    complete = tasks.groupby(["size", "arm"]).size() == len(design.targets) * len(design.seeds)
    means = tasks.groupby(["size", "arm", "target"])["score"].mean().groupby(["size", "arm"]).mean()
    table = efficiency.tuning_cost(phases).merge(means[complete].reset_index(), on=["size", "arm"])
    table = table[table["arm"].isin([NONE, *design.treated])]
    order = {size: index for index, size in enumerate(design.sizes)}
    return table.sort_values(["arm", "size"], key=lambda c: c.map(order) if c.name == "size" else c)[
        columns
    ].reset_index(drop=True)

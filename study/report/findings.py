"""Everything the page says, computed once: the basis of a study and what each question finds in it.

found = gather(Store("runs/lab"))
found.gains["siqa"]["xcopa"].at("m")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from study.analysis import bylanguage, cost, distance, domain, fits, regret, replication
from study.analysis import gains as gain
from study.analysis import trials as tried
from study.analysis.basis import Basis, Evidence, basis
from study.analysis.benchmark import COLUMNS, benchmark
from study.analysis.fairness import fairness
from study.analysis.frame import Design
from study.analysis.interaction import Interaction, interaction
from study.analysis.levels import Levels, levels
from study.analysis.levers import Levers, levers
from study.analysis.resample import Resampled
from study.analysis.retention import Memory, memory
from study.analysis.series import Entry, series
from study.analysis.slope_checks import Check, slope_checks
from study.progress import Told, silent, steps
from study.report import load
from study.store import Store
from trainables.tasks.benchmark import XTREME_R


@dataclass(frozen=True)
class Findings(Basis):
    """The basis and all results of one study."""

    benchmark: pd.DataFrame
    """Rows of `benchmark.benchmark`; none for a lab, whose tasks only bear the benchmark's names."""
    by_language: pd.DataFrame
    language_gains: pd.DataFrame
    levels: Levels
    interaction: Interaction
    slope_checks: dict[str, list[Check]]
    """{arm: other estimates of the slope of its pooled gain}"""
    levers: Levers
    memory: Memory
    across_languages: bylanguage.LanguageFindings
    cost: cost.Costs
    domain: domain.Domain
    fits: dict[str, dict[str, fits.Fitted]]
    """{target or pool: {arm: curves over the sizes}}; empty with fewer than four sizes."""
    replication: pd.DataFrame
    """Rows of `replication.find`."""
    searches: pd.DataFrame
    fairness: pd.DataFrame
    """Rows of `fairness.fairness`."""
    regret: pd.DataFrame
    """Rows of `regret.find`, over all records that the store holds."""
    trials: pd.DataFrame
    overhead: tried.Overhead


def gather(store: Store, settings: Mapping[str, Any] | None = None, progress: Told = silent) -> Findings:
    """Read a store and compute. Works on an empty and on a half-finished study. `settings`: see `load.evidence`."""
    return find(load.evidence(store, settings, progress), progress)


def find(evidence: Evidence, progress: Told = silent) -> Findings:
    """Compute from what was read or simulated."""
    step = steps(progress, "computing", 1 + len(fields(Findings)) - len(fields(Basis)))
    base = step(basis(evidence))
    design, resampled, cells = base.design, base.resampled, base.cells
    ran = tried.trials(base.records)
    return Findings(
        **vars(base),
        benchmark=step(_benchmark(base.spec, cells, design, resampled)),
        by_language=step(distance.by_language(cells)),
        language_gains=step(_language_gains(resampled, design)),
        levels=step(levels(base)),
        interaction=step(interaction(base)),
        slope_checks=step(slope_checks(base)),
        levers=step(levers(base)),
        memory=step(memory(base)),
        across_languages=step(bylanguage.find(base)),
        cost=step(cost.find(base)),
        domain=step(domain.find(base)),
        fits=step(fits.find(base)),
        replication=step(replication.find(base, load.published())),
        searches=step(tried.searches(base.records)),
        fairness=step(fairness(base.records, design)),
        regret=step(regret.find([*base.records, *evidence.older])),
        trials=step(ran),
        overhead=step(tried.overhead(ran)),
    )


def _benchmark(spec: dict[str, Any], cells: pd.DataFrame, design: Design, resampled: Resampled) -> pd.DataFrame:
    lab = (spec.get("data") or {}).get("source") == "lab"
    if lab or not set(XTREME_R) & set(cells["target"]):
        return pd.DataFrame(columns=COLUMNS)
    return benchmark(cells, design, resampled)


def _language_gains(resampled: Resampled, design: Design) -> pd.DataFrame:
    """One row per (arm, target, size, language): gain with its interval, averaged over seeds."""
    rows = []
    for arm in design.treated:
        for target in design.targets:
            leaves = {place: gain.gains_by_language(resampled, arm, target, place) for place in design.places}
            for code in sorted({code for here in leaves.values() for code in here}):
                entries = {place: Entry(*here[code]) for place, here in leaves.items() if code in here}
                found = series(arm, target, entries, design.sizes, design.parameters)
                for size in found.sizes if found else ():
                    estimate = found.at(size) if found else None
                    if estimate:
                        rows.append((arm, target, size, code, estimate.point, estimate.low, estimate.high))
    return pd.DataFrame(rows, columns=["arm", "target", "size", "language", "gain", "low", "high"])

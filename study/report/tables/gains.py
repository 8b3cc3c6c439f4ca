"""Which tables tell of gains, of their change with size, and of equivalent sizes?"""

from __future__ import annotations

import pandas as pd

from study.analysis.noise import Estimate
from study.analysis.scaling import contrasts, equivalent_sizes, slope
from study.analysis.series import Series
from study.report.findings import Findings


def gain_table(found: Findings) -> pd.DataFrame:
    """One row per (arm, target or pool, size)."""
    rows = []
    for arm in found.design.treated:
        pool = [found.pools[arm].gain] if arm in found.pools else []
        for gain in [*found.gains[arm].values(), *pool]:
            for size, parameters in zip(gain.sizes, gain.parameters, strict=True):
                estimate = gain.at(size)
                assert estimate is not None
                rows.append(
                    {
                        "arm": arm,
                        "target": gain.target,
                        "size": size,
                        "parameters": parameters,
                        "gain": estimate.point,
                        "low": estimate.low,
                        "high": estimate.high,
                        "seeds": gain.seeds_at(size),
                        "clear": estimate.clear,
                        "degenerate": (arm, gain.target) in found.design.degenerate,
                    }
                )
    columns = ["arm", "target", "size", "parameters", "gain", "low", "high", "seeds", "clear", "degenerate"]
    return pd.DataFrame(rows, columns=columns)


def scaling_table(found: Findings) -> pd.DataFrame:
    """How scores and gains move with size: contrasts in points, the slope in points per tenfold parameters."""
    rows = []
    quantities: list[tuple[str, Series]] = [("score", s) for arms in found.scores.values() for s in arms.values()]
    quantities += [("gain", s) for targets in found.gains.values() for s in targets.values()]
    quantities += [("gain", pool.gain) for pool in found.pools.values()]
    for quantity, of in quantities:
        for small, large, change in contrasts(of):
            rows.append((quantity, of.target, of.arm, f"{large} - {small}", *three(change), change.clear))
        if (line := slope(of)) is not None:
            rows.append((quantity, of.target, of.arm, "per tenfold parameters", *three(line), line.clear))
    return pd.DataFrame(rows, columns=["quantity", "target", "arm", "change", "points", "low", "high", "clear"])


def equivalent_table(found: Findings) -> pd.DataFrame:
    """Factor on parameters without the arm that gives the arm's score; inf and 0 where the ladder ends."""
    rows = [
        (arm, target, e.size, e.point, e.low, e.high)
        for arm, targets in found.gains.items()
        for target, gain in targets.items()
        if "none" in found.scores.get(target, {})
        for e in equivalent_sizes(found.scores[target]["none"], gain)
    ]
    return pd.DataFrame(rows, columns=["arm", "target", "size", "factor", "factor_low", "factor_high"])


def three(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.point, estimate.low, estimate.high

"""Question 4 in words: what does a point of transfer cost, by either lever, and which way is worth it?

A gain that may be zero has no price. Two prices differ only where their intervals do not touch.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, nan
from typing import Any

import pandas as pd

from study.analysis.frame import lines
from study.analysis.prices import pooled
from study.report.answers.words import Answer, basis, cannot, join
from study.report.findings import Findings

QUESTION = "4. What does a point of gain cost?"
RULE = (
    "Searches are included and divided among the seeds (and sizes) that use them; an intermediate phase is shared in "
    "equal parts by all targets that rest on it, a pretraining or an import by all arms. A price's interval is that of "
    "the gain; what was paid counts as known. "
)


def answer(found: Findings) -> Answer:
    prices = _standing(found, pooled(found.cost.prices))
    if prices.empty:
        return cannot(QUESTION, "no arm has both a cost and a pooled gain yet")
    steps = pooled(found.cost.steps)
    sentences = [_arm(str(arm), rows) for arm, rows in prices.groupby("arm", sort=False)]
    if len(steps):
        told = "; ".join(f"{row.size} to {row.larger} {_price(row)}" for row in lines(steps))
        sentences.append(f"The other lever, FLOPs a point of the next size without an intermediate phase: {told}.")
    sentences += [*_levers(found, prices, steps), *_frontier(found), *_cheapest(found), _spent(found)]
    verdict = _verdict(found, prices, steps)
    return Answer(QUESTION, verdict, tuple(sentences), RULE + basis(found), _overturned(found, prices), found.keys())


def _standing(found: Findings, prices: pd.DataFrame) -> pd.DataFrame:
    """Without the prices of gains that do not stand with all mean gains at one size counted (Holm)."""
    levels = {(row.arm, row.size): row for row in found.levels.rows if row.of == "overall"}
    lost = [not found.levels.stands(levels[arm, size]) for arm, size in zip(prices["arm"], prices["size"], strict=True)]
    point = [name for name in prices.columns if name.endswith("_per_point")]
    upper = [name for name in prices.columns if name.endswith("_per_point_high")]
    prices = prices.copy()
    prices.loc[lost, point] = nan
    prices.loc[lost, upper] = inf
    return prices


def _verdict(found: Findings, prices: pd.DataFrame, steps: pd.DataFrame) -> str:
    priced = prices[prices["flops_per_point"].notna()]
    bought = steps[steps["flops_per_point"].notna()]
    if priced.empty:
        best = "; size buys points, the intermediate phases do not clearly" if len(bought) else ""
        return f"no gain stands, so no price{best}"
    row = next(lines(priced.sort_values("flops_per_point", kind="stable")))
    verdict = f"cheapest: {row.arm} at {row.size}, {_amount(found, row)} a point"
    step = bought[bought["size"] == row.size]
    return f"{verdict}; the next size there: {_amount(found, next(lines(step)))} a point" if len(step) else verdict


def _arm(arm: str, rows: pd.DataFrame) -> str:
    told = "; ".join(f"at {row.size} {_price(row)}" for row in lines(rows))
    known = rows[rows["flops_per_point"].notna()]
    cheap = (known["winner_flops"] / known["flops"]).mean()
    once = f" With the learning rate known it would be {cheap:.0%} of that." if len(known) and cheap < 1 else ""
    return f"{arm}, FLOPs a point of the mean of targets: {told}.{once}"


def _price(row: Any) -> str:
    """ "2e10 (1e10 to 5e10)"; without a clear gain the least that a point costs."""
    if pd.notna(row.flops_per_point):
        ends = f"({flops(row.flops_per_point_low)} to {flops(row.flops_per_point_high)})"
        return f"{flops(row.flops_per_point)} {ends}" if row.flops_per_point else "nothing"
    if pd.isna(row.flops_per_point_low):
        return "no price (it does not gain)" if pd.notna(row.flops) else f"no price ({_unrecorded(row.lacking)})"
    return f"{flops(row.flops_per_point_low)} or more, no upper limit (the gain may be zero)"


def _unrecorded(lacking: str) -> str:
    """Of names with commas between."""
    count = len(lacking.split(", "))
    return f"{count} target phase{'s have' if count > 1 else ' has'} no record, so what was paid is not known"


def _levers(found: Findings, prices: pd.DataFrame, steps: pd.DataFrame) -> Iterator[str]:
    """Where both levers have a price: which is cheaper. Intervals that touch decide nothing."""
    told: dict[str, list[str]] = {"cheaper": [], "dearer": [], "cannot tell": []}
    by_size = {row.size: row for row in lines(steps[steps["flops_per_point"].notna()])}
    for row in lines(prices[prices["flops_per_point"].notna()]):
        other = by_size.get(row.size)
        if other is None or len(found.pools[row.arm].targets) < len(found.design.targets):  # means of other targets
            continue
        cheaper = row.flops_per_point_high < other.flops_per_point_low
        dearer = row.flops_per_point_low > other.flops_per_point_high
        told["cheaper" if cheaper else "dearer" if dearer else "cannot tell"].append(f"{row.arm} at {row.size}")
    if any(told.values()):
        parts = "; ".join(f"{said}: {join(tuple(names))}" for said, names in told.items() if names)
        yield f"A point of an arm against one of the next size, in FLOPs: {parts}."


def _frontier(found: Findings) -> Iterator[str]:
    ways = found.cost.frontier.ways
    for unit, name in (("flops", "in FLOPs"), ("hours", f"in {_hours_name(found)}")):
        best = ways[ways[f"on_{unit}"].astype(bool)].sort_values(unit)
        if len(best):
            told = [f"{row.arm} at {row.size} ({getattr(row, f'often_{unit}'):.0%})" for row in lines(best)]
            yield f"Nothing scores as much for less {name} (in so many joint draws): {join(tuple(told))}."


def _cheapest(found: Findings) -> Iterator[str]:
    """The cheapest way by score, neighbouring scores with the same way together."""
    rows = found.cost.cheapest[found.cost.cheapest["unit"] == "flops"]
    told: list[tuple[str, float, float]] = []
    for row in lines(rows):
        way = f"{row.arm} at {row.size}"
        if told and told[-1][0] == way:
            told.pop()
        told.append((way, row.score, row.chance))
    if told:
        parts = [f"up to {score:g} points {way} ({chance:.0%})" for way, score, chance in told]
        yield f"Cheapest ways in FLOPs (and how sure that the score is reached): {'; '.join(parts)}."


def _spent(found: Findings) -> str:
    kinds = found.cost.kinds
    total = kinds["flops"].sum()
    if not total:
        return "No FLOPs were counted."
    tuned = kinds[kinds["kind"].isin(["intermediate", "target"])]
    scoring = kinds[kinds["kind"] == "evaluation"]["flops"].sum()
    base = kinds[kinds["kind"].isin(["pretrain", "import"])]["flops"].sum()
    lost = tuned["lost_flops"].sum()
    parts = {
        "runs that won": tuned["winner_flops"].sum(),
        "other trials of the searches": (tuned["flops"] - tuned["winner_flops"]).sum() - lost,
        "trials that diverged or failed": lost,
        "scoring": scoring,
        "base models": base,
    }
    told = ", ".join(f"{name} {value / total:.0%}" for name, value in parts.items() if value)
    hours = kinds["hours"].sum()
    money = "" if found.cost.rate is None else f" ({hours * found.cost.rate:,.2f} in money)"
    spent = f"{flops(total)} FLOPs, {duration(hours)} {_time_name(found)}{money}"
    return f"In all {spent} were spent. Of the FLOPs: {told}."


def _overturned(found: Findings, prices: pd.DataFrame) -> tuple[str, ...]:
    told = []
    targets = len(found.design.targets)
    if targets > 1:
        told.append(
            f"Fewer targets: the intermediate phase serves {targets} here. For one target alone a point of that target "
            f"costs {targets} times its share."
        )
    if (prices["winner_flops"] < prices["flops"]).any():
        told.append("Learning rates taken over from elsewhere: only the runs that won would be paid for.")
    if prices["flops_per_point"].isna().any():
        told.append("More seeds or test examples: some gains are too uncertain for a price.")
    if prices["flops_per_point"].notna().sum() > 1:
        told.append("The same study again: the cheapest of several prices is in part the luckiest one.")
    told.append(f"Other hardware: it changes the {_hours_name(found)}, not the FLOPs.")
    return tuple(told)


def _amount(found: Findings, row: Any) -> str:
    """ "2.4e13 FLOPs, 3.2 h of GPU time (5.80 in money)"."""
    paid = "" if pd.isna(row.money_per_point) else f" ({row.money_per_point:,.2g} in money)"
    time = f", {duration(row.hours_per_point)} {_time_name(found)}" if pd.notna(row.hours_per_point) else ""
    return f"{flops(row.flops_per_point)} FLOPs{time}{paid}"


def _time_name(found: Findings) -> str:
    return "of GPU time" if found.cost.gpus else "of device time"


def _hours_name(found: Findings) -> str:
    return "GPU-hours" if found.cost.gpus else "device time"


def flops(value: float) -> str:
    """2.41e13 -> "2.4e13", 1.4e9 -> "1.4e9"."""
    return "0" if not value else f"{value:.1e}".replace("e+0", "e").replace("e+", "e")


def duration(hours: float) -> str:
    """Seconds below two minutes, minutes below two hours, else hours."""
    for limit, factor, unit in ((1 / 30, 3600, "s"), (2, 60, "min")):
        if hours < limit:
            return f"{hours * factor:.2g} {unit}"
    return f"{hours:,.0f} h" if hours >= 100 else f"{hours:.3g} h"

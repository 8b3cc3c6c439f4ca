"""Question 4 in words: what does a point of transfer cost?"""

from __future__ import annotations

import pandas as pd

from study.analysis.frame import lines
from study.report.answers.words import Answer, basis, cannot, signed
from study.report.findings import Findings


def answer(found: Findings) -> Answer:
    question = "4. What does a point of gain cost?"
    sentences = []
    cheapest: tuple[float, str] | None = None
    for arm, table in found.prices.items():
        for row in lines(table):
            paid = f"{row.extra_seconds:.3g} device-seconds and {row.extra_flops:.1e} FLOPs per seed"
            if pd.notna(row.seconds_per_point):
                price = f"{row.seconds_per_point:.2g} device-seconds, {row.flops_per_point:.1e} FLOPs a point"
                sentences.append(f"{arm} at {row.size}: {price} ({paid} for {signed(row.gain)} points).")
                cheapest = min(filter(None, [cheapest, (float(row.seconds_per_point), f"{arm} at {row.size}")]))
            else:
                sentences.append(f"{arm} at {row.size}: {paid} bought no pooled gain that stands clear of zero.")
    if not sentences:
        return cannot(question, "no arm has both a cost and a pooled gain yet")
    verdict = f"cheapest: {cheapest[1]}, {cheapest[0]:.2g} device-seconds a point" if cheapest else "no gain to pay for"
    rest = "Intermediate phases with their whole search, per seed; pooled gain over targets. " + basis(found)
    return Answer(question, verdict, tuple(sentences), rest)

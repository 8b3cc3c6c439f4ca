"""Question 2 in words: size or intermediate training, which lever buys more?"""

from __future__ import annotations

from math import isinf

from study.analysis.scaling import Equivalent, equivalent_sizes
from study.analysis.series import Series
from study.report.answers.words import Answer, basis, cannot, times
from study.report.findings import Findings


def factor(found: Equivalent) -> str:
    """A factor on parameters with its interval, saying where the ladder ends."""
    if isinf(found.point):
        floor = f", at least ×{found.low:.2g}" if found.low > 0 and not isinf(found.low) else ""
        return f"more than its largest size gives{floor}"
    if found.point == 0:
        return "less than its smallest size gives"
    return f"{times(found.point)} (95 % interval {times(found.low)} to {times(found.high)})"


def answer(found: Findings) -> Answer:
    question = "2. How much larger a model without the intermediate phase buys the same score?"
    if not found.pools:
        return cannot(question, "there is no gain to translate into size yet")
    if len(found.design.sizes) < 2:
        return cannot(question, "with one size there is no curve to read a larger model's score off")
    sentences, verdicts = [], []
    for arm, by_target in found.gains.items():
        for target, gain in by_target.items():
            none = found.scores.get(target, {}).get("none")
            if none is None or (arm, target) in found.design.degenerate:
                continue
            factors = [e for e in equivalent_sizes(none, gain) if _is_clear(gain, e.size)]
            if factors:
                sentences.append(f"{arm} on {target}: " + "; ".join(f"at {e.size} {factor(e)}" for e in factors) + ".")
                verdicts.append(f"{arm} on {target}: " + ", ".join(f"{times(e.point)} at {e.size}" for e in factors))
    if not sentences:
        nothing = "No gain on a single target stands clear of zero, so there is nothing to translate into size."
        return Answer(question, "no evidence", (nothing,), basis(found))
    note = "Factors on parameters, read off straight lines between the scores without the phase, never extrapolated. "
    return Answer(question, "; ".join(verdicts), tuple(sentences), note + basis(found))


def _is_clear(gain: Series, size: str) -> bool:
    estimate = gain.at(size)
    return estimate is not None and estimate.clear

"""Question 3 in words: is the intermediate task still known after the target phase?"""

from __future__ import annotations

from study.analysis.scaling import contrasts
from study.report.answers.words import Answer, basis, cannot, interval
from study.report.findings import Findings


def answer(found: Findings) -> Answer:
    question = "3. Is the intermediate task still known after the target phase, and does that depend on size?"
    if found.retained.empty:
        return cannot(question, "no intermediate task has been scored both before and after a target phase")
    if not found.retention:
        few = "every cell has too little to retain, or there is only one seed and so no interval"
        return cannot(question, few)
    sentences, verdicts = [], []
    for arm, curve in found.retention.items():
        told = []
        for size in curve.sizes:
            estimate = curve.at(size)
            assert estimate is not None
            told.append(f"{size} {estimate.point:.1f} % (95 % interval {estimate.low:.1f} to {estimate.high:.1f})")
        sentences.append(f"{arm}: of the score before the target phase is left, " + "; ".join(told) + ".")
        mean = curve.mean()
        lost = (
            "partly forgotten"
            if mean.high < 100
            else "better afterwards"
            if mean.low > 100
            else "no evidence of forgetting"
        )
        if pairs := contrasts(curve):
            small, large, change = pairs[0]
            moved = (
                "retention rises with size"
                if change.positive
                else "retention falls with size"
                if change.negative
                else ""
            )
            lost += f"; {moved or 'no evidence that size matters'}"
            sentences.append(f"From {small} to {large} it changes by {interval(change)} percentage points.")
        verdicts.append(f"{arm}: {lost}")
    rest = "English dev sets of the arm's own tasks; intervals speak of seeds only. "
    return Answer(question, "; ".join(verdicts), tuple(sentences), rest + basis(found))

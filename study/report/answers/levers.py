"""Question 2 in words: size or intermediate training, which lever buys more?"""

from __future__ import annotations

from math import isinf

from study.analysis.levels import ALL_SIZES
from study.analysis.levers import Equivalent, Lever
from study.analysis.noise import Estimate
from study.report.answers.interaction import counted
from study.report.answers.words import Answer, basis, cannot, interval, several, times
from study.report.findings import Findings


def answer(found: Findings) -> Answer:
    question = "2. Which lever buys more, a larger model or the intermediate phase?"
    if not found.pools:
        return cannot(question, "there is no gain to translate into size yet")
    if not found.levers.pooled:
        return cannot(question, "without the intermediate phase only one size has been scored, so there is no curve")
    sentences, verdicts = [], []
    for arm, lever in found.levers.pooled.items():
        stands = found.levers.doubling.stands(arm)
        verdicts.append(f"{arm}: {_verdict(lever.against_doubling, stands)}")
        sentences += [_doubling(found, arm, lever), *_next(found, arm, lever), *_equivalents(found, arm)]
    rests = (
        "Equivalent sizes are read off straight lines between the scores without the phase over log(parameters), "
        f"made non-decreasing, and never extrapolated. {basis(found)}"
    )
    return Answer(question, "; ".join(verdicts), tuple(sentences), rests, tuple(_overturned(found)), found.keys())


def factor(found: Equivalent) -> str:
    """A factor on parameters with its interval: one-sided, or in words, where it leaves the ladder."""
    low, high = found.low, found.high
    if low == 0 and isinf(high):
        return f"{times(found.point)} (the interval holds the whole ladder)"
    if isinf(high):
        return times(found.point) + ("" if isinf(low) else f" (at least {times(low)})")
    if low == 0:
        return times(found.point) + ("" if high == 0 else f" (at most {times(high)})")
    return f"{times(found.point)} (95 % interval {times(low)} to {times(high)})"


def _verdict(difference: Estimate, stands: bool) -> str:
    if not stands:
        return "cannot tell it from one doubling of size"
    return "buys more than one doubling of size" if difference.positive else "buys less than one doubling of size"


def _doubling(found: Findings, arm: str, lever: Lever) -> str:
    over = several(lever.targets, "targets")
    text = (
        f"{arm}, averaged over {over} and the sizes: {interval(lever.gain)} points; twice the parameters without it: "
        f"{interval(lever.doubling)}. The arm minus one doubling: {interval(lever.against_doubling)}."
    )
    return text + counted(lever.against_doubling, found.levers.doubling, arm)


def _next(found: Findings, arm: str, lever: Lever) -> list[str]:
    """The arm against the step to the next size of this ladder, whatever factor that is."""
    step = lever.against_next
    if step is None:
        return []
    verdict = "the two cannot be told apart"
    if found.levers.next_size.stands(arm):
        verdict = "the arm buys more" if step.positive else "the next size buys more"
    return [f"{arm} against the next size up without it: {interval(step)} points, so {verdict}."]


def _equivalents(found: Findings, arm: str) -> list[str]:
    """Of the mean over targets at every size, and of the single targets and sizes whose gain stands."""
    told = []
    for name, lever in found.levers.by_arm[arm].items():
        pooled = lever is found.levers.pooled.get(arm)
        if pooled and len(lever.targets) == 1:
            continue
        clear = {
            row.size
            for row in found.levels.rows
            if row.of == "target" and (row.arm, row.name) == (arm, name) and found.levels.stands(row)
        } - {ALL_SIZES}
        shown = [one for one in lever.equivalents if pooled or one.size in clear]
        if shown:
            text = "; ".join(f"at {one.size} {factor(one)}" for one in shown)
            told.append((not pooled, f"{arm} on {'the mean' if pooled else name} is worth a factor on size: {text}."))
    return [sentence for _, sentence in sorted(told, key=lambda one: one[0])]


def _overturned(found: Findings) -> list[str]:
    told = []
    pooled = found.levers.pooled
    unseen = [one.against_doubling.detectable for arm, one in pooled.items() if not found.levers.doubling.stands(arm)]
    if unseen:
        told.append(
            f"A difference between the levers below {max(unseen):.1f} points, which this study could well miss."
        )
    flat = [arm for arm, one in pooled.items() if not one.doubling.positive]
    if flat:
        told.append("The curve without the phase does not clearly rise, so a factor on size says little here.")
    told.append("A ladder whose sizes differ in more than size: a doubling then stands for that too.")
    told.append("The curve between the sizes: straight lines over log(parameters) are an assumption.")
    if any(isinf(one.high) for lever in pooled.values() for one in lever.equivalents):
        told.append("A larger model at the end of the ladder: what is beyond it cannot be given a factor.")
    if found.missing:
        told.append(f"The {len(found.missing)} missing cells.")
    return told

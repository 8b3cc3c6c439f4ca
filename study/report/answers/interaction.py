"""Question 1 in words: does the gain from the intermediate phase change with model size?

A sentence never claims more than its interval: "grows" needs an interval above zero, "shrinks" one below it, and
otherwise it says "no evidence" and how large an effect would have had to be to show.
"""

from __future__ import annotations

from study.analysis.noise import Estimate
from study.analysis.scaling import contrasts, slope
from study.analysis.series import Series
from study.report.answers.words import Answer, basis, cannot, interval, join
from study.report.findings import Findings


def answer(found: Findings) -> Answer:
    question = "1. Does the intermediate phase help, and does its gain change with model size?"
    if not found.pools:
        return cannot(question, "no arm and its baseline have been scored on the same target yet")
    sentences, verdicts = [], []
    for arm, pool in found.pools.items():
        sentences.append(
            f"{arm}: averaged over {join(pool.targets)} and the sizes, {interval(pool.gain.mean())} points."
        )
        sentences.append("By size: " + "; ".join(_size_gain(pool.gain, size) for size in pool.gain.sizes) + ".")
        verdict, sentence = _change(pool.gain)
        verdicts.append(f"{arm}: {_helps(pool.gain.mean())}; {verdict}")
        sentences.append(sentence)
        sentences += _changing_targets(found, arm)
        clear = [_clear(series) for series in found.gains[arm].values() if _clear(series)]
        if clear:
            sentences.append("Single targets whose interval leaves zero out: " + "; ".join(clear) + ".")
    return Answer(question, "; ".join(verdicts), tuple(sentences), basis(found))


def _helps(mean: Estimate) -> str:
    return "helps" if mean.positive else "hurts" if mean.negative else "no evidence of a gain"


def _size_gain(gain: Series, size: str) -> str:
    estimate = gain.at(size)
    assert estimate is not None
    return f"{size} {interval(estimate)}"


def _change(gain: Series) -> tuple[str, str]:
    """(verdict, sentence) on how a gain moves from the smallest to the largest size, and the slope as a summary."""
    pairs = contrasts(gain)
    line = slope(gain)
    if not pairs or line is None:
        return "one size: cannot tell about size", "With one size there is nothing to compare."
    small, large, change = pairs[0]
    width = (change.high - change.low) / 2
    text = f"From {small} to {large} the gain changes by {interval(change)} points"
    summary = f"; as a summary, {interval(line)} points per tenfold parameters"
    if change.positive:
        return "the gain grows with size", f"{text}{summary}."
    if change.negative:
        return "the gain shrinks with size", f"{text}{summary}."
    blind = f" A change smaller than about {width:.1f} points could not have been seen here."
    return "no evidence that size matters", f"{text}{summary}: no evidence of a change.{blind}"


def _changing_targets(found: Findings, arm: str) -> list[str]:
    """Targets whose gain clearly moves between the ends of the ladder; the pooled gain can hide them."""
    told = []
    for target, gain in found.gains[arm].items():
        if (arm, target) not in found.design.degenerate and (pairs := contrasts(gain)) and pairs[0][2].clear:
            small, large, change = pairs[0]
            told.append(f"{target} {interval(change)} from {small} to {large}")
    return [f"Single targets whose gain changes with size: {'; '.join(told)}."] if told else []


def _clear(series: Series) -> str:
    names = [_size_gain(series, size) for size in series.sizes if (e := series.at(size)) is not None and e.clear]
    return f"{series.target} at {', '.join(names)}" if names else ""

"""Which languages gain, in words: near against far, seen against unseen, single languages, and the transfer gap."""

from __future__ import annotations

from dataclasses import replace

from study.analysis.bylanguage import Contrast, LanguageGain
from study.analysis.frame import NONE
from study.analysis.gains import POOLED
from study.analysis.languages import ENGLISH, FAR, NEAR, SEEN, UNSEEN
from study.analysis.multiple import Family, correct
from study.analysis.noise import Estimate
from study.analysis.scaling import contrasts
from study.analysis.series import Series
from study.report.answers.words import Answer, basis, cannot, interval, join, signed
from study.report.findings import Findings

STEP = 0.1
"""Slopes are told for so much distance: the languages of the benchmark span about 0.5."""
MOST = 12
"""Languages named in one sentence."""
NAMES = {"distance": (NEAR, FAR), "pretraining": (SEEN, UNSEEN)}


def answer(found: Findings) -> Answer:
    question = "6. Which languages gain: those near English, or all?"
    across = found.across_languages
    if not any(across.gains.values()):
        return cannot(question, "no arm and its baseline have been scored in the same language yet")
    sentences, verdicts, family = [], [], _counted(found)
    for arm in (arm for arm, gains in across.gains.items() if gains):
        contrast = across.contrasts[arm].get("distance")
        told = _verdict(contrast, family.stands(arm)) if contrast else "cannot tell about distance"
        verdicts.append(f"{arm}: {told}")
        for kind, one in across.contrasts[arm].items():
            sentences.append(_sides(found, arm, kind, one))
        sentences += _slope(found, arm)
        sentences.append(_single(arm, across.gains[arm]))
    sentences += [*_fall(found), *_gaps(found), *_unknown(found)]
    verdict = "; ".join(verdicts)
    return Answer(question, verdict, tuple(sentences), _rests(found), _overturned_by(found), found.keys())


def _counted(found: Findings) -> Family:
    """Near against far, all arms counted."""
    known = {arm: kinds["distance"] for arm, kinds in found.across_languages.contrasts.items() if "distance" in kinds}
    return correct("arms near against far", {(arm,): one.difference.mean() for arm, one in known.items()})


def _verdict(contrast: Contrast, stands: bool) -> str:
    difference, near, far = (line.mean() for line in (contrast.difference, contrast.first, contrast.second))
    if stands and difference.positive:
        return _better("near", near, "far", far)
    if stands and difference.negative:
        return _better("far", far, "near", near)
    return "no evidence that distance matters"


def _better(one: str, gain: Estimate, other: str, loss: Estimate) -> str:
    """No side is said to gain, or to lose, that may as well not."""
    if gain.positive:
        return f"{one} languages gain more"
    return f"{other} languages lose more" if loss.negative else f"{one} languages do better"


def _sides(found: Findings, arm: str, kind: str, contrast: Contrast) -> str:
    """ "siqa, over xcopa: near languages +6.8 (...), far languages −3.2 (...); difference +10.0 (...) points." """
    first, second = NAMES[kind]
    difference = contrast.difference.mean()
    text = (
        f"{arm}, over {join(contrast.targets)} and the sizes: {first} languages {interval(contrast.first.mean())}, "
        f"{second} languages {interval(contrast.second.mean())} points; {first} minus {second} {interval(difference)}."
    )
    if not difference.clear:
        text += f" A difference smaller than about {difference.detectable:.1f} points would mostly not have been seen."
    return text


def _fall(found: Findings) -> list[str]:
    """How scores without an intermediate phase fall with distance, and whether that depends on size."""
    line = found.across_languages.score_slopes.get(NONE, {}).get(POOLED)
    return [_per_distance("Without an intermediate phase: ", "score", line)] if line else []


def _slope(found: Findings, arm: str) -> list[str]:
    line = found.across_languages.gain_slopes[arm].get(POOLED)
    return [_per_distance(f"{arm}: ", "gain", line)] if line else []


def _per_distance(start: str, what: str, line: Series) -> str:
    text = f"{start}per {STEP} of distance from English the {what} changes by {interval(_scaled(line.mean()))} points"
    pairs = contrasts(line)
    if pairs and pairs[0][2].clear:
        small, large, change = pairs[0]
        text += f"; from {small} to {large} that number changes by {interval(_scaled(change))}"
    return text + "."


def _scaled(estimate: Estimate) -> Estimate:
    point, low, high = (STEP * value for value in (estimate.point, estimate.low, estimate.high))
    return replace(estimate, point=point, low=low, high=high, error=STEP * estimate.error)


def _single(arm: str, gains: dict[str, LanguageGain]) -> str:
    """ "siqa: 2 of 4 languages gain clearly (xb +8.7, xa +4.8), none loses; ..." """
    tested = {code: gained for code, gained in gains.items() if code != ENGLISH}
    up = [code for code, gained in tested.items() if gained.clear and gained.mean.point > 0]
    down = [code for code, gained in reversed(tested.items()) if gained.clear and gained.mean.point < 0]
    text = f"{arm}: of {len(tested)} languages other than English {_named(up, tested)} clearly gain, "
    text += f"{_named(down, tested)} clearly lose (false discoveries held at 5 %)"
    english = gains.get(ENGLISH)
    return text + (f"; English {interval(english.mean)}." if english else ".")


def _named(codes: list[str], gains: dict[str, LanguageGain]) -> str:
    if not codes:
        return "none"
    told = [f"{code} {signed(gains[code].mean.point)}" for code in codes[:MOST]]
    return f"{len(codes)} ({', '.join(told)}{', ...' if len(codes) > MOST else ''})"


def _gaps(found: Findings) -> list[str]:
    """The transfer gap without an intermediate phase, and what every arm does to it."""
    across = found.across_languages
    told = [
        f"{arm} changes it by {interval(change[POOLED].mean())}: {_does(change[POOLED].mean())}"
        for arm, change in across.gap_changes.items()
        if POOLED in change
    ]
    without = across.gaps.get(NONE, {}).get(POOLED)
    if without is None or not told:
        return []
    gap = f"Transfer gap: without an intermediate phase English minus the others is {interval(without.mean())} points"
    return [f"{gap}; {'; '.join(told)}."]


def _does(change: Estimate) -> str:
    return "narrower" if change.negative else "wider" if change.positive else "no evidence of a change"


def _unknown(found: Findings) -> list[str]:
    """What nobody knows, so that it is not looked for."""
    across = found.across_languages
    told = []
    if not any(gap for by_target in across.gaps.values() for gap in by_target.values()):
        told.append("No target tests English beside other languages, so there is no transfer gap to give.")
    names = {one.group.name for one in across.groups if one.group.kind == "pretraining"}
    if names and not names & {SEEN, UNSEEN}:
        told.append("The ladder does not say what it was pretrained on: seen and unseen languages are not told apart.")
    return told


def _overturned_by(found: Findings) -> tuple[str, ...]:
    told = ["Distance goes together with family, script and amount of text: it need not be what makes the difference."]
    gains = [gained for by_language in found.across_languages.gains.values() for gained in by_language.values()]
    if len({gained.pool.targets for gained in gains}) > 1:
        told.append(
            "Languages are not all tested by the same targets; groups are compared within targets that have both."
        )
    return tuple(told)


def _rests(found: Findings) -> str:
    cuts = found.across_languages.cuts
    text = ""
    if cuts:
        real = any(language.distances for language in found.languages.values())
        made = "planted distances" if found.spec.get("simulated") else "the lab's own distances"
        source = "syntactic distance, from URIEL" if real else made
        text = f"Terciles of the languages by {source}: near up to {cuts[0]:.3g}, far above {cuts[1]:.3g}. "
    return text + "English, the language of training, is in no group. " + basis(found)

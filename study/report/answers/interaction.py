"""Question 1 in words: does the gain from the intermediate phase change with model size?

A sentence never claims more than what stands with its whole family counted (Holm): "helps", "grows" and "shrinks"
need that; otherwise it says "no evidence", and how large a change would have had to be to show.
"""

from __future__ import annotations

from study.analysis.interaction import Change
from study.analysis.levels import ALL_SIZES, Level
from study.analysis.multiple import Family
from study.analysis.noise import Estimate
from study.report.answers.words import (
    FEW_ARMS,
    Answer,
    basis,
    cannot,
    interval,
    join,
    p_value,
    several,
    span,
)
from study.report.findings import Findings


def answer(found: Findings) -> Answer:
    question = "1. Does the intermediate phase help, and does its gain change with model size?"
    if not found.pools:
        return cannot(question, "no arm and its baseline have been scored on the same target yet")
    sentences, verdicts = [], []
    for arm in found.pools:
        helps, told = _gain(found, arm)
        moves, more = _change(found, arm)
        verdicts.append(f"{arm}: {helps}, {moves}")
        sentences += [told, *_sizes(found, arm), more, *_targets(found, arm), *_checks(found, arm)]
    return Answer(
        question, "; ".join(verdicts), tuple(sentences), _rests(found), tuple(_overturned(found)), found.keys()
    )


def _gain(found: Findings, arm: str) -> tuple[str, str]:
    """(verdict, sentence) on the mean over targets and sizes."""
    row = next(row for row in found.levels.rows if row.of == "overall" and row.arm == arm and row.size == ALL_SIZES)
    stands = found.levels.stands(row)
    verdict = ("helps" if row.gain.positive else "hurts") if stands else "no evidence of a gain"
    verdict += _apart(found, arm, row.gain.positive if stands else None)
    where = f"averaged over {several(found.pools[arm].targets, 'targets')} and the sizes"
    like = f"; for languages like these {span(row.like)}" if row.like else ""
    told = f"{arm}: {where}, {interval(row.gain)} points{like}."
    return verdict, told + counted(row.gain, found.levels.families[row.family], arm, row.name, row.size)


def _apart(found: Findings, arm: str, helps: bool | None) -> str:
    """Single targets that stand and say something else than the mean, which can hide them."""
    rows = [row for row in found.levels.rows if row.of == "target" and row.arm == arm and row.size == ALL_SIZES]
    stand = [row for row in rows if found.levels.stands(row) and row.gain.positive is not helps]
    told = [
        f"{'helps' if sign else 'hurts'} on {join(tuple(row.name for row in stand if row.gain.positive is sign))}"
        for sign in (True, False)
        if any(row.gain.positive is sign for row in stand)
    ]
    return f" on the mean (but {' and '.join(told)})" if told else ""


def counted(estimate: Estimate, family: Family, *key: str) -> str:
    """A sentence where the interval leaves zero out but the correction for the number of comparisons does not."""
    if not estimate.clear or family.stands(*key) or family.size < 2:
        return ""
    return f" With all {family.size} {family.name} counted it does not stand (Holm, {p_value(family.holm[key])})."


def _sizes(found: Findings, arm: str) -> list[str]:
    """The mean gain at each size, where there are more than one, and few arms."""
    if len(found.pools) > FEW_ARMS:
        return []
    rows = [row for row in found.levels.rows if row.of == "overall" and row.arm == arm and row.size != ALL_SIZES]
    return ["By size: " + "; ".join(f"{row.size} {interval(row.gain)}" for row in rows) + "."] if len(rows) > 1 else []


def _change(found: Findings, arm: str) -> tuple[str, str]:
    """(verdict, sentence) on how a gain moves over the ladder."""
    change = found.interaction.pooled.get(arm)
    if change is None:
        return "one size: cannot tell about size", "With one size there is nothing to compare."
    family = found.interaction.arms
    text = f"{_moves(change)}."
    if family.stands(arm):
        return f"the gain {'grows' if change.answer.positive else 'shrinks'} with size", text
    text += counted(change.answer, family, arm) or " No evidence of a change."
    return "no evidence that size matters", f"{text} {_unseen(change)}"


def _moves(change: Change) -> str:
    """The answer, then what stands beside it."""
    small, large = change.gain.sizes[0], change.gain.sizes[-1]
    ends = f"from {small} to {large} the gain of {change.gain.arm} changes by {interval(change.contrast)} points"
    line = f"{interval(change.slope)} points per tenfold parameters"
    like = f"; for languages like these {span(change.answer_like)}" if change.answer_like else ""
    if change.by_contrast:
        return f"{ends[0].upper()}{ends[1:]}{like}; as a summary, {line}"
    return f"Over {len(change.gain.sizes)} sizes the gain of {change.gain.arm} changes by {line}{like}; {ends}"


def _unseen(change: Change) -> str:
    if not change.answer.error > 0:
        return "Nothing is known of its noise."
    what = "change" if change.by_contrast else "slope"
    unit = "points" if change.by_contrast else "points per tenfold parameters"
    return f"This study would have seen a {what} of {change.answer.detectable:.1f} {unit} four times in five."


def _targets(found: Findings, arm: str) -> list[str]:
    """What stands on single targets, all of them counted; the mean can hide it."""
    told = []
    moving = [
        f"{target} {interval(change.answer)}"
        for target, change in found.interaction.changes[arm].items()
        if found.interaction.targets.stands(arm, target)
    ]
    if moving:
        few = next(iter(found.interaction.changes[arm].values())).by_contrast
        unit = "ends of the ladder" if few else "per tenfold parameters"
        told.append(f"{arm} on single targets, change with size ({unit}): {'; '.join(moving)}.")
    rows = [row for row in found.levels.rows if row.of == "target" and row.arm == arm and found.levels.stands(row)]
    means = [f"{row.name} {interval(row.gain)}{_doubt(row)}" for row in rows if row.size == ALL_SIZES]
    if means:
        told.append(f"{arm} on single targets, over the sizes: {'; '.join(means)}.")
    cells = _cells([row for row in rows if row.size != ALL_SIZES])
    return [*told, f"{arm} on single targets and sizes: {cells}."] if cells else told


def _doubt(row: Level) -> str:
    """Where a gain in these languages need not be one in others."""
    return f", but {span(row.like)} for languages like these" if row.like and not row.like.clear else ""


def _cells(rows: list[Level]) -> str:
    """ "xcopa at s +9.0, m +18.2; udpos at m −3.1"."""
    names = dict.fromkeys(row.name for row in rows)
    at = {name: [f"{row.size} {row.gain.point:+.1f}" for row in rows if row.name == name] for name in names}
    return "; ".join(f"{name} at {', '.join(parts)}" for name, parts in at.items()).replace("-", "−")


def _checks(found: Findings, arm: str) -> list[str]:
    """One sentence on the other ways of reckoning the slope that come out otherwise."""
    change = found.interaction.pooled.get(arm)
    if change is None:
        return []
    told, same = [], True
    for check in found.slope_checks[arm]:
        ours = change.slope_like if check.like else change.slope
        if ours and not check.agrees(ours):
            scope = " (languages like these)" if check.like else ""
            told.append(f"{check.method}{scope} {interval(check.slope)}")
            same &= (ours.positive, ours.negative) == (check.slope.positive, check.slope.negative)
    if not told:
        return []
    end = "The conclusion is the same." if same else "Their intervals do not tell the same story: take it with care."
    return [f"Other ways to reckon the slope of {arm} per tenfold parameters differ: {'; '.join(told)}. {end}"]


def _rests(found: Findings) -> str:
    arms = found.levels.families[("overall", False)].size
    many = f" Claims stand with all {arms} arms, and all single targets, counted (Holm)." if arms > 1 else ""
    methods = tuple(dict.fromkeys(check.method for ones in found.slope_checks.values() for check in ones))
    checked = f" Slopes checked in other ways (table): {join(methods)}." if methods else ""
    return f"Gains paired by example, seed and size; a mean counts every target alike. {basis(found)}{many}{checked}"


def _overturned(found: Findings) -> list[str]:
    """What could give another verdict."""
    told = []
    rows = [row for row in found.levels.rows if row.of == "overall" and row.size == ALL_SIZES]
    here = [row.arm for row in rows if found.levels.stands(row) and row.like and not row.like.clear]
    if here:
        told.append(f"Other languages: for languages like these the gain of {join(tuple(here))} may be zero.")
    here = [arm for arm, one in found.interaction.pooled.items() if _only_here(found, arm, one)]
    if here:
        told.append(f"Other languages: for languages like these the change of {join(tuple(here))} may be zero.")
    unseen = [
        one.answer.detectable for arm, one in found.interaction.pooled.items() if not found.interaction.arms.stands(arm)
    ]
    if unseen:
        told.append(f"A change with size smaller than {max(unseen):.1f} points, which this study could well miss.")
    if found.interaction.pooled:
        told.append("Another model of the same size: each size is one pretrained model, and they may differ in more.")
        if len(found.design.sizes) <= 3:
            told.append("Sizes in between or beyond: so few cannot show a bend.")
    if len(found.design.seeds) < 3:
        told.append("More seeds: with fewer than three the spread of training is hardly known.")
    if found.missing:
        told.append(f"The {len(found.missing)} missing cells.")
    return told


def _only_here(found: Findings, arm: str, change: Change) -> bool:
    """True when a change stands for these languages but not for languages like them."""
    return bool(found.interaction.arms.stands(arm) and change.answer_like and not change.answer_like.clear)

"""Question 5 in words: what does domain text in the intermediate phase add, at equal tokens?"""

from __future__ import annotations

from collections.abc import Iterator

from study.analysis.domain import Added, Split, Tokens
from study.analysis.frame import lines
from study.analysis.scaling import contrasts
from study.report.answers.words import Answer, basis, interval, join, signed
from study.report.findings import Findings

QUESTION = "5. Does raw in-domain text add to it, at equal tokens?"


def answer(found: Findings) -> Answer:
    if not found.domain.arms:
        return Answer(QUESTION, "not asked here", ("No arm with domain text in this study.",), "")
    sentences: list[str] = []
    verdicts: list[str] = []
    against: list[str] = []
    for one in found.domain.added:
        mean = one.pool.gain.mean()
        verdict = "adds" if mean.positive else "takes away" if mean.negative else "cannot tell"
        verdicts.append(f"{one.arm}: {verdict}{'' if one.tokens.equal else ', but not at equal tokens'}")
        sentences += _pair(one)
        against += _overturned(one)
    told = {one.arm for one in found.domain.added}
    sentences += [
        f"{arm}: no scored arm of this study is the same without the text, so it cannot be told."
        for arm in found.domain.arms
        if arm not in told
    ]
    arms = {arm for one in found.domain.added for arm in (one.arm, one.base)}
    keys = tuple(sorted({key for arm in arms for key in found.keys(arm=arm)}))
    rest = "Paired by test example, size, target and seed. " + basis(found) if verdicts else ""
    return Answer(QUESTION, "; ".join(verdicts) or "cannot tell", tuple(sentences), rest, tuple(against), keys)


def _pair(one: Added) -> Iterator[str]:
    mean = one.pool.gain.mean()
    over = f"over {join(one.pool.targets)} and the sizes"
    yield f"{one.arm} against {one.base}, the same without text: {interval(mean)} points, {over}."
    yield _tokens(one.tokens)
    yield from _by_size(one)
    yield _split(one.targets, "targets of its domain", "other targets") or (
        "Which targets share the text's domain is not told (`report.in_domain` of the spec), or nothing is on one side."
    )
    yield _split(one.languages, "languages of the text", "other languages") or (
        "The text's languages are not told by weights, or all or none of those tested are among them."
    )
    clear = [f"{row.language} {signed(row.added)}" for row in lines(one.by_language) if row.clear]
    count = len(one.by_language)
    yield (
        f"Single languages, corrected for their number ({count}): {', '.join(clear) or 'none'} clear of zero."
        if count > 1
        else "One language was tested."
    )


def _tokens(of: Tokens) -> str:
    if not of.pairs:
        return "Tokens: the intermediate runs of both arms are not there, so equal tokens were not checked."
    ratio = f"{of.low:.2f}" if f"{of.low:.2f}" == f"{of.high:.2f}" else f"{of.low:.2f} to {of.high:.2f}"
    said = "equal" if of.equal else "not equal: the comparison is not fair"
    share = f", {of.text:.0%} of them running text" if of.text == of.text else ""
    return f"Tokens with text over tokens without: {ratio}{share} ({said})."


def _by_size(one: Added) -> Iterator[str]:
    gain = one.pool.gain
    if len(gain.sizes) < 2:
        return
    sizes = [f"{size} {interval(estimate)}" for size in gain.sizes if (estimate := gain.at(size)) is not None]
    small, large, change = contrasts(gain)[0]
    side = "larger models gain more" if change.positive else "smaller models gain more" if change.negative else ""
    said = side or f"no evidence of a change; below about {change.detectable:.1f} points it would seldom have shown"
    yield f"By size: {'; '.join(sizes)}. From {small} to {large} it changes by {interval(change)} points: {said}."


def _split(of: Split | None, inside: str, outside: str) -> str:
    if of is None:
        return ""
    apart = of.difference.mean()
    said = "more" if apart.positive else "less" if apart.negative else "no evidence of a difference"
    return (
        f"In {inside} ({join(of.inside)}) {interval(of.within.mean())}, in {outside} {interval(of.outside.mean())} "
        f"points; apart by {interval(apart)}: {said}{' there' if apart.clear else ''}."
    )


def _overturned(one: Added) -> Iterator[str]:
    mean = one.pool.gain.mean()
    if not mean.clear:
        yield f"{one.arm}: an effect below about {mean.detectable:.1f} points would seldom have shown here."
    if not one.tokens.equal:
        yield f"{one.arm}: a run with as many tokens as {one.base}."

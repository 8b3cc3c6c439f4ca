"""Question 5 in words: what does domain text in the intermediate phase add, at equal tokens?"""

from __future__ import annotations

from collections.abc import Iterator

from study.analysis.domain import Added, Domain, Split, Statement, Tokens
from study.report.answers.interaction import counted
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
        (mean,) = found.domain.about(one, "overall")
        verdict = ("adds" if mean.added.positive else "takes away") if found.domain.stands(mean) else "cannot tell"
        verdicts.append(f"{one.arm}: {verdict}{'' if one.tokens.equal else ', but not at equal tokens'}")
        sentences += _pair(found.domain, one)
        against += _overturned(found.domain, one)
    told = {one.arm for one in found.domain.added}
    sentences += [
        f"{arm}: no scored arm of this study is the same without the text, so it cannot be told."
        for arm in found.domain.arms
        if arm not in told
    ]
    arms = {arm for one in found.domain.added for arm in (one.arm, one.base)}
    keys = tuple(sorted({key for arm in arms for key in found.keys(arm=arm)}))
    many = " Claims stand with all arms with text, and all numbers of one kind, counted (Holm)."
    rest = f"Paired by test example, size, target and seed. {basis(found)}{many}" if verdicts else ""
    return Answer(QUESTION, "; ".join(verdicts) or "cannot tell", tuple(sentences), rest, tuple(against), keys)


def _pair(of: Domain, one: Added) -> Iterator[str]:
    (mean,) = of.about(one, "overall")
    over = f"over {join(one.pool.targets)} and the sizes"
    told = f"{one.arm} against {one.base}, the same without text: {interval(mean.added)} points, {over}."
    yield told + _counted(of, mean)
    yield _tokens(one.tokens)
    yield from _by_size(of, one)
    apart = {told.name: told for told in of.about(one, "difference")}
    by_domain = apart.get("in minus outside its domain")
    yield _split(of, one.targets, by_domain, "targets of its domain", "other targets") or (
        "Which targets share the text's domain is not told (`report.in_domain` of the spec), or nothing is on one side."
    )
    by_language = apart.get("in minus outside its languages")
    yield _split(of, one.languages, by_language, "languages of the text", "other languages") or (
        "The text's languages are not told by weights, or all or none of those tested are among them."
    )
    codes = of.about(one, "language")
    clear = [f"{told.name} {signed(told.added.point)}" for told in codes if of.stands(told)]
    count = of.families[("language", "mean")].size
    yield (
        f"Single languages, corrected for their number ({count}): "
        f"{', '.join(clear) or 'none'} stand{'s' * (len(clear) < 2)}."
        if len(codes) > 1
        else "One language was tested."
    )


def _counted(of: Domain, one: Statement) -> str:
    return counted(one.added, of.families[(one.of, one.kind)], one.arm, one.base, one.name, one.at)


def _tokens(of: Tokens) -> str:
    if not of.pairs:
        return "Tokens: the intermediate runs of both arms are not there, so equal tokens were not checked."
    ratio = f"{of.low:.2f}" if f"{of.low:.2f}" == f"{of.high:.2f}" else f"{of.low:.2f} to {of.high:.2f}"
    said = "equal" if of.equal else "not equal: the comparison is not fair"
    share = f", {of.text:.0%} of them running text" if of.text == of.text else ""
    return f"Tokens with text over tokens without: {ratio}{share} ({said})."


def _by_size(of: Domain, one: Added) -> Iterator[str]:
    sizes = [f"{told.at} {interval(told.added)}" for told in of.about(one, "overall", "size")]
    for told in of.about(one, "overall", "change"):
        change, small, large = told.added, one.pool.gain.sizes[0], one.pool.gain.sizes[-1]
        said = f"no evidence of a change; below about {change.detectable:.1f} points it would seldom have shown"
        if of.stands(told):
            said = "larger models gain more" if change.positive else "smaller models gain more"
        yield (
            f"By size: {'; '.join(sizes)}. From {small} to {large} it changes by {interval(change)} points: {said}."
            + _counted(of, told)
        )


def _split(of: Domain, split: Split | None, apart: Statement | None, inside: str, outside: str) -> str:
    if split is None or apart is None:
        return ""
    said = "no evidence of a difference"
    if of.stands(apart):
        said = "more there" if apart.added.positive else "less there"
    return (
        f"In {inside} ({join(split.inside)}) {interval(split.within.mean())}, in {outside} "
        f"{interval(split.outside.mean())} points; apart by {interval(apart.added)}: {said}.{_counted(of, apart)}"
    )


def _overturned(of: Domain, one: Added) -> Iterator[str]:
    (mean,) = of.about(one, "overall")
    if not of.stands(mean):
        yield f"{one.arm}: an effect below about {mean.added.detectable:.1f} points would seldom have shown here."
    if not one.tokens.equal:
        yield f"{one.arm}: a run with as many tokens as {one.base}."

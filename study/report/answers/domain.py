"""Question 5 in words: what does domain text in the intermediate phase add?"""

from __future__ import annotations

from study.report.answers.words import Answer, basis, interval, join
from study.report.findings import Findings


def answer(found: Findings) -> Answer:
    question = "5. Does raw in-domain text add to it, at equal tokens?"
    if not found.text_gains:
        return Answer(question, "not asked here", ("No arm with domain text in this study.",), "")
    sentences, verdicts = [], []
    for arm, pools in found.text_gains.items():
        for base, pool in pools.items():
            added = pool.gain.mean()
            verdict = "adds" if added.positive else "takes away" if added.negative else "cannot tell"
            verdicts.append(f"{arm}: {verdict}")
            over = f"over {join(pool.targets)} and the sizes"
            sentences.append(f"{arm} against {base}, the same without text: {interval(added)} points, {over}.")
        if not pools:
            sentences.append(f"{arm}: no scored arm of this study is the same without the text, so it cannot be told.")
    return Answer(question, "; ".join(verdicts) or "cannot tell", tuple(sentences), basis(found) if verdicts else "")

"""Question 3 in words: is the intermediate task still known after the target phase?"""

from __future__ import annotations

from study.analysis.noise import Estimate
from study.analysis.relation import FEWEST_CLUSTERS
from study.analysis.retention import CLASSIFICATION, LITTLE, below_hundred
from study.analysis.scaling import contrasts
from study.analysis.series import Series
from study.report.answers.interaction import counted
from study.report.answers.words import FEW_ARMS, Answer, basis, cannot, interval, join
from study.report.findings import Findings


def answer(found: Findings) -> Answer:
    question = "3. Is the intermediate task still known after the target phase, and does that depend on size?"
    memory = found.memory
    if memory.table.empty:
        return cannot(question, "no intermediate task has been scored both before and after a target phase")
    if not memory.curves:
        return cannot(question, "every cell has too little to retain, or there is nothing to make an interval from")
    sentences, verdicts = [], []
    for arm, curve in memory.curves.items():
        lost, told = _level(found, arm, curve)
        moved, more = _change(found, arm, curve)
        verdicts.append(f"{arm}: {lost}{moved}")
        sentences += [told, *more]
        if arm in memory.classification:
            sentences.append(
                f"{arm}, after classification targets only ({join(_classification(found))}): "
                f"{per_cent(memory.classification[arm].mean())}."
            )
    sentences.append(_relation(found))
    noise = "seeds and dev examples" if memory.examples else "seeds only"
    rest = f"English dev sets of the arm's own tasks, the same examples before and after; intervals over {noise}. "
    keys = {*memory.table["key"], *memory.table["key_before"]}
    return Answer(
        question,
        "; ".join(verdicts),
        tuple(sentences),
        rest + basis(found),
        tuple(_overturned(found)),
        tuple(sorted(keys)),
    )


def per_cent(estimate: Estimate) -> str:
    return f"{estimate.point:.1f} % (95 % interval {estimate.low:.1f} to {estimate.high:.1f})"


def _level(found: Findings, arm: str, curve: Series) -> tuple[str, str]:
    """(verdict, sentence) on how much is left, over all sizes and at each."""
    at = [f"{size} {per_cent(here)}" for size in curve.sizes if (here := curve.at(size))]
    by_size = f"; by size: {'; '.join(at)}" if len(at) > 1 and len(found.memory.curves) <= FEW_ARMS else ""
    less = below_hundred(curve)
    verdict = "no evidence of forgetting"
    if found.memory.lost.stands(arm):
        verdict = "partly forgotten" if less.negative else "better afterwards"
    told = f"{arm}: of the score before the target phase is left {per_cent(curve.mean())}{by_size}."
    return verdict, told + counted(less, found.memory.lost, arm)


def _change(found: Findings, arm: str, curve: Series) -> tuple[str, list[str]]:
    """(end of the verdict, sentences) on how retention moves over the ladder."""
    pairs = contrasts(curve)
    if not pairs:
        return "", []
    small, large, change = pairs[0]
    told = f"{arm}: from {small} to {large} this changes by {interval(change)} percentage points."
    if found.memory.changes.stands(arm):
        return f", retention {'rises' if change.positive else 'falls'} with size", [told]
    told += counted(change, found.memory.changes, arm)
    told += f" A change of {change.detectable:.1f} would have been seen four times in five."
    return ", no evidence that size matters", [told]


def _relation(found: Findings) -> str:
    """How gain goes with retention; an association, and said to be one."""
    relation = found.memory.relation
    if relation.slope is None:
        return (
            "Whether gains go with retention: cannot tell. There are "
            f"{relation.clusters} intermediate checkpoints to compare; fewer than {FEWEST_CLUSTERS} say too little, "
            "and retention has to differ between them."
        )
    # Cautious in words: it is clear only if it is so with the size held fixed too.
    slope, within = relation.slope, relation.within
    clear = slope.clear and within is not None and within.clear and within.positive == slope.positive
    verdict = f"gains go with {'more' if slope.positive else 'less'} retention" if clear else "no evidence that they do"
    fixed = f"; with the size held fixed too, {interval(within, 2)}" if within else ""
    rank = f"; Spearman's ρ of the plain pairs is {relation.spearman:.2f}".replace("-", "−")
    return (
        f"Whether gains go with retention: {verdict}. One per cent more retained goes with {interval(slope, 2)} points "
        f"of gain, arm and target held fixed{fixed}{rank}. An association over {len(relation.rows)} cells of "
        f"{relation.clusters} intermediate checkpoints, not a cause: nothing here varied retention on purpose."
    )


def _classification(found: Findings) -> tuple[str, ...]:
    return tuple(target for target in CLASSIFICATION if target in set(found.memory.table["target"]))


def _overturned(found: Findings) -> list[str]:
    told = ["Other languages: only English was scored before and after."]
    little = found.memory.table[found.memory.table["retention"].isna() | (found.memory.table["learned"] < LITTLE)]
    if len(little):
        told.append(f"The {len(little)} rows with little to retain, which are left out: nothing is known of them.")
    unseen = {arm for arm in found.memory.curves if not found.memory.changes.stands(arm)}
    widths = [pairs[0][2].detectable for arm in unseen if (pairs := contrasts(found.memory.curves[arm]))]
    if widths:
        told.append(f"A change with size below {max(widths):.1f} percentage points, which this study could well miss.")
    told.append("A head trained anew: the kept head may have drifted from knowledge that is still there.")
    if found.missing:
        told.append(f"The {len(found.missing)} missing cells.")
    return told

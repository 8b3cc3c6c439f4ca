"""What should be read with caution? One sentence per reason, taken from the records themselves."""

from __future__ import annotations

from study.analysis.frame import lines
from study.analysis.retention import LITTLE
from study.records import LOST
from study.report.answers.words import signed
from study.report.findings import Findings
from trainables.tasks import TASKS

SIMULATED = "This study is simulated: every number was drawn from planted effects, and no model was trained."


def cautions(found: Findings) -> list[str]:
    """Sentences, the weightiest first; always at least those on how the intervals are made."""
    design = found.design
    told = []
    if found.spec.get("simulated"):
        told.append(SIMULATED)
    if found.missing:
        told.append(f"{len(found.missing)} of {found.asked} cells are missing (listed below).")
    if design.degenerate:
        pairs = ", ".join(f"{arm} → {target}" for arm, target in sorted(design.degenerate))
        told.append(f"Degenerate pairs train twice on the same data and are left out of pooled gains: {pairs}.")
    for arm, pool in found.pools.items():
        if pool.left_out:
            places = ", ".join(f"{size}/seed {seed}" for size, seed in pool.left_out)
            told.append(f"Pooled gain of {arm}: {places} left out, because not every target is scored there.")
    seeds = found.cells["seed"].nunique()
    if len(design.seeds) == 1:
        told.append("One seed: no interval contains training noise.")
    elif 1 < seeds < 5:
        told.append(
            f"{seeds} seeds: the spread between seeds is pooled over the sizes of a curve, "
            "which assumes that it is about the same at every size."
        )
    if len(design.sizes) <= 3:
        told.append(f"{len(design.sizes)} sizes: contrasts and a slope can be given, an exponent cannot.")
    told += _benchmark(found) + _pretraining(found) + _blind(found) + _searches(found) + _stand_ins(found)
    if sum(family.size for family in found.levels.families.values()) > 1:
        told.append(
            "Intervals are 95 % each and not corrected for their number: about one in twenty leaves zero out by "
            "chance. What questions 1 to 3 and 5 claim in words, and what the tables of gains, changes, levers and "
            "domain text mark, stands with its whole family counted (Holm): false claims in at most one "
            "study in twenty per family. A family is one kind of gain or change."
        )
    return told


def _benchmark(found: Findings) -> list[str]:
    """What the benchmark's own numbers lack, by task, and where there is no overall score at all."""
    table = found.benchmark
    told = []
    partial = table[(table["level"] == "task") & table["partial"].astype(bool)]
    if len(partial):
        lacking = "; ".join(dict.fromkeys(f"{row.name} in {row.missing}" for row in lines(partial)))
        told.append(f"XTREME-R: scores are partial, languages are missing: {lacking}.")
    for row in lines(table[(table["level"] == "overall") & table["score"].isna()]):
        absent = [part for part in row.missing.split("; ") if " in " not in part]
        are = "is" if len(absent) == 1 else "are"
        told.append(f"XTREME-R: no overall score of {row.arm} at {row.size}: {', '.join(absent)} {are} missing.")
    return told


def _pretraining(found: Findings) -> list[str]:
    if not any(record.kind in ("pretrain", "import") for record in found.records):
        return []
    return ["One pretraining per size is shared by all seeds: what another pretraining would give is in no interval."]


def _blind(found: Findings) -> list[str]:
    """Cells that a predictor that does not look would reach."""
    low = found.tasks[found.tasks["score"] < found.tasks[["majority", "random"]].max(axis=1) + 2.0]
    told = []
    if len(low):
        names = sorted({f"{row.target} at {row.size}" for row in lines(low)})
        told.append(
            f"{len(low)} cells lie less than 2 points above a predictor that does not look: {', '.join(names)}."
        )
    little = found.memory.table[found.memory.table["learned"] < LITTLE]
    if len(little):
        sizes = sorted(set(little["size"]), key=lambda size: found.design.parameters.get(size, 0))
        told.append(
            f"Little to retain in {len(little)} of {len(found.memory.table)} retention rows (sizes {', '.join(sizes)})."
        )
    return told


def _searches(found: Findings) -> list[str]:
    edge = found.searches[found.searches["verdict"] == "edge"]
    told = []
    if len(edge):
        told.append(f"{len(edge)} of {len(found.searches)} searches have their best rate on the edge of those tried.")
    lost = found.trials[found.trials["status"].isin(LOST)]
    if len(lost):
        told.append(f"{len(lost)} of {len(found.trials)} trials diverged or failed.")
    if found.failures:
        told.append(f"{len(found.failures)} phases failed in their last run and have no record.")
    unequal = found.fairness[~found.fairness["equal"].astype(bool)]
    if len(unequal):
        rows = unequal.assign(target=unequal["target"].fillna(""))
        names = ", ".join(" ".join(filter(None, (row.kind, row.target, "at", row.size))) for row in lines(rows))
        told.append(f"Arms were not searched with the same number of trials: {names}.")
    return told + _narrowed(found) + _pruned(found)


def _pruned(found: Findings) -> list[str]:
    """Trials that were stopped early, and that nobody knows what they would have become."""
    count = int((found.trials["status"] == "pruned").sum())
    if not count:
        return []
    said = f"{count} of {len(found.trials)} trials were stopped early and could not win (search.early_stopping)"
    return [f"{said}; what that lost in score is not known of this study."]


def _narrowed(found: Findings) -> list[str]:
    """Sizes that searched around the winners of the smallest, and what is known of the loss."""
    narrowed = found.fairness[found.fairness["narrowed"].astype(bool)]
    if not len(narrowed):
        return []
    sizes = ", ".join(size for size in found.design.sizes if size in set(narrowed["size"]))
    known = found.regret["regret"].dropna().astype(float)
    lost = "what that lost in score is not known of this study"
    if len(known):
        mean = signed(known.mean())
        lost = f"full minus narrowed dev score, where the store holds both ({len(known)} searches): {mean} on the mean"
    said = f"Sizes {sizes} searched around the winners of the smallest size, with half the trials (search.transfer)"
    return [f"{said}; {lost}."]


def _stand_ins(found: Findings) -> list[str]:
    """Lab data, development data that stand in for tests, and small test sets."""
    told = []
    if found.spec.get("data", {}).get("source") == "lab":
        told.append(
            "The data are the lab's miniature world, made to show effects: no number here speaks of real languages."
        )
    told += _replaced(found, "stand_in", "another set stands in for an absent test set")
    told += _replaced(found, "train_stand_in", "another set stands in for the training set")
    alone = [
        target
        for target in found.design.targets
        if target in TASKS and TASKS[target].head == "span" and target not in found.resampled.grouped
    ]
    if alone and not found.spec.get("simulated") and len(found.cells):
        told.append(
            f"Questions about one paragraph count as independent on {', '.join(alone)}: the predictions do not tell "
            "which share one (an earlier version wrote them), so these intervals are too short."
        )
    small = found.cells[found.cells["examples"] < 100]
    if len(small):
        names = sorted({f"{row.target}/{row.language}" for row in lines(small)})
        told.append(f"Test sets of fewer than 100 examples: {', '.join(names)}.")
    return told


def _replaced(found: Findings, detail: str, what: str) -> list[str]:
    """One line per task: what stands in, in how many languages, and the first case in full."""
    cases: dict[str, dict[str, str]] = {}
    for score in (score for record in found.records for score in record.scores):
        if score.details.get(detail):
            cases.setdefault(score.task, {})[score.language] = score.details[detail]
    return [
        f"{task}: {what} in {len(by_language)} languages, such as {first}: {by_language[first]}."
        for task, by_language in sorted(cases.items())
        for first in [min(by_language)]
    ]

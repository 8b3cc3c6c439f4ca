"""When is a trial not worth going on? When the dev scores of earlier trials say so: successive halving, in order.

With `search.early_stopping` a trial ends at a rung (a dev evaluation after the warm-up and before the last step) unless
its score is among the best half of the trials with a lower number that came so far, itself counted:

    cutoffs((60,), trials)      # {60: 41.5}: the fourth trial ends at step 60 with less than 41.5 points

The rule is that of asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel Hyperparameter
Tuning", reduction factor 2) with one change. There a trial is compared with those that happened to come first; here
with those of lower numbers, all of which have ended before it starts (see `study.search`). So the cut-offs are known
before it starts, are plain data, and are the same however many trials run at a time and however often the search was
cut off. The first trials, which look at no results and run side by side, are never stopped: they make the rungs.
"""

from __future__ import annotations

import bisect
import statistics
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from trainables.rungs import has_rung

if TYPE_CHECKING:
    from study.records import Trial
    from study.spec import StudySpec

FACTOR = 2
"""One trial in so many goes on; the median in `cutoffs` is what makes it two."""
WORST = -1.0
"""What a diverged trial is worth at any rung, also where it still had a score: below every score (points, 0 to 100)."""


def cutoffs(steps: Sequence[int], before: Iterable[Trial]) -> dict[int, float]:
    """{rung: least dev score in points with which a trial goes on}, from the trials before it; ties go on.

    Among the best half of a group that it is counted in (rounded up) is who does not lie below the lower median of the
    others. A trial that was stopped earlier did not reach the rung and is not counted there.
    """
    known = [(dict(trial.dev), trial.status == "diverged") for trial in before]
    least = {}
    for step in steps:
        scores = [WORST if diverged else dev[step] for dev, diverged in known if diverged or step in dev]
        median = statistics.median_low(scores) if scores else WORST
        if median > WORST:
            least[step] = median
    return least


def identity(spec: StudySpec) -> dict[str, Any]:
    """What early stopping adds to the search in a phase's identity: nothing when it is off, so that phases of studies
    without it keep their keys."""
    return {"early_stopping": {"factor": FACTOR}} if spec.search.early_stopping else {}


def said(spec: StudySpec) -> str:
    """How trials are stopped, in one line for people; empty when they are not."""
    if not spec.search.early_stopping:
        return ""
    return "search.early_stopping: hopeless trials end early; tokens, FLOPs, hours and price are planned without that"


def problems(spec: StudySpec) -> list[str]:
    """Why trials could never be stopped: a line for each reason."""
    if not spec.search.early_stopping:
        return []
    return _too_few_trials(spec) + _no_rung(spec)


def _too_few_trials(spec: StudySpec) -> list[str]:
    if spec.search.trials > 1:
        return []
    return ["search.trials: found 1, with search.early_stopping allowed: at least 2 (the first is never stopped)"]


def _no_rung(spec: StudySpec) -> list[str]:
    training = spec.training
    asked = sorted(set(training.steps.values()))

    def fits(evaluations: int) -> bool:
        return all(has_rung(steps, evaluations, training.warmup) for steps in asked)

    if not asked or training.evaluations > asked[0] or fits(training.evaluations):
        return []  # more scorings than steps are a problem of their own
    least = 1 + bisect.bisect_left(range(1, asked[0] + 1), True, key=fits)  # more scorings never take a rung away
    if least > asked[0]:
        why = f"of {asked[0]} steps none lies between the warm-up (training.warmup {training.warmup:g}) and the last"
        return [f"search.early_stopping: found true, allowed: false, because {why}"]
    return [
        f"training.evaluations: found {training.evaluations}, with search.early_stopping allowed: e.g. {least}, to "
        "score every phase after its warm-up and before its end"
    ]

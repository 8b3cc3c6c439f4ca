"""Which learning rate is tried next, and is the best one bracketed?

Trial number i depends on the seed, the phase, i and the results of the trials before it, and on nothing else: a
search that was cut off goes on exactly as it would have gone. Every arm spends the same number of trials:

1. about half of them spread over the window, one per stratum of its logarithm;
2. then a Tree-structured Parzen Estimator (Bergstra et al. 2011);
3. the last one is spent on the open side: when no worse trial lies on one side of the best, it goes past the best
   on that side, also outside the window. Otherwise it is one more of the second kind.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from study.records import Trial

RATE, NUMBER = "learning_rate", "number"
DIVERGED = -1.0
"""What a diverged trial is worth: finite, and below any score (points, 0 to 100)."""
PRUNED = -0.5
"""What a trial is worth that was stopped early: less than any that went to its end, more than one that diverged. Its
scores are of fewer steps and compare with nothing else; Optuna's own estimator ranks such trials so, too
(optuna 5, `_split_trials`: complete before pruned)."""
PROBE = 2.5
"""The last trial goes this factor past the best one: about the distance of two trials of a window of a decade."""

Point = tuple[float, float]
"""(learning rate, score)."""


class Sampler(optuna.samplers.BaseSampler):
    """Suggests the number of the next trial and its learning rate. Keeps no state between trials."""

    def __init__(self, window: tuple[float, float], trials: int, seed: int, name: str) -> None:
        self.window = window
        self.trials = trials
        self.seed = seed
        self.name = name

    @property
    def startup(self) -> int:
        return startup(self.trials)

    def space(self) -> dict[str, BaseDistribution]:
        """The declared space is wider than the window: the probe may leave it, by one factor on either side."""
        low, high = self.window
        return {
            NUMBER: IntDistribution(0, self.trials - 1),
            RATE: FloatDistribution(low / PROBE, high * PROBE, log=True),
        }

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self.space()

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        others = (other for other in study.get_trials(deepcopy=False) if other.number != trial.number)
        known = [other for other in others if NUMBER in other.params]
        number = self.next_number(other.params[NUMBER] for other in known)
        before = sorted(
            (other.params[NUMBER], other.params[RATE], other.value)
            for other in known
            if other.state == TrialState.COMPLETE and other.value is not None and other.params[NUMBER] < number
        )
        return {NUMBER: number, RATE: self.rate(number, [(rate, value) for _, rate, value in before])}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self.sample_relative(study, trial, self.space())[param_name]

    def next_number(self, taken: Iterable[int]) -> int:
        """The lowest number that no trial has."""
        return min(set(range(self.trials)) - set(taken))

    def rate(self, number: int, before: Sequence[Point]) -> float:
        """Learning rate of trial `number`, given the points of all trials before it, in order."""
        if number < self.startup:
            return self._spread(number)
        best = max(before, key=lambda point: (point[1], -point[0]))
        side = open_side(best, before, self.window) if number == self.trials - 1 else None
        if side is None:
            return self._parzen(number, before)
        low, high = self.window[0] / PROBE, self.window[1] * PROBE
        return min(max(best[0] * PROBE if side == "above" else best[0] / PROBE, low), high)

    def _spread(self, number: int) -> float:
        order = list(range(self.startup))
        random.Random(self._seed("strata")).shuffle(order)
        jitter = random.Random(self._seed(f"jitter-{number}")).random()
        return self._at((order[number] + jitter) / self.startup)

    def _at(self, share: float) -> float:
        """The learning rate at a share (0 to 1) of the window's logarithm."""
        low, high = map(math.log, self.window)
        return min(max(math.exp(low + share * (high - low)), self.window[0]), self.window[1])

    def _parzen(self, number: int, before: Sequence[Point]) -> float:
        distribution = FloatDistribution(*self.window, log=True)
        sampler = optuna.samplers.TPESampler(seed=self._seed(f"tpe-{number}"), n_startup_trials=1)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for rate, value in before:
            study.add_trial(
                optuna.trial.create_trial(params={RATE: rate}, distributions={RATE: distribution}, value=value)
            )
        return study.ask({RATE: distribution}).params[RATE]

    def _seed(self, purpose: str) -> int:
        text = f"{self.seed}/{self.name}/{purpose}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def startup(trials: int) -> int:
    """Of so many trials the first that do not look at results: they may run at the same time."""
    return max(1, min(trials - 1, max(3, trials // 2)))


def open_side(best: Point, points: Sequence[Point], window: tuple[float, float]) -> Literal["above", "below"] | None:
    """The side of the best learning rate without a worse trial; None when there is none: it is bracketed.

    With two open sides it is the roomier one; when everything diverged it is below.
    """
    if best[1] <= DIVERGED:
        return "below"
    below = any(rate < best[0] and score < best[1] for rate, score in points)
    above = any(rate > best[0] and score < best[1] for rate, score in points)
    if above and below:
        return None
    if above != below:
        return "below" if above else "above"
    return "above" if window[1] / best[0] >= best[0] / window[0] else "below"


def points(trials: Iterable[Trial]) -> list[Point]:
    """(learning rate, score) of trials, by number; below all scores lie trials that were pruned, and below those the
    diverged ones."""
    return [(trial.learning_rate, _value(trial)) for trial in sorted(trials, key=lambda trial: trial.number)]


def _value(trial: Trial) -> float:
    if trial.score is not None:
        return trial.score
    return PRUNED if trial.status == "pruned" else DIVERGED


def best(trials: Iterable[Trial]) -> Trial | None:
    """The winner: the highest dev score at the full budget, ties to the lower learning rate; None: all diverged (with
    one that did not, the first such trial went to its end: nothing before it could stop it)."""
    able = [trial for trial in trials if trial.status == "finished" and trial.score is not None]
    return max(able, key=lambda trial: (trial.score, -trial.learning_rate), default=None)


def verdict(trials: Sequence[Trial]) -> Literal["interior", "edge", "single"]:
    """Is the winner bracketed by worse (diverged, pruned) trials on both sides? A pruned one was worse after a part of
    the steps; one that was not worse than the winner there shows nothing of its side, and is left out."""
    winner = best(trials)
    if winner is None or winner.score is None or len(trials) < 2:
        return "single"
    found = points(trial for trial in trials if not (trial.status == "pruned" and _ahead(trial, winner)))
    low = min(rate for rate, _ in found)
    high = max(rate for rate, _ in found)
    return "edge" if open_side((winner.learning_rate, winner.score), found, (low, high)) else "interior"


def _ahead(pruned: Trial, winner: Trial) -> bool:
    """Whether a trial scored no less where it was stopped than the winner had scored there."""
    step, score = pruned.dev[-1]
    return score >= dict(winner.dev).get(step, math.inf)

"""What is true of a simulated study? Expected scores of every cell, and what every answer of a report should be.

A truth speaks of the study's own languages, whose effects were drawn; its `typical` speaks of languages like these.
Arrays are (sizes,), in points.

    truth.gain("siqa", "xcopa")                 # expected gain by size, in these languages
    truth.typical.pooled("siqa")                # over targets, for languages like these
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from study.simulation.planted import Planted
from study.spec import NONE


@dataclass(frozen=True)
class Effects:
    """Drawn language effects in points, around zero."""

    scores: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """{(target, language)}"""
    gains: Mapping[tuple[str, str, str], np.ndarray] = field(default_factory=dict)
    """{(arm, target, language): (sizes,)}"""


@dataclass(frozen=True)
class Truth:
    """Expectations over training seeds and test examples."""

    planted: Planted
    effects: Effects | None
    """None: of a typical language, whatever the language."""

    @property
    def typical(self) -> Truth:
        """The same of languages like these."""
        return Truth(self.planted, None)

    def level(self, arm: str, target: str, code: str) -> np.ndarray:
        """Expected score by size in one language."""
        return self._base(target, code) + self.language_gain(arm, target, code)

    def language_gain(self, arm: str, target: str, code: str) -> np.ndarray:
        """Expected gain by size in one language."""
        planted = self.planted
        made_of = planted.arms[arm]
        total = np.zeros(len(planted.sizes))
        if made_of is None:
            return total
        gain, text = made_of.gain, made_of.text
        total += gain.at(planted.tenfolds) + gain.targets.get(target, 0.0)
        if self.effects is not None:
            language = planted.languages[code]
            total += gain.per_distance * _beyond(planted, language.distance) + gain.unseen * (not language.seen)
            total += self.effects.gains.get((arm, target, code), 0.0)
        if text:
            total += text.everywhere + text.on_targets * (target in text.targets)
            total += text.in_languages * (code in text.languages)
        return total

    def _base(self, target: str, code: str) -> np.ndarray:
        planted = self.planted
        total = np.asarray(planted.targets[target].at(planted.tenfolds), dtype=float)
        if self.effects is not None:
            total = total + planted.per_distance * _beyond(planted, planted.languages[code].distance)
            total = total + self.effects.scores.get((target, code), 0.0)
        return total

    def score(self, arm: str, target: str, codes: Sequence[str] = ()) -> np.ndarray:
        """Mean over languages (default: the target's)."""
        return self._mean(target, codes, lambda code: self.level(arm, target, code))

    def gain(self, arm: str, target: str, codes: Sequence[str] = (), base: str = NONE) -> np.ndarray:
        """Mean over languages of the gain over arm `base`."""
        return self._mean(
            target, codes, lambda code: self.language_gain(arm, target, code) - self.language_gain(base, target, code)
        )

    def pooled(self, arm: str, targets: Sequence[str] = (), codes: Sequence[str] = (), base: str = NONE) -> np.ndarray:
        """Mean over targets (default: all) of the gain."""
        return np.mean([self.gain(arm, target, codes, base) for target in targets or self.planted.targets], axis=0)

    def slope(self, by_size: np.ndarray) -> float:
        """Least-squares slope per tenfold parameters of a (sizes,) array."""
        return float(by_size @ self.planted.tenfolds / (self.planted.tenfolds @ self.planted.tenfolds))

    def transfer_gap(self, arm: str, target: str) -> np.ndarray:
        """English minus the mean of the other languages."""
        others = [code for code in self.planted.targets[target].languages if code != "en"]
        return self.level(arm, target, "en") - self.score(arm, target, others)

    def retention(self, arm: str) -> np.ndarray:
        """Per cent that is left after the target phase."""
        made_of = self.planted.arms[arm]
        assert made_of is not None, "arm none has nothing to retain"
        return np.asarray(made_of.retention.at(self.planted.tenfolds), dtype=float)

    def equivalent(self, none: np.ndarray, gain: np.ndarray) -> np.ndarray:
        """Factor on parameters that buys each (sizes,) gain on the (sizes,) curve of `none`, by straight lines between
        its sizes; infinite or zero beyond its ends. The curve must rise."""
        logs = np.log10(list(self.planted.sizes.values()))
        wanted = none + gain
        factors = 10.0 ** (np.interp(wanted, none, logs) - logs)
        return np.where(wanted > none[-1], np.inf, np.where(wanted < none[0], 0.0, factors))

    def _mean(self, target: str, codes: Sequence[str], of: Callable[[str], np.ndarray]) -> np.ndarray:
        return np.mean([of(code) for code in codes or self.planted.targets[target].languages], axis=0)


def draw_effects(planted: Planted, rng: np.random.Generator) -> Effects:
    """Language effects; every language has a part that its targets share, and one of its own on each."""
    noise, codes = planted.noise, list(planted.languages)
    share, own = noise.common**0.5, (1 - noise.common) ** 0.5
    sizes = len(planted.sizes)
    scores: dict[tuple[str, str], float] = {}
    gains: dict[tuple[str, str, str], np.ndarray] = {}
    shared = dict(zip(codes, rng.standard_normal(len(codes)), strict=True))
    for target, one in planted.targets.items():
        for code in one.languages:
            scores[(target, code)] = noise.languages * (share * shared[code] + own * float(rng.standard_normal()))
    for arm in planted.treated:
        at_all, by_size = rng.standard_normal(len(codes)), rng.standard_normal((len(codes), sizes))
        for target, one in planted.targets.items():
            for code in one.languages:
                row = codes.index(code)
                level = share * at_all[row] + own * rng.standard_normal()
                bend = share * by_size[row] + own * rng.standard_normal(sizes)
                gains[(arm, target, code)] = noise.language_gains * level + noise.language_sizes * bend
    return Effects(scores, gains)


def _beyond(planted: Planted, distance: float | None) -> float:
    """Distance of a language beyond the typical one; 0 where it is not known."""
    return 0.0 if distance is None else distance - planted.typical_distance

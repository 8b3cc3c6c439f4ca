"""What is planted into a simulated study? Its design and every effect and noise, in points of score.

    Planted(
        sizes={"s": 10**8, "m": 10**9, "l": 10**10},
        languages={"en": {"distance": 0}, "de": {"distance": 0.3}, "ja": {"distance": 0.9}},
        targets={"xcopa": {"languages": ["en", "de", "ja"], "level": 60, "slope": 8}},
        arms={"none": None, "siqa": {"tasks": ["siqa"], "gain": {"level": 4, "slope": 1.5}}},
    )

"By size" always means a level at the middle of the ladder (the geometric mean of its parameters) and a slope per
tenfold parameters. Levels are expected scores over training seeds and test examples, so they are exact.
"""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from study.spec import NONE, Block, Positive, Seed, Slug

Spread = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Parameters = Annotated[int, Field(gt=0, le=10**14)]

LOWEST, HIGHEST = 2.0, 98.0
"""Points between which a planted score must lie: nearer to 0 or 100 noise would be cut off and move the mean."""


class Line(Block):
    """A number by size."""

    level: float = 0.0
    """At the middle of the ladder."""
    slope: float = 0.0
    """Change per tenfold parameters."""

    def at(self, tenfolds: float | np.ndarray) -> float | np.ndarray:
        """The value so many powers of ten above the middle of the ladder."""
        return self.level + self.slope * tenfolds


class PlantedLanguage(Block):
    """A test language."""

    distance: float | None = Field(default=None, ge=0)
    """From English, 0 to 1; null: not known."""
    family: str = ""
    script: str = ""
    seen: bool = True
    """Whether it was in the pretraining text."""


class PlantedTarget(Line):
    """A target task. `level` and `slope` are those of arm `none` in a typical language."""

    level: float = 62.0
    slope: float = 6.0
    ceiling: float | None = None
    """Given: scores rise towards it, level at the middle of the ladder, as ceiling - rest * parameters ** -rate."""
    rate: float = Field(default=0.3, gt=0)
    """Of the rise towards the ceiling."""
    languages: tuple[str, ...] = Field(min_length=1)
    examples: Positive = 500
    """Test examples per language."""
    parallel: bool = False
    """true: example n is the same in every language, and about as hard."""
    direct: bool = False
    """true: scored as the intermediate phase left the model, without a target phase (retrieval)."""
    blind: float = 50.0
    """Points of a predictor that does not look."""

    def at(self, tenfolds: float | np.ndarray) -> float | np.ndarray:
        if self.ceiling is None:
            return super().at(tenfolds)
        return self.ceiling - (self.ceiling - self.level) * 10.0 ** (-self.rate * np.asarray(tenfolds))


class Gain(Line):
    """Points that an arm adds to `none`, in a typical language."""

    targets: dict[str, float] = {}
    """Further points on single targets."""
    per_distance: float = 0.0
    """Further points per unit of distance from English beyond that of a typical language."""
    unseen: float = 0.0
    """Further points in languages that were not in the pretraining text."""


class PlantedText(Block):
    """What running text mixed into an arm does beyond the arm's gain."""

    targets: tuple[str, ...] = ()
    """Targets in whose domain the text is."""
    languages: tuple[str, ...] = ()
    """Languages in which the text is."""
    everywhere: float = 0.0
    """Points on all targets in all languages."""
    on_targets: float = 0.0
    """Further points on those targets."""
    in_languages: float = 0.0
    """Further points in those languages."""


class PlantedArm(Block):
    """An intermediate phase and what it does."""

    tasks: tuple[str, ...] = Field(min_length=1)
    gain: Gain = Gain()
    learned: float = 80.0
    """Points on the English development set of its own tasks before the target phase."""
    retention: Line = Line(level=95.0)
    """Per cent of that which is left after the target phase, by size."""
    text: PlantedText | None = None


class Noise(Block):
    """Standard deviations in points, unless said otherwise."""

    seed: Spread = 1.0
    """Of a target phase: another training seed gives another score."""
    seed_growth: float = Field(default=1.0, gt=0)
    """Factor on `seed` per tenfold parameters; 1: the same at every size."""
    checkpoint: Spread = 0.5
    """Of an intermediate phase: all targets of its (size, arm, seed) share it."""
    wobble: Spread = 0.5
    """Of a training seed in single languages."""
    languages: Spread = 5.0
    """Between the scores of languages."""
    language_gains: Spread = 1.0
    """Between the gains of languages."""
    language_sizes: Spread = 0.3
    """Between languages, of the gain at single sizes."""
    common: Share = 0.5
    """Share of a language's variance that all targets share."""
    difficulty: Share = 0.6
    """Share of an example's luck that is its own: all checkpoints find the same examples hard."""
    meaning: Share = 0.5
    """Share of that which an example of a parallel test set has in every language."""
    retention: Spread = 1.0
    """Of the retention of a target phase, in per cent."""


class Costs(Block):
    """What phases cost, by parameters."""

    tokens: Positive = 2_000_000
    """Trained on in one trial."""
    trials: Positive = 4
    """Of a search; the first seed searches."""
    transfer: bool = False
    """true: sizes above the smallest search with half the trials (`search.transfer`)."""
    flops_per_second: float = Field(default=1e14, gt=0)


class Planted(Block):
    """A simulated study."""

    name: Slug = "simulated"
    sizes: dict[str, Parameters] = Field(min_length=1)
    """Parameters by size, from small to large."""
    languages: dict[str, PlantedLanguage] = Field(min_length=1)
    typical_distance: float = Field(default=0.5, ge=0)
    """Distance from English of a typical language: levels and gains are those of such a one."""
    per_distance: float = 0.0
    """Points of score per unit of distance from English beyond that of a typical language."""
    targets: dict[str, PlantedTarget] = Field(min_length=1)
    arms: dict[Slug, PlantedArm | None]
    seeds: tuple[Seed, ...] = Field(default=(0, 1, 2), min_length=1)
    noise: Noise = Noise()
    dev_examples: Positive = 1000
    """Of the English development set of an intermediate task."""
    costs: Costs = Costs()
    resamples: Positive = 1000
    """Bootstrap resamples of its report."""

    @property
    def tenfolds(self) -> np.ndarray:
        """(sizes,) powers of ten of the parameters above the middle of the ladder."""
        logs = np.log10(list(self.sizes.values()))
        return logs - logs.mean()

    @property
    def treated(self) -> tuple[str, ...]:
        return tuple(arm for arm in self.arms if arm != NONE)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if NONE not in self.arms or self.arms[NONE] is not None:
            raise ValueError("arms with `none: null`, every gain is measured against it")
        if empty := [arm for arm in self.treated if self.arms[arm] is None]:
            raise ValueError(f"arms other than none with tasks (not so: {', '.join(empty)})")
        if list(self.sizes.values()) != sorted(set(self.sizes.values())):
            raise ValueError("sizes from small to large, no two of the same parameters")
        for name, made_of in self.arms.items():
            gain, text = (made_of.gain.targets, made_of.text) if made_of else ({}, None)
            for other in sorted({*gain, *(text.targets if text else ())} - set(self.targets)):
                known = ", ".join(self.targets)
                raise ValueError(f"arms.{name} with gains on targets of the study ({known}; not {other})")
        for name, target in self.targets.items():
            if unknown := [code for code in target.languages if code not in self.languages]:
                raise ValueError(f"targets.{name}.languages among `languages` (not there: {', '.join(unknown)})")
            for arm in self.arms.values():
                self._check_levels(name, target, arm)
        return self

    def _check_levels(self, name: str, target: PlantedTarget, arm: PlantedArm | None) -> None:
        levels = np.asarray(target.at(self.tenfolds))
        if arm:
            levels = levels + arm.gain.at(self.tenfolds) + arm.gain.targets.get(name, 0.0)
        if levels.min() < LOWEST or levels.max() > HIGHEST:
            raise ValueError(
                f"targets.{name} with scores from {LOWEST:g} to {HIGHEST:g} "
                f"(planted, gains included: {levels.min():.1f} to {levels.max():.1f})"
            )

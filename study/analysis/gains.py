"""What does an arm add? score(arm) - score(none) at the same size, target and seed, paired by test example.

gain(resampled, design, "siqa", "copa").at("m")        # Estimate(point=10.8, low=6.1, high=15.3, ...)
pooled_gain(resampled, design, "siqa").mean()          # over targets (degenerate ones left out), then over sizes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from study.analysis.frame import NONE, Design
from study.analysis.leaves import Leaves
from study.analysis.resample import Resampled
from study.analysis.series import POINTS, Entry, Series, mean_entry, series

Place = tuple[str, int]
"""(size, seed)"""

Spot = TypeVar("Spot")

POOLED = "all targets"


@dataclass(frozen=True)
class Pool:
    """A pooled series, the targets in it, and the (size, seed) left out because some target is not there yet."""

    gain: Series
    targets: tuple[str, ...]
    left_out: tuple[Place, ...]


def scores_by_language(resampled: Resampled, arm: str, target: str, place: Place) -> Leaves:
    """Scores of one cell by language, in points; empty when it is not scored."""
    return resampled.leaves(place[0], arm, target, place[1])


def gains_by_language(resampled: Resampled, arm: str, target: str, place: Place, base: str = NONE) -> Leaves:
    """Gains of one cell over arm `base` by language; languages that both were scored in."""
    ours, theirs = (scores_by_language(resampled, one, target, place) for one in (arm, base))
    return ours.minus(theirs)


def alike(leaves: dict[Spot, Leaves]) -> dict[Spot, Leaves]:
    """Only the languages that all places have: a mean must not change because its parts do."""
    there = [set(found) for found in leaves.values() if found]
    shared = set.intersection(*there) if there else set()
    return {place: found.only(shared) for place, found in leaves.items()}


def score_series(resampled: Resampled, design: Design, arm: str, target: str) -> Series | None:
    """Task score (mean over languages) by size."""
    found = alike({place: scores_by_language(resampled, arm, target, place) for place in design.places})
    entries = {place: mean_entry({target: leaves}) for place, leaves in found.items() if leaves}
    found_series = series(arm, target, entries, design.sizes, design.parameters)
    return found_series.bounded(*POINTS) if found_series else None


def gain(resampled: Resampled, design: Design, arm: str, target: str) -> Series | None:
    """Gain of an arm on one target by size, over all languages of the pair."""
    entries = gain_entries(resampled, design, arm, target)
    return series(arm, target, entries, design.sizes, design.parameters)


def gain_entries(resampled: Resampled, design: Design, arm: str, target: str, base: str = NONE) -> dict[Place, Entry]:
    """{(size, seed): gain over arm `base`} where both sides of the pair are there."""
    found = alike({place: gains_by_language(resampled, arm, target, place, base) for place in design.places})
    return {place: mean_entry({target: leaves}) for place, leaves in found.items() if leaves}


def pooled_gain(
    resampled: Resampled, design: Design, arm: str, base: str = NONE, targets: Sequence[str] | None = None
) -> Pool | None:
    """Unweighted mean of the gains over `targets` (default: all that may be pooled for the arm).

    Only (size, seed) that have all of the targets found anywhere.
    """
    wanted = design.poolable(arm) if targets is None else targets
    return pool(
        {
            target: {place: gains_by_language(resampled, arm, target, place, base) for place in design.places}
            for target in wanted
        },
        design,
        arm,
    )


def pooled_score(resampled: Resampled, design: Design, arm: str, targets: Sequence[str]) -> Pool | None:
    """Unweighted mean of the scores over `targets`, by the same rule."""
    leaves = {
        target: {place: scores_by_language(resampled, arm, target, place) for place in design.places}
        for target in targets
    }
    found = pool(leaves, design, arm)
    return replace(found, gain=found.gain.bounded(*POINTS)) if found else None


def pool(leaves: dict[str, dict[Place, Leaves]], design: Design, arm: str) -> Pool | None:
    """Mean over the targets of {target: {(size, seed): {language: (value, draws)}}}; None when there is nothing."""
    leaves = {target: alike(by_place) for target, by_place in leaves.items()}
    targets = tuple(target for target, by_place in leaves.items() if any(by_place.values()))
    found = [place for place in design.places if any(leaves[target][place] for target in targets)]
    whole = [place for place in found if all(leaves[target][place] for target in targets)]
    entries = {place: mean_entry({target: leaves[target][place] for target in targets}) for place in whole}
    result = series(arm, POOLED, entries, design.sizes, design.parameters)
    return Pool(result, targets, tuple(place for place in found if place not in whole)) if result else None

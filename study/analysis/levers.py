"""Question 2: size or intermediate training, which lever buys more?

    found = levers(basis)["siqa"]["xcopa"]
    found.equivalents[0]                     # Equivalent(size="s", point=2.1, low=1.3, high=inf)
    found.against_doubling                   # the arm's gain minus what twice the parameters buy: an Estimate

The equivalent size is the factor k with score(none, k x size) = score(arm, size), read off the straight lines between
the `none` scores over log(parameters), made non-decreasing first: infinite means "beyond the largest size of this
ladder", zero "below the smallest"; nothing is extrapolated. The scores of `none` and of the arm are drawn together,
so what they share (test examples) is shared in every draw.

What a doubling buys is the least-squares slope of the `none` scores over log2(parameters).

At a size that both arms have, only seeds that both have count: so an arm adds here what it adds in its gain, which is
paired, though cells are missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10

import numpy as np

from study.analysis.basis import Basis
from study.analysis.frame import NONE, Design
from study.analysis.gains import POOLED, alike, scores_by_language
from study.analysis.multiple import Family, Key, correct
from study.analysis.noise import Estimate, Noise, percentiles
from study.analysis.resample import Resampled
from study.analysis.scaling import slope_weights
from study.analysis.series import Entry, Series, mean_entry, noise

DRAWS = 1000
Spot = tuple[str, str]
"""(arm, size)"""


@dataclass(frozen=True)
class Equivalent:
    """Factor on parameters that buys what the arm buys. Infinite or zero where the ladder ends."""

    size: str
    point: float
    low: float
    high: float


@dataclass(frozen=True)
class Lever:
    """Both levers on one target, or on the mean of an arm's targets."""

    arm: str
    target: str
    targets: tuple[str, ...]
    equivalents: tuple[Equivalent, ...]
    """One per size that both arms have."""
    gain: Estimate
    """Of the arm over the sizes, paired by seed as everywhere else."""
    doubling: Estimate
    """Points for twice the parameters, without the arm."""
    against_doubling: Estimate
    """Score of the arm minus score of `none`, over the sizes that both have, minus `doubling`: `gain` - `doubling`."""
    against_next: Estimate | None
    """Score of the arm minus score of `none` at the next larger size, over all sizes with a next one."""


@dataclass(frozen=True)
class Levers:
    """{arm: {target or POOLED: Lever}}, degenerate pairs left out; the families hold the pooled ones, by (arm,)."""

    by_arm: dict[str, dict[str, Lever]]
    doubling: Family
    next_size: Family

    @property
    def pooled(self) -> dict[str, Lever]:
        return {arm: found[POOLED] for arm, found in self.by_arm.items() if POOLED in found}


@dataclass(frozen=True)
class Curves:
    """Scores of `none` and of an arm with their joint noise. `points` is (places,), none's sizes first."""

    none: tuple[str, ...]
    arm: tuple[str, ...]
    parameters: Mapping[str, int]
    points: np.ndarray
    noise: Noise

    @property
    def both(self) -> list[tuple[int, int]]:
        """(place of none, place of the arm) by size."""
        return [(self.none.index(size), len(self.none) + row) for row, size in enumerate(self.arm) if size in self.none]

    @property
    def ladder(self) -> np.ndarray:
        """log10(parameters) of none's sizes."""
        return np.log10([self.parameters[size] for size in self.none])


def levers(basis: Basis) -> Levers:
    """For every arm: each of its targets, and all of them together."""
    found: dict[str, dict[str, Lever]] = {}
    for arm in basis.design.treated:
        pool = basis.pools.get(arm)
        wanted: dict[str, tuple[tuple[str, ...], Series]] = {
            target: ((target,), gain)
            for target, gain in basis.gains[arm].items()
            if (arm, target) not in basis.design.degenerate
        }
        if pool:
            wanted[POOLED] = (pool.targets, pool.gain)
        made = [lever(basis.resampled, basis.design, targets, gain) for targets, gain in wanted.values()]
        found[arm] = {one.target: one for one in made if one is not None}
    pooled: dict[Key, Lever] = {(arm,): ones[POOLED] for arm, ones in found.items() if POOLED in ones}
    steps = {key: one.against_next for key, one in pooled.items() if one.against_next}
    return Levers(
        found,
        correct("arms against one doubling of size", {key: one.against_doubling for key, one in pooled.items()}),
        correct("arms against the next size", steps),
    )


def lever(resampled: Resampled, design: Design, targets: Sequence[str], of_arm: Series) -> Lever | None:
    """From the arm's gain on the (mean of the) targets. None without two different sizes of `none`."""
    arm = of_arm.arm
    of = curves(paired(mean_scores(resampled, design, (NONE, arm), targets), arm), design, arm)
    if of is None or len(set(of.ladder)) < 2 or not of.both:
        return None
    unit = np.eye(len(of.points))
    extra = np.mean([unit[ours] - unit[home] for home, ours in of.both], axis=0)
    doubling = np.zeros(len(of.points))
    doubling[: len(of.none)] = slope_weights(of.ladder) * log10(2)
    steps = [unit[ours] - unit[home + 1] for home, ours in of.both if home + 1 < len(of.none)]
    return Lever(
        arm,
        of_arm.target,
        tuple(targets),
        tuple(equivalents(of, f"{arm}/{of_arm.target}")),
        of_arm.mean(),
        of.noise.estimate(of.points, doubling),
        of.noise.estimate(of.points, extra - doubling),
        of.noise.estimate(of.points, np.mean(steps, axis=0)) if steps else None,
    )


def mean_scores(
    resampled: Resampled, design: Design, arms: Sequence[str], targets: Sequence[str]
) -> dict[tuple[Spot, int], Entry]:
    """{((arm, size), seed): mean score over the targets} where all of them are there, in the same languages."""
    places = [((arm, size), seed) for arm in arms for size, seed in design.places]
    found = {
        target: alike(
            {place: scores_by_language(resampled, place[0][0], target, (place[0][1], place[1])) for place in places}
        )
        for target in targets
    }
    leaves = {place: {target: found[target][place] for target in targets} for place in places}
    return {place: mean_entry(here) for place, here in leaves.items() if all(here.values())}


def paired(entries: Mapping[tuple[Spot, int], Entry], arm: str) -> dict[tuple[Spot, int], Entry]:
    """Without the cells of sizes that `none` and the arm share but whose seed only one of them has."""
    seeds: dict[Spot, set[int]] = {}
    for spot, seed in entries:
        seeds.setdefault(spot, set()).add(seed)
    both = {size: seeds[NONE, size] & seeds.get((arm, size), set()) for one, size in seeds if one == NONE}
    kept = {size: found for size, found in both.items() if found}
    return {
        ((one, size), seed): entry
        for ((one, size), seed), entry in entries.items()
        if (seed in kept[size] if size in kept else one == NONE)
    }


def curves(entries: Mapping[tuple[Spot, int], Entry], design: Design, arm: str) -> Curves | None:
    """Of {((arm, size), seed): score}; None unless both arms are in it."""
    none, ours = (
        tuple(size for size in design.sizes if any(spot == (one, size) for spot, _ in entries)) for one in (NONE, arm)
    )
    if not none or not ours:
        return None
    spots = [*((NONE, size) for size in none), *((arm, size) for size in ours)]
    points = [np.mean([entry.point for (spot, _), entry in entries.items() if spot == wanted]) for wanted in spots]
    return Curves(none, ours, design.parameters, np.array(points), noise(entries, spots)[0])


def equivalents(of: Curves, label: str) -> list[Equivalent]:
    """One factor per size that both arms have, with the interval of joint draws."""
    drawn = np.column_stack([of.points, of.noise.draws(of.points, DRAWS, label)])
    rising = np.maximum.accumulate(drawn[: len(of.none)], axis=0)
    results = []
    for home, ours in of.both:
        wanted = rising[home] + drawn[ours] - drawn[home]  # the gain counts from the risen curve, else none is a loss
        factors = equivalent(of.ladder, rising, wanted, home)
        found = percentiles(factors[0], factors[1:])
        results.append(Equivalent(of.none[home], found.point, found.low, found.high))
    return results


def equivalent(ladder: np.ndarray, rising: np.ndarray, wanted: np.ndarray, home: int) -> np.ndarray:
    """(draws,) 10 ** (log10 size at which a rising curve first reaches `wanted`, minus that of size `home`).

    `rising` is (sizes, draws) and does not fall, `wanted` (draws,), `ladder` the (sizes,) log10(parameters).
    """
    above = np.clip((rising < wanted).sum(axis=0), 1, len(ladder) - 1)
    column = np.arange(len(wanted))
    low, high = rising[above - 1, column], rising[above, column]
    share = np.divide(wanted - low, high - low, out=np.zeros_like(wanted), where=high > low)
    where = ladder[above - 1] + np.clip(share, 0, 1) * (ladder[above] - ladder[above - 1])
    # A flat curve has the score of its home at other sizes too; nothing gained is worth no other size.
    factor = np.where(wanted == rising[home], 1.0, 10 ** (where - ladder[home]))
    return np.where(wanted > rising[-1], np.inf, np.where(wanted < rising[0], 0.0, factor))

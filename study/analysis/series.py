"""How does one quantity look over the sizes of a ladder, and how sure is it? Estimates from seeds and examples.

A series is any linear quantity of a study (a score, a gain, a slope over languages) with one value per (size, seed).
What makes it uncertain, each counted once (`noise.Component`):

  test examples   the covariance of the bootstrap draws of `resample` that all seeds share; what an example does to
                  single seeds is part of their spread
  training seeds  the spread of the seeds around their size's mean over the number of seeds, with Student's t. With
                  fewer than five seeds the spread is pooled over the sizes, so that two seeds still tell something
  languages       only in `over_languages()`: the number then speaks of languages like these, not of these. The
                  delete-one-language jackknife takes the place of the examples of single languages

With one seed the seed noise is unknown; `seed_noise` is then False and the interval speaks of test examples only.

    gain.linear([-1, 0, 1])                       # largest minus smallest of three sizes: an Estimate
    gain.over_languages().mean()                  # for languages like these
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from study.analysis.leaves import Leaves
from study.analysis.noise import Component, Estimate, Noise

Where = TypeVar("Where")

ENOUGH_SEEDS = 5
"""Seeds at every size from which each size has its own spread."""
FEWEST_LANGUAGES = 3
POINTS = (0.0, 100.0)
"""Between which every score lies."""


@dataclass(frozen=True)
class Entry:
    """One quantity at one place and seed: its value, (draws,) on resampled examples, and what each language adds."""

    point: float
    draws: np.ndarray
    codes: tuple[str, ...] = ()
    """Languages; empty where the quantity does not come apart into them."""
    weights: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """(languages,) shares in the value."""
    parts: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """(languages, draws) weighted contributions; over the languages they sum to `draws`."""
    without: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """(languages,) the value without each language."""


Entries = Mapping[tuple[str, int], Entry]
"""{(size, seed): entry}"""


@dataclass(frozen=True)
class Series:
    """One quantity by size. `values` is (sizes, seeds) with NaN where absent, `points` (sizes,) the means of seeds."""

    arm: str
    target: str
    sizes: tuple[str, ...]
    parameters: tuple[int, ...]
    seeds: tuple[int, ...]
    values: np.ndarray
    points: np.ndarray
    noise: Noise
    across: Noise | None
    """The noise when languages count as a sample of languages; None with fewer than three."""
    seed_noise: bool
    bounds: tuple[float, float] | None = None
    """Between which the quantity must lie, so that no interval of it says more; None: anywhere, as a difference may."""

    def linear(self, weights: Sequence[float] | np.ndarray) -> Estimate:
        """The weighted sum over the sizes."""
        return self.noise.estimate(self.points, weights)

    def at(self, size: str) -> Estimate | None:
        """The estimate at one size; None when that size has no value."""
        return self._bounded(np.eye(len(self.sizes))[self.sizes.index(size)]) if size in self.sizes else None

    def mean(self) -> Estimate:
        """The unweighted mean over the sizes present."""
        return self._bounded(np.full(len(self.sizes), 1 / len(self.sizes)))

    def _bounded(self, weights: np.ndarray) -> Estimate:
        """A weighted mean over the sizes: it has the bounds of the quantity, which a contrast has not."""
        found = self.linear(weights)
        return found.within(*self.bounds) if self.bounds else found

    def bounded(self, lowest: float, highest: float) -> Series:
        """The same quantity, known to lie between two numbers."""
        return replace(self, bounds=(lowest, highest))

    def draws(self, count: int) -> np.ndarray:
        """(sizes, count) joint draws, for what is no weighted sum."""
        return self.noise.draws(self.points, count, f"{self.arm}/{self.target}")

    def over_languages(self) -> Series | None:
        """The same numbers as statements about languages like these; None with fewer than three languages."""
        return replace(self, noise=self.across) if self.across else None

    def seeds_at(self, size: str) -> int:
        return int(np.isfinite(self.values[self.sizes.index(size)]).sum())


def mean_entry(leaves: Mapping[str, Leaves]) -> Entry:
    """The unweighted mean over targets of the unweighted mean over languages of {target: languages}.

    Without a language, each target is the mean of its other languages; a target with no other keeps its value.
    """
    codes = tuple(sorted({code for found in leaves.values() for code in found.codes}))
    if len(codes) == 1:
        value = float(np.mean([found.points[0] for found in leaves.values()]))
        drawn = np.concatenate([found.draws for found in leaves.values()]).mean(axis=0, keepdims=True)
        return Entry(value, drawn[0], codes, np.ones(1), drawn, np.array([value]))
    place = {code: index for index, code in enumerate(codes)}
    count = next(iter(leaves.values())).draws.shape[1]
    weights, changes, parts = np.zeros(len(codes)), np.zeros(len(codes)), np.zeros((len(codes), count))
    whole = 0.0
    for found in leaves.values():
        rows = slice(None) if found.codes == codes else [place[code] for code in found.codes]
        mean, share = float(found.points.mean()), 1 / (len(leaves) * len(found))
        weights[rows] += share
        parts[rows] += share * found.draws
        whole += mean / len(leaves)
        if len(found) > 1:
            changes[rows] += share * (mean - found.points) * len(found) / (len(found) - 1)
    return Entry(whole, parts.sum(axis=0), codes, weights, parts, whole + changes)


def series(
    arm: str, target: str, entries: Entries, sizes: Sequence[str], parameters: Mapping[str, int]
) -> Series | None:
    """Build a series; None when there is nothing."""
    present = tuple(size for size in sizes if any(key[0] == size for key in entries))
    if not present:
        return None
    seeds = tuple(sorted({key[1] for key in entries}))
    values = np.full((len(present), len(seeds)), np.nan)
    for (size, seed), entry in entries.items():
        if size in present:
            values[present.index(size), seeds.index(seed)] = entry.point
    fixed, across, known = noise(entries, present)
    return Series(
        arm=arm,
        target=target,
        sizes=present,
        parameters=tuple(parameters[size] for size in present),
        seeds=seeds,
        values=values,
        points=np.nanmean(values, axis=1),
        noise=fixed,
        across=across,
        seed_noise=known,
    )


def noise(entries: Mapping[tuple[Where, int], Entry], places: Sequence[Where]) -> tuple[Noise, Noise | None, bool]:
    """(noise for these languages, noise for languages like these, whether seeds repeat) of {(place, seed): entry}.

    Places are sizes, or (arm, size) where curves of two arms are needed together. The order of `places` is that of
    the matrices.
    """
    keys = [key for place in places for key in sorted(key for key in entries if key[0] == place)]
    rows = [[index for index, key in enumerate(keys) if key[0] == place] for place in places]
    chosen = [entries[key] for key in keys]
    totals = _covariance([entry.draws for entry in chosen])
    seeds = _seeds([[chosen[index].point for index in row] for row in rows], [_one(chosen, row) for row in rows])
    fixed = Noise((Component(_shared(totals, rows)), *seeds))
    codes = sorted({code for entry in chosen for code in entry.codes})
    if len(codes) < FEWEST_LANGUAGES:
        return fixed, None, bool(seeds)
    spread, overlap = _languages(chosen, rows, codes)
    common = _common(totals, chosen, codes)
    across = Noise((Component(_shared(common, rows) - overlap), *seeds, Component(spread, len(codes) - 1)))
    return fixed, across, bool(seeds)


def _common(totals: np.ndarray, entries: Sequence[Entry], codes: Sequence[str]) -> np.ndarray:
    """(entries, entries): noise of examples that different languages share (parallel test sets).

    The rest of the examples' noise is in the languages' own spread.
    """
    parts = np.zeros((len(entries), len(codes), len(entries[0].draws)))
    shares = np.zeros((len(entries), len(codes)))
    for row, entry in enumerate(entries):
        columns = [codes.index(code) for code in entry.codes]
        parts[row, columns] = entry.parts
        shares[row, columns] = entry.weights
    parts -= parts.mean(axis=2, keepdims=True)
    flat = parts.reshape(len(entries), -1)
    common = totals - flat @ flat.T / max(parts.shape[2] - 1, 1)
    scale = 1 - shares @ shares.T
    return np.divide(common, scale, out=np.zeros_like(common), where=scale > 0)


def _covariance(draws: Sequence[np.ndarray]) -> np.ndarray:
    centred = np.stack(draws) - np.mean(draws, axis=1, keepdims=True)
    return centred @ centred.T / max(centred.shape[1] - 1, 1)


def _shared(covariance: np.ndarray, rows: Sequence[Sequence[int]]) -> np.ndarray:
    """(places, places): what different seeds have in common. A place with one seed: all of it, less what is its own."""
    member = np.zeros((len(rows), len(covariance)))
    for place, row in enumerate(rows):
        member[place, row] = 1.0
    counts, own = member.sum(axis=1), member @ np.diag(covariance)
    matrix = member @ covariance @ member.T
    many = counts > 1
    pairs = np.maximum((np.diag(matrix) - own)[many] / (counts * (counts - 1))[many], 0.0)
    apart = np.maximum(own[many] / counts[many] - pairs, 0.0)
    common = np.maximum(own - (apart.mean() if many.any() else 0.0), 0.0)
    common[many] = pairs
    matrix /= np.outer(counts, counts)
    np.fill_diagonal(matrix, common)
    return matrix


def _one(entries: Sequence[Entry], row: Sequence[int]) -> bool:
    """Whether the entries of a place are one and the same, as those of the backbone are for every seed."""
    first = entries[row[0]]
    return len(row) > 1 and bool(first.draws.std() > 0) and all(_same(first, entries[index]) for index in row)


def _same(one: Entry, other: Entry) -> bool:
    return one.point == other.point and np.array_equal(one.draws, other.draws)


def _seeds(values: Sequence[Sequence[float]], same: Sequence[bool]) -> tuple[Component, ...]:
    """Noise of the means over seeds; nothing where no place has two. `same`: places without a seed of their own."""
    own = [place for place, one in enumerate(same) if not one]
    counts = np.array([len(values[place]) for place in own])
    squares = np.array([float(np.var(values[place])) * len(values[place]) for place in own])
    unit = np.eye(len(values))[own]
    if own and (counts >= ENOUGH_SEEDS).all():
        spread = squares / (counts - 1) / counts
        return tuple(Component(np.diag(unit[i] * spread[i]), int(counts[i]) - 1) for i in range(len(own)))
    freedom = int((counts - 1).sum())
    return (Component(np.diag(squares.sum() / freedom / counts @ unit), freedom),) if freedom else ()


def _languages(
    entries: Sequence[Entry], rows: Sequence[Sequence[int]], codes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """((places, places) jackknife covariance over languages, the part of it that the seeds' spread counts too)."""
    without = np.array([[entry.point] * len(codes) for entry in entries])
    for index, entry in enumerate(entries):
        without[index, [codes.index(code) for code in entry.codes]] = entry.without
    deviations = without - without.mean(axis=1, keepdims=True)
    factor = (len(codes) - 1) / len(codes)
    means = np.stack([deviations[row].mean(axis=0) for row in rows])
    spread = factor * means @ means.T
    twice = []
    for place, row in enumerate(rows):
        if len(row) > 1:
            single = factor * float((deviations[row] ** 2).sum(axis=1).mean())
            twice.append(max((single - spread[place, place]) / (len(row) - 1), 0.0))
    return spread, np.eye(len(rows)) * (float(np.mean(twice)) if twice else 0.0)

"""How sure is a score, given that other test examples might have been drawn? A paired bootstrap over example ids.

Every score is 200 * sum(hits) / (sum(predicted) + sum(possible)). Examples are drawn with replacement; all cells of
one (target, language) see the same draw, so every difference between them is paired. Two languages with the same ids
(parallel test sets: the same meanings) also see the same draw, so a mean over languages is not made to look surer
than it is. Draws depend on the seed and the ids only, not on the order in which cells come.

Examples about one text (the questions of a paragraph) are drawn together: they are right or wrong together more often
than chance would have it, and an interval from single ones is too short. Which examples those are is known from the
predictions (`Judged.groups`); without it every example stands alone.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from study.analysis.leaves import NOTHING, Leaf, Leaves

Cell = tuple[str, str, str, int, str]
"""(size, arm, target, seed, language)"""

FEWEST_GROUPS = 10
"""With fewer texts their spread is hardly known; their examples then count one by one, and a note says so."""
BLOCK = 4_000_000
"""Weights held at a time (draws x examples)."""


@dataclass(frozen=True)
class Judged:
    """The judged predictions of one cell; arrays of one length."""

    ids: np.ndarray
    hits: np.ndarray
    predicted: np.ndarray
    possible: np.ndarray
    groups: np.ndarray | None = None
    """(examples,) numbers, one for all examples about the same text; None where the predictions do not tell."""


@dataclass(frozen=True)
class Resampled:
    """Scores in points by cell: on the shared examples, and on each of the bootstrap draws."""

    count: int
    points: dict[Cell, float] = field(default_factory=dict)
    draws: dict[Cell, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What had to be left out or passed over, one sentence each."""
    grouped: frozenset[str] = frozenset()
    """Targets whose predictions tell which examples are about the same text."""

    def leaves(self, size: str, arm: str, target: str, seed: int) -> Leaves:
        """The scores of this (size, arm, target, seed) by language; empty where it is not scored."""
        return self.blocks.get((size, arm, target, seed), NOTHING)

    @cached_property
    def blocks(self) -> dict[tuple[str, str, str, int], Leaves]:
        table: dict[tuple[str, str, str, int], dict[str, Leaf]] = defaultdict(dict)
        for cell in sorted(self.points):
            table[cell[:4]][cell[4]] = self.points[cell], self.draws[cell]
        return {where: Leaves.of(found) for where, found in table.items()}


def resample(judged: Mapping[Cell, Judged], count: int, seed: int = 0) -> Resampled:
    """Bootstrap all cells. Cells of one (target, language) are compared on the ids that all of them have."""
    groups: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for cell in judged:
        groups[(cell[2], cell[4])].append(cell)
    points: dict[Cell, float] = {}
    draws: dict[Cell, np.ndarray] = {}
    notes = []
    grouped = set()
    few: dict[str, list[str]] = defaultdict(list)
    parallel: dict[tuple[str, int], np.ndarray | None] = {}
    for (target, language), members in sorted(groups.items()):
        ids, orders = _aligned([judged[cell].ids for cell in members])
        most = max(len(judged[cell].ids) for cell in members)
        if len(ids) < most:
            notes.append(f"{target}/{language}: {len(ids)} of {most} test examples are shared by all its cells.")
        if not ids:
            continue
        sums = np.stack([_columns(judged[cell], order) for cell, order in zip(members, orders, strict=True)])
        whole = _ratio(sums.sum(axis=2))
        joined = zlib.crc32("\n".join(ids).encode())
        told = ((judged[cell].groups, order) for cell, order in zip(members, orders, strict=True))
        texts = next((own[order] for own, order in told if own is not None), None)
        if texts is not None:
            grouped.add(target)
            if len(np.unique(texts)) < min(FEWEST_GROUPS, len(ids)):
                few[target].append(language)
        if (target, joined) not in parallel:  # translations need not repeat a text to the letter: the first one counts
            parallel[(target, joined)] = None if texts is None else _numbered(texts)
        drawn = _bootstrap(sums, parallel[(target, joined)], count, np.random.default_rng([seed, joined]))
        for index, cell in enumerate(members):
            points[cell] = float(whole[index])
            draws[cell] = drawn[index]
    notes += [
        f"{target}/{', '.join(codes)}: test examples about fewer than {FEWEST_GROUPS} texts count as independent, "
        "so these intervals are too short."
        for target, codes in few.items()
    ]
    return Resampled(count, points, draws, tuple(notes), frozenset(grouped))


def _numbered(groups: np.ndarray) -> np.ndarray | None:
    """Groups numbered from 0 in the order in which they come; None when each has one example, or when they are few."""
    first, inverse = np.unique(groups, return_index=True, return_inverse=True)[1:]
    if not FEWEST_GROUPS <= len(first) < len(groups):
        return None
    return np.argsort(np.argsort(first))[inverse]


def _aligned(every: list[np.ndarray]) -> tuple[list[str], list[np.ndarray]]:
    """(sorted ids that all arrays of ids have, for each array where they stand in it)"""
    first = every[0]
    if all(ids is first or np.array_equal(ids, first) for ids in every):  # nearly always, and many times as fast
        order = np.argsort(first, kind="stable")
        return list(first[order]), [order] * len(every)
    ids = sorted(set.intersection(*map(set, every)))
    places = [{identifier: index for index, identifier in enumerate(one)} for one in every]
    return ids, [np.array([place[identifier] for identifier in ids], dtype=int) for place in places]


def _columns(judged: Judged, order: np.ndarray) -> np.ndarray:
    """(2, examples): hits, and predicted + possible, in this order."""
    return np.stack([judged.hits[order], judged.predicted[order] + judged.possible[order]])


def _ratio(sums: np.ndarray) -> np.ndarray:
    """(cells, 2, ...) sums -> (cells, ...) points; 0 where nothing was predicted or possible."""
    hits, total = sums[:, 0], sums[:, 1]
    return np.divide(200.0 * hits, total, out=np.zeros_like(hits, dtype=float), where=total > 0)


def _bootstrap(sums: np.ndarray, groups: np.ndarray | None, count: int, rng: np.random.Generator) -> np.ndarray:
    """(cells, 2, examples) -> (cells, count) scores on resampled examples, or groups of them."""
    if groups is not None:
        order = np.argsort(groups, kind="stable")
        sums = np.add.reduceat(sums[:, :, order], np.searchsorted(groups[order], np.arange(groups.max() + 1)), axis=2)
    cells, _, examples = sums.shape
    # Of an accuracy every example counts alike: its total need not be drawn.
    alike = np.ptp(sums[:, 1]) == 0
    flat = (sums[:, 0] if alike else sums.reshape(cells * 2, examples)).T
    step = max(1, BLOCK // examples)
    parts = []
    for start in range(0, count, step):
        rows = min(step, count - start)
        picks = rng.integers(0, examples, size=(rows, examples)) + np.arange(rows)[:, None] * examples
        weights = np.bincount(picks.ravel(), minlength=rows * examples).reshape(rows, examples)
        parts.append(weights.astype(float) @ flat)
    drawn = np.concatenate(parts).T
    if alike:
        return _ratio(np.stack([drawn, np.full_like(drawn, sums[0, 1].sum())], axis=1))
    return _ratio(drawn.reshape(cells, 2, count))

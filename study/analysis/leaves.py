"""What do the languages of one cell have? Values and draws in one block, so that a sum over languages is one product.

leaves = Leaves(("de", "en"), np.array([61.0, 70.5]), draws)     # draws: (2, count)
leaves["de"]                                                     # (61.0, draws[0])
leaves.weighted({"gap": np.array([-1.0, 1.0])})["gap"]           # Leaves(("sum",), [9.5], draws[1] - draws[0])
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Name = TypeVar("Name", bound=Hashable)
SUM = "sum"
Leaf = tuple[float, np.ndarray]
"""(value, (draws,))"""


@dataclass(frozen=True, eq=False)
class Leaves(Mapping[str, Leaf]):
    """One quantity of one cell by language, a mapping {language: (value, draws)}."""

    codes: tuple[str, ...]
    """Sorted."""
    points: np.ndarray
    """(languages,)"""
    draws: np.ndarray
    """(languages, draws)"""

    @classmethod
    def of(cls, found: Mapping[str, Leaf]) -> Leaves:
        """From single languages."""
        if not found:
            return NOTHING
        codes = tuple(sorted(found))
        return cls(codes, np.array([found[code][0] for code in codes]), np.stack([found[code][1] for code in codes]))

    def __getitem__(self, code: str) -> Leaf:
        try:
            row = self.codes.index(code)
        except ValueError:
            raise KeyError(code) from None
        return float(self.points[row]), self.draws[row]

    def __iter__(self) -> Iterator[str]:
        return iter(self.codes)

    def __len__(self) -> int:
        return len(self.codes)

    def only(self, codes: Collection[str]) -> Leaves:
        """Without the other languages."""
        rows = [row for row, code in enumerate(self.codes) if code in codes]
        if len(rows) == len(self.codes):
            return self
        return Leaves(tuple(self.codes[row] for row in rows), self.points[rows], self.draws[rows])

    def minus(self, other: Leaves) -> Leaves:
        """The difference by language, of the languages that both have."""
        ours, theirs = self.only(other.codes), other.only(self.codes)
        if not ours:
            return NOTHING
        return Leaves(ours.codes, ours.points - theirs.points, ours.draws - theirs.draws)

    def weighted(self, rows: Mapping[Name, np.ndarray]) -> dict[Name, Leaves]:
        """Sums over the languages with (languages,) weights each, as leaves of the one "language" `SUM`."""
        if not rows:
            return {}
        weights = np.stack(list(rows.values()))
        points, draws = weights @ self.points, weights @ self.draws
        return {name: Leaves((SUM,), points[i : i + 1], draws[i : i + 1]) for i, name in enumerate(rows)}


NOTHING = Leaves((), np.zeros(0), np.zeros((0, 0)))

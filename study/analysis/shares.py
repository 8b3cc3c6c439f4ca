"""Who pays for a phase that several results rest on? Everything that was spent, shared out over the cells.

A cell is one (size, arm, target, seed) of the design. The rule:

  the winning run      equal shares over the cells that rest on it: of a pretraining or an import all cells of its
                       size, of an intermediate phase all targets of its (size, arm, seed), of a target phase its own
  the rest of a search equal shares over the cells of all seeds that use its learning rate, also at larger sizes that
                       searched around it (`search.transfer`): without it their own searches would have cost more
  scoring              the cells that were scored; the scoring of an intermediate checkpoint belongs to the targets
                       that are scored without tuning, or to all targets where there are none

The shares of all cells, and what was spent outside the design, sum to what was spent (`tests` hold that).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from study.analysis.frame import CELL, Design, lines
from study.analysis.spent import TUNED

UNITS = ["flops", "hours", "winner_flops", "winner_hours"]
"""What is shared out: `winner_` is the part that one run per phase would have cost, its learning rate being known."""
Paid = tuple[str, str, str, int, str]
"""(size, arm, target, seed, kind of phase)"""


@dataclass(frozen=True)
class Shares:
    """What each cell has to pay."""

    table: pd.DataFrame
    """One row per (cell, kind of phase), columns `frame.CELL`, kind, `UNITS`."""
    by_place: dict[tuple[str, str, str, str], tuple[np.ndarray, frozenset[int]]]
    """{(kind, size, arm, target): (`UNITS` of all seeds together, the seeds)}"""

    def lacking(self, kind: str, size: str, arm: str, targets: Sequence[str], seeds: Collection[int]) -> list[str]:
        """Cells for which no phase of a kind has a record, so that what they cost is not known: "xcopa/m/seed 1"."""
        paid = {target: self.by_place.get((kind, size, arm, target), (None, frozenset()))[1] for target in targets}
        return [f"{target}/{size}/seed {seed}" for target in targets for seed in sorted(set(seeds) - paid[target])]

    def per_seed(self, kinds: Sequence[str], size: str, arm: str, targets: Sequence[str]) -> dict[str, float] | None:
        """`UNITS` of these targets together, each divided by the number of its seeds; None where nothing was paid."""
        found = [self.by_place.get((kind, size, arm, target)) for kind in kinds for target in targets]
        known = [one for one in found if one]
        if not known:
            return None
        sums = np.sum([one[0] / len(one[1]) for one in known], axis=0)
        return {unit: float(value) for unit, value in zip(UNITS, sums, strict=True)}


def shares(phases: pd.DataFrame, design: Design) -> Shares:
    """Share out the rows of `spent.phases`.

    Phases that no cell of the design rests on (of an arm that was taken out of the spec) are left out.
    """
    followers = _followers(phases)
    paid: dict[Paid, np.ndarray] = {}
    for phase in lines(phases):
        seeds = design.seeds if pd.isna(phase.seed) else (int(phase.seed),)
        winner = np.array([phase.winner_flops, phase.winner_hours])
        own = cells(phase, seeds, design)
        _pay(paid, own, phase.kind, np.tile(winner, 2))
        if phase.kind in TUNED and own:
            rest = np.array([phase.flops, phase.hours]) - winner
            users = {(phase.size, seed) for seed in seeds} | followers.get(phase.key, set())
            among = [cell for size, seed in sorted(users) for cell in cells(phase, (seed,), design, size)]
            _pay(paid, among, phase.kind, np.append(rest, [0.0, 0.0]))
    places: dict[tuple[str, str, str, str], list[Paid]] = {}
    for size, arm, target, seed, kind in paid:
        places.setdefault((kind, size, arm, target), []).append((size, arm, target, seed, kind))
    return Shares(
        pd.DataFrame([(*cell, *sums) for cell, sums in paid.items()], columns=[*CELL, "kind", *UNITS]),
        {
            place: (np.sum([paid[key] for key in keys], axis=0), frozenset(key[3] for key in keys))
            for place, keys in places.items()
        },
    )


def _followers(phases: pd.DataFrame) -> dict[str, set[tuple[str, int]]]:
    """{key of a search: (size, seed) of the phases that use its learning rate, or searched around it}"""
    of_seeds = phases[phases["seed"].notna()]
    found: dict[str, set[tuple[str, int]]] = {}
    for name in ("tuned_by", "narrowed_by"):  # what runs the winner of a narrowed search follows the wide one, too
        for phase in lines(of_seeds[of_seeds[name].notna()]):
            behind = found.get(phase.key, set()) if name == "narrowed_by" else set()
            found.setdefault(getattr(phase, name), set()).update({(phase.size, int(phase.seed)), *behind})
    return found


def cells(phase: Any, seeds: Sequence[int], design: Design, size: str | None = None) -> list[tuple[str, str, str, int]]:
    """Cells of the design that rest on a phase (a row of `spent.phases`), for these seeds; `size`: not at its own."""
    arms = design.arms if pd.isna(phase.arm) else (phase.arm,)
    targets: Sequence[str] = design.targets if pd.isna(phase.target) else (phase.target,)
    if phase.kind == "evaluation" and pd.isna(phase.target):
        targets = [target for target in targets if target in design.direct] or targets
    known = (design.sizes, design.arms, design.targets, design.seeds)
    found = product((size or phase.size,), arms, targets, seeds)
    return [cell for cell in found if all(name in names for name, names in zip(cell, known, strict=True))]


def _pay(paid: dict[Paid, np.ndarray], among: Sequence[tuple], kind: str, amounts: np.ndarray) -> None:
    for cell in among:
        paid[*cell, kind] = paid.get((*cell, kind), 0.0) + amounts / len(among)

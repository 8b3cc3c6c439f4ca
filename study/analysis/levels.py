"""How much does an arm add: to each cell, to a target, to a group of targets, over all?

    found = levels(basis)
    found.rows[0]            # Level(of="overall", arm="siqa", name="all targets", size="all sizes", gain=..., ...)

Gains are unweighted means: of languages in a target, of targets in a group or over all, of sizes in "all sizes".
Every level is a family of its own (`study.analysis.multiple`), the mean over the sizes apart from the single sizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from study.analysis.basis import Basis
from study.analysis.gains import pooled_gain
from study.analysis.multiple import Family, correct
from study.analysis.noise import Estimate
from study.analysis.series import Series
from trainables.tasks.benchmark import GROUPS

ALL_SIZES = "all sizes"
KINDS: dict[str, tuple[str, ...]] = {
    "classification": (*GROUPS["classification"], "pawsx"),
    "structured prediction": GROUPS["tagging"],
    "question answering": GROUPS["qa"],
    "retrieval": (*GROUPS["retrieval"], "bucc2018"),
}
"""The benchmark's groups, with the targets of the older XTREME where they belong."""
NAMES = {
    ("overall", False): "mean gains of an arm",
    ("overall", True): "mean gains of an arm at one size",
    ("group", False): "gains on a group of targets",
    ("group", True): "gains on a group of targets at one size",
    ("target", False): "gains on a target",
    ("target", True): "gains on a target at one size",
}
"""(level, at one size) -> the family's name."""


@dataclass(frozen=True)
class Level:
    """One gain. `like` is its interval for languages like these, None with fewer than three languages."""

    of: str
    """overall, group or target"""
    arm: str
    name: str
    """The target, the group, or `gains.POOLED`."""
    size: str
    gain: Estimate
    like: Estimate | None
    seeds: int
    """Seeds at the size; over all sizes the fewest of any."""
    degenerate: bool

    @property
    def family(self) -> tuple[str, bool]:
        """Its key in `NAMES`."""
        return self.of, self.size != ALL_SIZES


@dataclass(frozen=True)
class Levels:
    """All gains of a study. `groups` is {arm: {group: gain by size}}."""

    rows: tuple[Level, ...]
    groups: dict[str, dict[str, Series]]
    families: dict[tuple[str, bool], Family]

    def stands(self, row: Level) -> bool:
        """True when a gain is not zero, its whole family counted."""
        return self.families[row.family].stands(row.arm, row.name, row.size)


def levels(basis: Basis) -> Levels:
    """Every gain at every level. Degenerate pairs have a row but are in no mean and in no family."""
    groups = {arm: _groups(basis, arm) for arm in basis.design.treated}
    rows = []
    for arm in basis.design.treated:
        if arm in basis.pools:
            rows += list(_rows("overall", basis.pools[arm].gain))
        for name, of in groups[arm].items():
            rows += list(_rows("group", of, name))
        for target, of in basis.gains[arm].items():
            rows += list(_rows("target", of, degenerate=(arm, target) in basis.design.degenerate))
    families = {
        key: correct(
            name,
            {(row.arm, row.name, row.size): row.gain for row in rows if row.family == key and not row.degenerate},
        )
        for key, name in NAMES.items()
    }
    return Levels(tuple(rows), groups, families)


def _groups(basis: Basis, arm: str) -> dict[str, Series]:
    """Groups of which the study has two targets or more; a group of one is that target."""
    poolable = basis.design.poolable(arm)
    members = {name: [target for target in kind if target in poolable] for name, kind in KINDS.items()}
    pools = {
        name: pooled_gain(basis.resampled, basis.design, arm, targets=targets)
        for name, targets in members.items()
        if len(targets) > 1
    }
    return {name: pool.gain for name, pool in pools.items() if pool is not None and len(pool.targets) > 1}


def _rows(level: str, of: Series, name: str = "", degenerate: bool = False) -> Iterator[Level]:
    """The mean over the sizes first, then each size."""
    like = of.over_languages()
    seeds = [of.seeds_at(size) for size in of.sizes]
    name = name or of.target
    yield Level(level, of.arm, name, ALL_SIZES, of.mean(), like.mean() if like else None, min(seeds), degenerate)
    for size, count in zip(of.sizes, seeds, strict=True):
        gain = of.at(size)
        assert gain is not None
        yield Level(level, of.arm, name, size, gain, like.at(size) if like else None, count, degenerate)

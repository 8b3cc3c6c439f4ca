"""Question 1: does an arm's gain change with model size?

    found = interaction(basis)
    found.pooled["siqa"].answer              # Estimate: largest minus smallest of three sizes
    found.changes["siqa"]["xcopa"].slope     # points per tenfold parameters

With three sizes or fewer the contrast between the ends of the ladder is the answer, with more the slope over
log10(parameters). Either is given for these languages and for languages like these. Other ways to reckon the slope:
`study.analysis.slope_checks`.
"""

from __future__ import annotations

from dataclasses import dataclass

from study.analysis.basis import Basis
from study.analysis.multiple import Family, correct
from study.analysis.noise import Estimate
from study.analysis.scaling import contrasts, slope
from study.analysis.series import Series

FEW_SIZES = 3


@dataclass(frozen=True)
class Change:
    """How one gain moves over the ladder. The second estimate of each pair is for languages like these."""

    gain: Series
    contrast: Estimate
    """Largest size minus smallest."""
    slope: Estimate
    """Points per tenfold parameters."""
    contrast_like: Estimate | None
    slope_like: Estimate | None
    by_contrast: bool
    """Whether the contrast is the answer: the same for all gains of a study, so that they can be compared."""

    @property
    def answer(self) -> Estimate:
        return self.contrast if self.by_contrast else self.slope

    @property
    def answer_like(self) -> Estimate | None:
        return self.contrast_like if self.by_contrast else self.slope_like


@dataclass(frozen=True)
class Interaction:
    """What the study says about question 1. Gains at one size only are in none of these."""

    pooled: dict[str, Change]
    """{arm: change of the pooled gain}"""
    changes: dict[str, dict[str, Change]]
    """{arm: {target: change}}, degenerate pairs left out"""
    arms: Family
    """Of the pooled answers, by (arm,)."""
    targets: Family
    """Of the answers by (arm, target)."""


def interaction(basis: Basis) -> Interaction:
    """Works with any number of sizes; with one there is nothing to say and everything is empty."""
    few = len(basis.design.sizes) <= FEW_SIZES
    pooled = {arm: found for arm, pool in basis.pools.items() if (found := change(pool.gain, few))}
    changes = {
        arm: {
            target: found
            for target, gain in by_target.items()
            if (arm, target) not in basis.design.degenerate and (found := change(gain, few))
        }
        for arm, by_target in basis.gains.items()
    }
    return Interaction(
        pooled,
        changes,
        correct("changes of an arm's mean gain with size", {(arm,): one.answer for arm, one in pooled.items()}),
        correct(
            "changes of a target's gain with size",
            {(arm, target): one.answer for arm, ones in changes.items() for target, one in ones.items()},
        ),
    )


def change(gain: Series, by_contrast: bool) -> Change | None:
    """None with a single size, or sizes of equally many parameters."""
    pairs, line = contrasts(gain), slope(gain)
    if not pairs or line is None:
        return None
    like = gain.over_languages()
    contrast_like, slope_like = (contrasts(like)[0][2], slope(like)) if like else (None, None)
    return Change(gain, pairs[0][2], line, contrast_like, slope_like, by_contrast)

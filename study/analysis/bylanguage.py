"""Which languages gain, which lose, and what do they share? Gains by language and by group, and the transfer gap.

    found = find(basis)
    found.gains["siqa"]["de"].mean            # over the targets that test German, then over the sizes
    found.contrasts["siqa"]["distance"]       # gain of the near languages, of the far ones, and the difference
    found.gaps["none"][POOLED]                # English minus the mean of the others
    found.gap_changes["siqa"][POOLED]         # what the arm does to that, paired; negative: closed

Degenerate targets of an arm are left out of everything that is pooled over targets. Among the languages of an arm
false discoveries are controlled (Benjamini and Hochberg 1995); English is shown, and counted nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd
from statsmodels.stats.multitest import multipletests

from study.analysis import distance
from study.analysis.basis import Basis
from study.analysis.frame import NONE
from study.analysis.gains import POOLED, Pool, gains_by_language, scores_by_language
from study.analysis.languages import ENGLISH, FAR, NEAR, SEEN, UNSEEN, Group, cuts, groups
from study.analysis.leaves import NOTHING
from study.analysis.noise import Estimate
from study.analysis.series import POINTS, Series
from study.analysis.weighted import ByTarget, by_target, difference, gap_to, mean_of, only, pooled, pools, transfer_gap

RATE = 0.05
"""Expected share of false ones among the languages that are said to gain or to lose."""
CONTRASTS = {"distance": (NEAR, FAR), "pretraining": (SEEN, UNSEEN)}
RANKS = ["arm", "quantity", "fact", "languages", "spearman"]


@dataclass(frozen=True)
class LanguageGain:
    """What an arm adds in one language, over the targets that test it."""

    pool: Pool
    mean: Estimate
    """Over the sizes."""
    q: float | None
    """Benjamini-Hochberg adjusted p value among the languages of the arm; None for English."""

    @property
    def clear(self) -> bool:
        """True when it gains or loses with the false discoveries controlled."""
        return self.q is not None and self.q <= RATE


@dataclass(frozen=True)
class GroupResult:
    """One group under one arm; None where no target has what it takes."""

    group: Group
    arm: str
    score: Pool
    gap: Pool | None
    """English minus the group, over the targets with an English test set."""
    gain: Pool | None
    """None for the arm `none`."""


@dataclass(frozen=True)
class Contrast:
    """Gains of two groups over the targets that test languages of both, and first minus second, paired."""

    first: Series
    second: Series
    difference: Series
    targets: tuple[str, ...]


@dataclass(frozen=True)
class LanguageFindings:
    """Everything about languages. Mappings keep the order of the design; `POOLED` is the mean over targets."""

    cuts: tuple[float, float] | None
    """Largest distance of a near and of a middle language."""
    gains: dict[str, dict[str, LanguageGain]]
    """{arm: {language: gain}}, the largest gain first"""
    groups: tuple[GroupResult, ...]
    contrasts: dict[str, dict[str, Contrast]]
    """{arm: {"distance": near against far languages, "pretraining": seen against unseen ones}}"""
    gaps: dict[str, dict[str, Series]]
    """{arm: {target or `POOLED`: English minus the mean of the others}}"""
    gap_changes: dict[str, dict[str, Series]]
    """{arm: {target or `POOLED`: gap with the arm minus gap without, paired}}"""
    score_slopes: dict[str, dict[str, Series]]
    """{arm: {target or `POOLED`: points of score per unit of distance}}"""
    gain_slopes: dict[str, dict[str, Series]]
    ranks: pd.DataFrame
    """Columns `RANKS`: Spearman's rho of the languages' mean score or gain with each fact that has an order."""


def find(basis: Basis) -> LanguageFindings:
    """Works on a half-finished study and on one whose languages nobody knows anything about."""
    design, languages = basis.design, basis.languages
    grouped = groups(languages, design.sizes)
    gains: dict[str, dict[str, LanguageGain]] = {}
    results, ranks = [], []
    contrasts: dict[str, dict[str, Contrast]] = {}
    gaps, changes = {}, {}
    slopes: dict[str, dict[str, dict[str, Series]]] = {"score": {}, "gain": {}}
    for arm in design.arms:
        scored, gained = _leaves(basis, arm)
        results += _by_group(basis, arm, grouped, scored, gained)
        gaps[arm] = _gaps(basis, arm, scored)
        slopes["score"][arm] = distance.slopes(scored, languages, design, arm)
        ranks += _ranks(basis, arm, "score", scored)
        if arm != NONE:
            gains[arm] = _gains(basis, arm, gained)
            contrasts[arm] = _contrasts(basis, arm, grouped, gained)
            changes[arm] = _gaps(basis, arm, gained)
            slopes["gain"][arm] = distance.slopes(gained, languages, design, arm)
            ranks += _ranks(basis, arm, "gain", gained)
    return LanguageFindings(
        cuts=cuts(languages),
        gains=gains,
        groups=tuple(results),
        contrasts=contrasts,
        gaps=gaps,
        gap_changes=changes,
        score_slopes=slopes["score"],
        gain_slopes=slopes["gain"],
        ranks=pd.DataFrame(ranks, columns=RANKS),
    )


def _leaves(basis: Basis, arm: str) -> tuple[ByTarget, ByTarget]:
    """Scores, and gains over `none`, of every cell of an arm by language."""
    design = basis.design
    scored = {
        target: {place: scores_by_language(basis.resampled, arm, target, place) for place in design.places}
        for target in design.targets
    }
    gained = {
        target: {place: gains_by_language(basis.resampled, arm, target, place) for place in design.places}
        for target in design.targets
        if arm != NONE
    }
    return scored, gained


def _gains(basis: Basis, arm: str, gained: ByTarget) -> dict[str, LanguageGain]:
    codes = sorted({code for places in gained.values() for leaves in places.values() for code in leaves})
    found = pools(gained, {code: only(code) for code in codes}, basis.design, arm)
    means = {code: pool.gain.mean() for code, pool in found.items()}
    tested = [code for code in found if code != ENGLISH]
    q = multipletests([means[code].p for code in tested], method="fdr_bh")[1] if tested else []
    adjusted = dict(zip(tested, map(float, q), strict=True))
    told = {code: LanguageGain(pool, means[code], adjusted.get(code)) for code, pool in found.items()}
    return dict(sorted(told.items(), key=lambda item: (-item[1].mean.point, item[0])))


def _by_group(
    basis: Basis, arm: str, grouped: Sequence[Group], scored: ByTarget, gained: ByTarget
) -> list[GroupResult]:
    means, to = ({index: weigh(group) for index, group in enumerate(grouped)} for weigh in (mean_of, gap_to))
    scores, gaps, gains = (
        pools(leaves, weighs, basis.design, arm) for leaves, weighs in ((scored, means), (scored, to), (gained, means))
    )
    bounded = {i: replace(score, gain=score.gain.bounded(*POINTS)) for i, score in scores.items()}
    return [GroupResult(grouped[i], arm, score, gaps.get(i), gains.get(i)) for i, score in bounded.items()]


def _contrasts(basis: Basis, arm: str, grouped: Sequence[Group], gained: ByTarget) -> dict[str, Contrast]:
    by_name = {(group.kind, group.name): group for group in grouped}
    found = {}
    for kind, names in CONTRASTS.items():
        if all((kind, name) in by_name for name in names):
            first, second = (by_name[kind, name] for name in names)
            apart = difference(first, second)
            if pool := pooled(gained, apart, basis.design, arm):
                kept = {  # of the sides, too, only the cells that have both
                    target: {
                        place: leaves if apart(leaves.codes, place[0]) else NOTHING
                        for place, leaves in gained[target].items()
                    }
                    for target in pool.targets
                }
                sides = [pooled(kept, mean_of(group), basis.design, arm) for group in (first, second)]
                if sides[0] and sides[1]:
                    found[kind] = Contrast(sides[0].gain, sides[1].gain, pool.gain, pool.targets)
    return found


def _gaps(basis: Basis, arm: str, leaves: ByTarget) -> dict[str, Series]:
    found = by_target(leaves, transfer_gap, basis.design, arm)
    pool = pooled(leaves, transfer_gap, basis.design, arm)
    return {**found, POOLED: pool.gain} if pool else found


def _ranks(basis: Basis, arm: str, quantity: str, leaves: ByTarget) -> list[tuple[str, str, str, int, float]]:
    """Rows of `RANKS`."""
    kept = {target: leaves[target] for target in basis.design.poolable(arm)}
    return [(arm, quantity, *row) for row in distance.ranks(kept, basis.languages)]

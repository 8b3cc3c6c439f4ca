"""Which intervals does a report give, and what should each hold? Every kind of them, with the truth of a simulation.

    for check in checks(basis(evidence), truth):
        check.kind, check.scope, check.covered

`these` are statements about the study's own languages, `like` about languages like these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from study.analysis import bylanguage, cost, domain, fits
from study.analysis.basis import Basis
from study.analysis.gains import POOLED
from study.analysis.interaction import Change, interaction
from study.analysis.levels import ALL_SIZES, KINDS, Level, levels
from study.analysis.levers import levers
from study.analysis.noise import Estimate
from study.analysis.retention import memory
from study.analysis.scaling import contrasts, slope
from study.analysis.series import Series
from study.analysis.slope_checks import slope_checks
from study.simulation.truth import Truth
from study.spec import NONE
from tests.benchmarks import naive

THESE, LIKE = "these", "like"
BySize = np.ndarray
"""(sizes,)"""


class Check(NamedTuple):
    """One interval and what it should hold."""

    kind: str
    scope: str
    truth: float
    point: float
    low: float
    high: float

    @property
    def covered(self) -> bool:
        return self.low <= self.truth <= self.high


def checks(found: Basis, truth: Truth) -> Iterator[Check]:
    """Every interval of a study."""
    yield from _scores(found, truth)
    for row in levels(found).rows:
        yield from _level(row, truth)
    yield from _interaction(found, truth)
    yield from _levers(found, truth)
    yield from _retention(found, truth)
    yield from _languages(found, truth)
    yield from _domain(found, truth)
    yield from _prices(found, truth)
    yield from _fits(found, truth)
    yield from _naive(found, truth)


def _check(kind: str, scope: str, truth: float, one: Estimate) -> Check:
    return Check(kind, scope, float(truth), one.point, one.low, one.high)


def _by_size(kind: str, of: Series, values: BySize, scope: str = THESE) -> Iterator[Check]:
    """Every size, and the mean over them."""
    for place, value in enumerate(values):
        yield _check(kind, scope, value, of.linear(np.eye(len(values))[place]))
    yield _check(f"{kind}, mean of sizes", scope, values.mean(), of.mean())


def _scores(found: Basis, truth: Truth) -> Iterator[Check]:
    for target, by_arm in found.scores.items():
        for arm, of in by_arm.items():
            yield from _by_size("score", of, truth.score(arm, target))
            if like := of.over_languages():
                yield from _by_size("score", like, truth.typical.score(arm, target), LIKE)


def _level(row: Level, truth: Truth) -> Iterator[Check]:
    """Gains of a cell, a target, a group, over all."""
    planted = truth.planted
    targets: Sequence[str] = list(planted.targets) if row.of == "overall" else [row.name]
    if row.of == "group":
        targets = [target for target in planted.targets if target in KINDS[row.name]]
    kind = f"gain, {row.of}" + ("" if row.size != ALL_SIZES else ", mean of sizes")
    for scope, true, estimate in ((THESE, truth, row.gain), (LIKE, truth.typical, row.like)):
        values = true.pooled(row.arm, targets)
        value = values.mean() if row.size == ALL_SIZES else values[list(planted.sizes).index(row.size)]
        if estimate:
            yield _check(kind, scope, value, estimate)


def _interaction(found: Basis, truth: Truth) -> Iterator[Check]:
    of, others = interaction(found), slope_checks(found)
    for arm, change in of.pooled.items():
        yield from _change("pooled", change, truth, lambda true, arm=arm: true.pooled(arm))
        for other in others.get(arm, []):
            true = truth.typical if other.like else truth
            kind = f"check of the slope: {other.method}"
            yield _check(kind, LIKE if other.like else THESE, true.slope(true.pooled(arm)), other.slope)
    for arm, by_target in of.changes.items():
        for target, change in by_target.items():
            yield from _change("target", change, truth, lambda true, arm=arm, target=target: true.gain(arm, target))
            for small, large, estimate in contrasts(change.gain)[1:]:
                ends = [list(truth.planted.sizes).index(size) for size in (small, large)]
                values = truth.gain(arm, target)
                yield _check("contrast of neighbours, target", THESE, values[ends[1]] - values[ends[0]], estimate)


def _change(kind: str, change: Change, truth: Truth, of: Callable[[Truth], BySize]) -> Iterator[Check]:
    pairs = (
        (THESE, truth, change.contrast, change.slope),
        (LIKE, truth.typical, change.contrast_like, change.slope_like),
    )
    for scope, true, contrast, line in pairs:
        values = of(true)
        if contrast and line:
            yield _check(f"contrast, {kind}", scope, values[-1] - values[0], contrast)
            yield _check(f"slope, {kind}", scope, true.slope(values), line)


def _levers(found: Basis, truth: Truth) -> Iterator[Check]:
    for arm, by_target in levers(found).by_arm.items():
        for name, of in by_target.items():
            kind = "pooled" if name == POOLED else "target"
            none = np.mean([truth.score(NONE, target) for target in of.targets], axis=0)
            gain = truth.pooled(arm, of.targets)
            for factor, one in zip(truth.equivalent(none, gain), of.equivalents, strict=True):
                yield Check(f"equivalent size, {kind}", THESE, float(factor), one.point, one.low, one.high)
            doubling = truth.slope(none) * np.log10(2)
            yield _check(f"points of a doubling, {kind}", THESE, doubling, of.doubling)
            yield _check(f"arm against a doubling, {kind}", THESE, gain.mean() - doubling, of.against_doubling)
            if of.against_next:
                value = np.mean(none[:-1] + gain[:-1] - none[1:])
                yield _check(f"arm against the next size, {kind}", THESE, value, of.against_next)


def _retention(found: Basis, truth: Truth) -> Iterator[Check]:
    of = memory(found)
    for arm, curve in of.curves.items():
        values = truth.retention(arm)
        yield from _by_size("retention", curve, values)
        if line := slope(curve):
            yield _check("retention, slope", THESE, truth.slope(values), line)
    if of.relation.within:  # planted gains and retentions have nothing to do with each other at a size
        yield _check("gain per retention, sizes fixed", THESE, 0.0, of.relation.within)


def _languages(found: Basis, truth: Truth) -> Iterator[Check]:
    of, targets = bylanguage.find(found), list(truth.planted.targets)
    gaps = {arm: {target: truth.transfer_gap(arm, target) for target in targets} for arm in found.design.arms}
    for arm, by_target in of.gaps.items():
        for target, curve in by_target.items():
            yield from _by_size("transfer gap", curve, _pooled(gaps[arm], target))
    for arm, by_target in of.gap_changes.items():
        change = {target: gaps[arm][target] - gaps[NONE][target] for target in targets}
        for target, curve in by_target.items():
            yield from _by_size("change of the transfer gap", curve, _pooled(change, target))
        for code, one in of.gains[arm].items():
            yield from _by_size("gain, language", one.pool.gain, truth.pooled(arm, codes=[code]))
        for kind, one in of.contrasts[arm].items():
            first, second = (_members(of, kind, side) for side in bylanguage.CONTRASTS[kind])
            value = truth.pooled(arm, codes=first) - truth.pooled(arm, codes=second)
            yield from _by_size(f"gains of groups, {kind}", one.difference, value)
        yield from _fall(
            "gain", of.gain_slopes[arm], truth, lambda target, code, arm=arm: truth.gain(arm, target, [code])
        )
    for arm, by_target in of.score_slopes.items():
        yield from _fall("score", by_target, truth, lambda target, code, arm=arm: truth.level(arm, target, code))
    for group in of.groups:
        if group.gain:
            codes = group.group.members[found.design.sizes[0]]
            yield from _by_size("gain, group of languages", group.gain.gain, truth.pooled(group.arm, codes=codes))


def _members(of: bylanguage.LanguageFindings, kind: str, name: str) -> tuple[str, ...]:
    group = next(one.group for one in of.groups if (one.group.kind, one.group.name) == (kind, name))
    return next(iter(group.members.values()))


def _fall(what: str, curves: Mapping[str, Series], truth: Truth, of: Callable[[str, str], BySize]) -> Iterator[Check]:
    """Least-squares slopes over the distance of the languages other than English."""
    known = {code: one.distance for code, one in truth.planted.languages.items() if code != "en"}
    x = np.array(list(known.values()), dtype=float)
    weights = (x - x.mean()) / ((x - x.mean()) @ (x - x.mean()))
    by_target = {target: weights @ np.array([of(target, code) for code in known]) for target in truth.planted.targets}
    for target, curve in curves.items():
        yield from _by_size(f"{what} per distance", curve, _pooled(by_target, target))


def _pooled(by_target: Mapping[str, BySize], target: str) -> BySize:
    return np.mean(list(by_target.values()), axis=0) if target == POOLED else by_target[target]


def _domain(found: Basis, truth: Truth) -> Iterator[Check]:
    for added in domain.find(found).added:
        arm, base, targets = added.arm, added.base, added.pool.targets
        like = added.pool.gain.over_languages()
        yield from _by_size("text adds, pooled", added.pool.gain, truth.pooled(arm, targets, base=base))
        if like:
            yield from _by_size("text adds, pooled", like, truth.typical.pooled(arm, targets, base=base), LIKE)
        for target, curve in added.by_target.items():
            yield from _by_size("text adds, target", curve, truth.gain(arm, target, base=base))
        if added.targets:
            outside = [target for target in targets if target not in added.targets.inside]
            within, without = (truth.pooled(arm, side, base=base) for side in (added.targets.inside, outside))
            yield from _by_size("text, in minus out of domain", added.targets.difference, within - without)
        if added.languages:
            codes = [code for code in truth.planted.languages if code not in added.languages.inside]
            within, without = (truth.pooled(arm, codes=side, base=base) for side in (added.languages.inside, codes))
            yield from _by_size("text, in minus out of its languages", added.languages.difference, within - without)
        for code, one in added.by_language.items():
            value = truth.pooled(arm, codes=[code], base=base).mean()
            yield _check("text adds, language", THESE, value, one.added)


def _prices(found: Basis, truth: Truth) -> Iterator[Check]:
    """Of arms that truly gain: what a point costs."""
    for row in cost.find(found).prices.itertuples():
        targets = list(truth.planted.targets) if row.target == POOLED else [row.target]
        gain = truth.pooled(row.arm, targets)[list(truth.planted.sizes).index(row.size)]
        if gain > 0:
            low, high = (getattr(row, f"flops_per_point_{end}") for end in ("low", "high"))
            yield Check("price of a point", THESE, row.flops / gain, row.flops_per_point, low, high)


def _fits(found: Basis, truth: Truth) -> Iterator[Check]:
    """Slopes of straight lines, and ceilings and exponents where a saturating curve was planted."""
    for target, by_arm in fits.find(found).items():
        if target == POOLED or NONE not in by_arm:
            continue
        planted, both = truth.planted.targets[target], by_arm[NONE]
        if planted.ceiling is None:
            yield _check("fit: slope of a straight line", THESE, truth.slope(truth.score(NONE, target)), both.line.b)
        elif both.power.determined and both.power.c:
            shift = truth.score(NONE, target)[0] - truth.typical.score(NONE, target)[0]
            yield _check("fit: exponent of a saturating curve", THESE, planted.rate, both.power.c)
            yield _check("fit: ceiling of a saturating curve", THESE, planted.ceiling + shift, both.power.a)


def _naive(found: Basis, truth: Truth) -> Iterator[Check]:
    for arm, pool in found.pools.items():
        for place, size in enumerate(pool.gain.sizes):
            values = naive.draws(found, arm, pool.targets, size)
            for scope, true in ((THESE, truth), (LIKE, truth.typical)):
                point, low, high = naive.interval(values, scope == LIKE)
                yield Check("(usual bootstrap) gain, overall", scope, true.pooled(arm)[place], point, low, high)

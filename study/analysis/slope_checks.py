"""Do other ways of reckoning give the same slope of the pooled gain over size? A regression and a plain bootstrap.

The report's slope is a weighted sum of the sizes' means (`study.analysis.scaling`). It is checked against

  a mixed model     one row per (size, seed, target, language): gain ~ log10(parameters) + target, with a random
                    intercept for each language and each checkpoint (size, seed); by restricted maximum likelihood
                    There is none with too few checkpoints or languages, or where it finds no spread of checkpoints
  clustered errors  the same rows and columns by least squares, errors clustered by checkpoint. Always: in those
                    studies alone whose checkpoints happened to lie close together, its error would be too small
  a bootstrap       seeds within a size are drawn again, and test examples; or, for languages like these, languages,
                    whose spread holds that of their examples

Rows are weighted so that every target counts alike however many languages it has, as in the pooled gain. The
bootstrap draws one fewer than there are (Rao and Wu 1988): with replacement, that spreads as much as the mean of
all of them does, also where there are only two. What single examples do to single seeds is in both of the things that
it draws and so counts twice: its error can be too large by a factor of up to the root of two.
"""

from __future__ import annotations

import warnings
import zlib
from dataclasses import dataclass

import numpy as np
from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

from study.analysis.basis import Basis
from study.analysis.frame import Design
from study.analysis.gains import Pool, alike, gains_by_language
from study.analysis.noise import Estimate, percentiles
from study.analysis.resample import Resampled
from study.analysis.robust import clustered, with_t
from study.analysis.scaling import slope_weights
from study.analysis.series import FEWEST_LANGUAGES

FEWEST_CHECKPOINTS = 8
"""For a mixed model; the variance of fewer is hardly known."""
HALF_ERROR, FACTOR = 0.5, 1.5
"""Two methods disagree when their points lie further apart than half an error, or their errors by this factor."""


@dataclass(frozen=True)
class Check:
    """One other estimate of the slope. `like`: it speaks of languages like these."""

    method: str
    slope: Estimate
    like: bool = False
    excess: float = 1.0
    """The factor by which its error may be too large by its nature."""

    def agrees(self, ours: Estimate) -> bool:
        """True when point and error are near those of `ours` (of the same scope)."""
        near = abs(self.slope.point - ours.point) <= HALF_ERROR * ours.error
        return near and ours.error / FACTOR <= self.slope.error <= FACTOR * self.excess * ours.error


@dataclass(frozen=True)
class Rows:
    """Gains of one arm by (size, seed, target, language), n rows."""

    gain: np.ndarray
    draws: np.ndarray
    """(n, draws)"""
    size: np.ndarray
    """Index into `parameters`."""
    checkpoint: np.ndarray
    """Index, one per (size, seed)."""
    target: np.ndarray
    language: np.ndarray
    weight: np.ndarray
    """Share of the row in its checkpoint's pooled gain."""
    parameters: tuple[int, ...]

    @property
    def x(self) -> np.ndarray:
        """(n,) log10(parameters)."""
        return np.log10(np.array(self.parameters, dtype=float))[self.size]


def rows(resampled: Resampled, design: Design, pool: Pool) -> Rows:
    """The rows behind a pooled gain: the same targets at the same places."""
    of = pool.gain
    places = [place for place in design.places if place[0] in of.sizes and place[1] in of.seeds]
    places = [place for place in places if place not in pool.left_out]
    places = [place for place in places if np.isfinite(of.values[of.sizes.index(place[0]), of.seeds.index(place[1])])]
    found, codes = [], sorted({cell[4] for cell in resampled.points})
    by_target = {
        name: alike({place: gains_by_language(resampled, of.arm, name, place) for place in design.places})
        for name in pool.targets
    }
    for checkpoint, place in enumerate(places):
        for target, name in enumerate(pool.targets):
            leaves = by_target[name][place]
            share = 1 / (len(pool.targets) * len(leaves))
            found += [
                (value, of.sizes.index(place[0]), checkpoint, target, codes.index(code), share, draws)
                for code, (value, draws) in leaves.items()
            ]
    columns = [np.array(column) for column in list(zip(*found, strict=True))[:6]]
    gain, size, checkpoint_of, target_of, language, weight = columns
    draws = np.stack([row[6] for row in found])
    return Rows(gain, draws, size, checkpoint_of, target_of, language, weight, of.parameters)


def slope_checks(basis: Basis) -> dict[str, list[Check]]:
    """{arm: the regressions and the bootstraps of its pooled gain}; no arm where there is nothing to tell from."""
    found = {}
    for arm, pool in basis.pools.items():
        if len(pool.gain.sizes) > 1:
            of = rows(basis.resampled, basis.design, pool)
            regressions = [one for one in (mixed(of), least_squares(of)) if one]
            found[arm] = [*regressions, *bootstraps(of, arm)]
    return found


def mixed(of: Rows) -> Check | None:
    """None where the model has too few checkpoints or languages to go by, or finds no answer."""
    checkpoints, languages = len(set(of.checkpoint.tolist())), len(set(of.language.tolist()))
    if checkpoints < FEWEST_CHECKPOINTS or languages < FEWEST_LANGUAGES:
        return None
    scale = np.sqrt(of.weight / of.weight.mean())
    parts = {"checkpoint": _dummies(of.checkpoint) * scale[:, None], "language": _dummies(of.language) * scale[:, None]}
    spread = VCSpec(
        list(parts),
        [[[str(column) for column in range(part.shape[1])]] for part in parts.values()],
        [[part] for part in parts.values()],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they warn of is looked at below
        try:
            model = MixedLM(of.gain * scale, _columns(of) * scale[:, None], np.zeros(len(scale)), exog_vc=spread)
            fitted = model.fit(reml=True, method="powell")
            point, error = float(fitted.fe_params[-1]), float(fitted.bse_fe[-1])
        except (np.linalg.LinAlgError, ValueError):
            return None
    if not fitted.converged or not np.isfinite(error) or not fitted.vcomp[0] > 1e-6 * fitted.scale:
        return None
    return Check("mixed model", with_t(point, error, checkpoints - 2))


def least_squares(of: Rows) -> Check | None:
    """Errors clustered by checkpoint; None with fewer than three checkpoints."""
    columns = _columns(of)
    found = clustered(of.gain, columns, columns.shape[1] - 1, of.checkpoint, between=2, weights=of.weight)
    return Check("clustered least squares", found) if found else None


def bootstraps(of: Rows, label: str) -> list[Check]:
    """For these languages, and for languages like these where there are three or more; the same for one `label`."""
    line = slope_weights(np.log10(of.parameters))
    point = float((line @ _by_size(of, of.gain[:, None], np.ones((len(of.gain), 1))))[0])
    count = of.draws.shape[1]
    rng = np.random.default_rng(zlib.crc32(label.encode()))
    seeds = np.ones((len(of.gain), count))
    for size in range(len(of.parameters)):
        here = of.size == size
        members, place = np.unique(of.checkpoint[here], return_inverse=True)
        seeds[here] = _drawn(rng, len(members), count)[place]
    drawn = percentiles(point, line @ _by_size(of, of.draws, seeds))
    found = [Check("bootstrap", drawn, excess=2**0.5)]
    codes, place = np.unique(of.language, return_inverse=True)
    if len(codes) >= FEWEST_LANGUAGES:
        weights = seeds * _filled(of, _drawn(rng, len(codes), count)[place])
        drawn = percentiles(point, line @ _by_size(of, of.gain[:, None], weights))
        found.append(Check("bootstrap", drawn, like=True, excess=2**0.5))
    return found


def _by_size(of: Rows, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n, draws) values and weights -> (sizes, draws): means of seeds of means of targets of means of languages."""
    targets = int(of.target.max()) + 1
    cells = of.size * targets + of.target
    member = (np.arange(len(of.parameters) * targets)[:, None] == cells) * of.weight
    means = (member @ (values * weights)) / (member @ weights)
    return means.reshape(len(of.parameters), targets, -1).mean(axis=1)


def _filled(of: Rows, languages: np.ndarray) -> np.ndarray:
    """Weights of languages; a target none of whose languages was drawn keeps all of them."""
    for target in np.unique(of.target):
        here = of.target == target
        none = languages[here].sum(axis=0) == 0
        languages[np.ix_(here, none)] = 1.0
    return languages


def _drawn(rng: np.random.Generator, size: int, count: int) -> np.ndarray:
    """(size, count): how often each is drawn, one fewer than there are in all; a single one always."""
    if size == 1:
        return np.ones((1, count))
    return rng.multinomial(size - 1, np.full(size, 1 / size), count).T.astype(float)


def _columns(of: Rows) -> np.ndarray:
    """(n, targets + 1): an intercept for each target, and log10(parameters) around its mean."""
    return np.column_stack([_dummies(of.target), of.x - np.average(of.x, weights=of.weight)])


def _dummies(codes: np.ndarray) -> np.ndarray:
    return (codes[:, None] == np.unique(codes)[None, :]).astype(float)

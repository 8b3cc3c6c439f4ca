"""How is a study drawn? Real right and wrong answers, one per test example, whose expectation is what was planted.

A checkpoint answers an example right when its luck stays below the quantile of the checkpoint's expected score. Luck
is standard normal: a part belongs to the example (all checkpoints find it hard, in a parallel test set in all
languages), the rest to this one answer. Right answers then come at exactly the planted rate, and comparisons paired by
example are surer than unpaired ones, as in real studies.

    evidence, truth = draw(planted, seed=7)           # the same seed: the same study, to the bit
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from study.analysis.basis import Evidence
from study.analysis.distance import Language
from study.analysis.resample import Cell, Judged
from study.simulation.planted import HIGHEST, LOWEST, Planted
from study.simulation.records import Kept, records, spec_of
from study.simulation.truth import Truth, draw_effects
from study.spec import NONE


def draw(planted: Planted, seed: int) -> tuple[Evidence, Truth]:
    """A finished study, and what is true of it."""
    effects, training, examples, kept = (np.random.default_rng([seed, stream]) for stream in range(4))
    truth = Truth(planted, draw_effects(planted, effects))
    judged = _judged(truth, _expected(truth, training), examples)
    facts = {
        code: Language(code, code, one.family, one.script, one.distance) for code, one in planted.languages.items()
    }
    return Evidence(spec_of(planted, seed), records(planted, judged, _retained(planted, kept)), judged, facts), truth


def _expected(truth: Truth, rng: np.random.Generator) -> dict[tuple[str, str], np.ndarray]:
    """{(target, language): (arms, sizes, seeds) expected points of the checkpoints that these seeds led to}"""
    planted, noise = truth.planted, truth.planted.noise
    shape = (len(planted.arms), len(planted.sizes), len(planted.seeds))
    tuned = np.array([arm != NONE for arm in planted.arms], dtype=float)[:, None, None]
    checkpoint = noise.checkpoint * rng.standard_normal(shape) * tuned
    spread = (noise.seed * noise.seed_growth**planted.tenfolds)[:, None]
    found = {}
    for target, one in planted.targets.items():
        # The bare backbone that `none` is scored with directly has no training seed.
        phase = tuned if one.direct else np.ones_like(tuned)
        own = checkpoint + spread * rng.standard_normal(shape) * phase
        for code in one.languages:
            levels = np.stack([truth.level(arm, target, code) for arm in planted.arms])[:, :, None]
            found[(target, code)] = levels + own + noise.wobble * rng.standard_normal(shape) * phase
    return found


def _judged(truth: Truth, expected: dict[tuple[str, str], np.ndarray], rng: np.random.Generator) -> dict[Cell, Judged]:
    planted, found = truth.planted, {}
    for target, one in planted.targets.items():
        count, ones = one.examples, np.ones(one.examples)
        meaning = rng.standard_normal(count, dtype=np.float32)
        for code in one.languages:
            names = [f"{n:05d}" if one.parallel else f"{code}-{n:05d}" for n in range(count)]
            ids = np.array(names, dtype=object)
            hard = rng.standard_normal(count, dtype=np.float32)
            if one.parallel:
                hard = _mix(meaning, hard, planted.noise.meaning)
            points = expected[(target, code)]
            luck = _mix(hard, rng.standard_normal((*points.shape, count), dtype=np.float32), planted.noise.difficulty)
            hits = luck <= ndtri(np.clip(points, LOWEST / 2, 100 - (100 - HIGHEST) / 2) / 100)[..., None]
            for arm_row, arm in enumerate(planted.arms):
                for size_row, size in enumerate(planted.sizes):
                    for seed_row, seed in enumerate(planted.seeds):
                        same = 0 if one.direct and arm == NONE else seed_row
                        right = hits[arm_row, size_row, same].astype(float)
                        found[(size, arm, target, seed, code)] = Judged(ids, right, ones, ones)
    return found


def _mix(shared: np.ndarray, own: np.ndarray, share: float) -> np.ndarray:
    """Standard normal, of which `share` of the variance is `shared`."""
    return np.float32(share**0.5) * shared + np.float32((1 - share) ** 0.5) * own


def _retained(planted: Planted, rng: np.random.Generator) -> Kept:
    """English dev scores of the arms' own tasks: {(size, arm, seed, task): before} and {(..., target): after}."""
    before: dict[tuple[str, str, int, str], float] = {}
    after: dict[tuple[str, str, int, str, str], float] = {}
    noise, count = planted.noise, planted.dev_examples
    for arm in planted.treated:
        made_of = planted.arms[arm]
        assert made_of is not None, "checked by Planted"
        for size, tenfolds in zip(planted.sizes, planted.tenfolds, strict=True):
            for seed in planted.seeds:
                for task in made_of.tasks:
                    level = made_of.learned + noise.checkpoint * rng.standard_normal()
                    hard = rng.standard_normal(count, dtype=np.float32)
                    before[(size, arm, seed, task)] = _dev(level, hard, noise.difficulty, rng)
                    for target, one in planted.targets.items():
                        if not one.direct:
                            left = made_of.retention.at(tenfolds) + noise.retention * rng.standard_normal()
                            score = _dev(level * float(left) / 100, hard, noise.difficulty, rng)
                            after[(size, arm, seed, task, target)] = score
    return Kept(before, after)


def _dev(points: float, hard: np.ndarray, difficulty: float, rng: np.random.Generator) -> float:
    luck = _mix(hard, rng.standard_normal(len(hard), dtype=np.float32), difficulty)
    return 100 * float(np.mean(luck <= ndtri(np.clip(points, 1.0, 99.0) / 100)))

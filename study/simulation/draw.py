"""How is a study drawn? Real right and wrong answers, one per test example, whose expectation is what was planted.

A checkpoint answers an example right when its luck stays below the quantile of the checkpoint's expected score. Luck
is standard normal: a part belongs to the example (all checkpoints find it hard, in a parallel test set in all
languages), the rest to this one answer. Right answers then come at exactly the planted rate, and comparisons paired by
example are surer than unpaired ones, as in real studies.

    evidence, truth = draw(planted, seed=7)           # the same seed: the same study, to the bit
"""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.special import ndtri

from study.analysis.basis import DevCell, Evidence
from study.analysis.languages import Language
from study.analysis.resample import Cell, Judged
from study.simulation.planted import HIGHEST, LOWEST, Planted
from study.simulation.records import Kept, Place, records, spec_of
from study.simulation.truth import Truth, draw_effects
from study.spec import NONE


def draw(planted: Planted, seed: int) -> tuple[Evidence, Truth]:
    """A finished study, and what is true of it."""
    effects, training, examples, kept = (np.random.default_rng([seed, stream]) for stream in range(4))
    truth = Truth(planted, draw_effects(planted, effects))
    judged = _judged(truth, _expected(truth, training), examples)
    retained = _retained(planted, kept)
    found = Evidence(
        spec=spec_of(planted, seed),
        records=records(planted, judged, retained),
        judged=judged,
        languages=_facts(planted),
        dev_judged=_dev_cells(retained),
    )
    return found, truth


def _facts(planted: Planted) -> dict[str, Language]:
    return {
        code: Language(code, code, one.family, one.script, one.distance, seen=dict.fromkeys(planted.sizes, one.seen))
        for code, one in planted.languages.items()
    }


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
    """Answers on the English dev sets of the arms' own tasks, before and after every target phase."""
    before: dict[tuple[str, str, int, str], Judged] = {}
    after: dict[tuple[str, str, int, str, str], Judged] = {}
    noise, count = planted.noise, planted.dev_examples
    tasks = dict.fromkeys(task for arm in planted.arms.values() if arm for task in arm.tasks)
    hard = {task: rng.standard_normal(count, dtype=np.float32) for task in tasks}
    tuned = [target for target, one in planted.targets.items() if not one.direct]
    ids = np.array([f"dev-{n:05d}" for n in range(count)], dtype=object)

    def answers(task: str, points: float) -> Judged:
        luck = _mix(hard[task], rng.standard_normal(count, dtype=np.float32), noise.difficulty)
        hits = (luck <= ndtri(np.clip(points, 1.0, 99.0) / 100)).astype(float)
        return Judged(ids, hits, np.ones(count), np.ones(count))

    for arm in planted.treated:
        made_of = planted.arms[arm]
        assert made_of is not None, "checked by Planted"
        for (size, tenfolds), seed in product(zip(planted.sizes, planted.tenfolds, strict=True), planted.seeds):
            for task in made_of.tasks:
                level = made_of.learned + noise.checkpoint * rng.standard_normal()
                before[(size, arm, seed, task)] = answers(task, level)
                for target in tuned:
                    left = float(made_of.retention.at(tenfolds)) + noise.retention * rng.standard_normal()
                    after[(size, arm, seed, task, target)] = answers(task, level * left / 100)
    return Kept(before, after)


def _dev_cells(kept: Kept) -> dict[DevCell, Judged]:
    """The same by the keys of the evaluations."""
    found: dict[DevCell, Judged] = {}
    for (size, arm, seed, task), judged in kept.before.items():
        found[(Place("evaluation", size, arm, None, seed).key, task, "en")] = judged
    for (size, arm, seed, task, target), judged in kept.after.items():
        found[(Place("evaluation", size, arm, target, seed).key, task, "en")] = judged
    return found

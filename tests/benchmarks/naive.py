"""What does the usual bootstrap give? Percentiles of means over seeds and languages drawn with replacement.

The report does not use it: resampling a handful of things with replacement makes intervals that are too short by the
root of n / (n - 1), and normal where Student's t is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from study.analysis.basis import Basis
from study.analysis.gains import gains_by_language


def draws(found: Basis, arm: str, targets: Sequence[str], size: str) -> np.ndarray:
    """(seeds, languages, draws) pooled gains on resampled examples; the targets must have the same languages."""
    by_seed = []
    for seed in found.design.seeds:
        leaves = [gains_by_language(found.resampled, arm, target, (size, seed)) for target in targets]
        by_seed.append([np.mean([one[code][1] for one in leaves], axis=0) for code in sorted(leaves[0])])
    return np.array(by_seed)


def interval(values: np.ndarray, languages: bool) -> tuple[float, float, float]:
    """(mean, low, high) of (seeds, languages, draws): seeds redrawn, and languages if the interval is to hold them."""
    rng = np.random.default_rng(0)
    seeds, codes, count = values.shape
    which = rng.integers(0, codes, (count, codes)) if languages else np.tile(np.arange(codes), (count, 1))
    chosen = rng.integers(0, seeds, (count, seeds))
    means = values[chosen[:, :, None], which[:, None, :], np.arange(count)[:, None, None]].mean(axis=(1, 2))
    low, high = np.percentile(means, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)

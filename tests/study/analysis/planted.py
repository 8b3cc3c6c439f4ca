"""Whole studies with known gains, drawn as scores with their bootstrap draws: no records, no predictions, fast.

basis = study(gain=lambda arm, target, size: 2.0, dice=7)     # every arm adds two points everywhere

What makes scores differ: a seed's luck (a checkpoint's, and a target phase's), examples that all checkpoints share,
and examples' luck with single checkpoints. Test examples are drawn as normal noise of the right size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import numpy as np
import pandas as pd

from study.analysis import gains
from study.analysis.basis import Basis
from study.analysis.frame import Design
from study.analysis.resample import Resampled

SIZES = ("xs", "s", "m")
PARAMETERS = {"xs": 10_000, "s": 100_000, "m": 1_000_000, "l": 10_000_000, "xl": 100_000_000}
CODES = ("en", "de", "tr", "zh", "sw")
SHARED, OWN = 1.5, 1.0
"""Standard deviations of a language's score from test examples: all checkpoints', a single checkpoint's."""


def study(
    gain: Callable[[str, str, str], float] = lambda arm, target, size: 0.0,
    dice: int = 0,
    sizes: tuple[str, ...] = SIZES,
    arms: tuple[str, ...] = ("none", "siqa", "csqa"),
    targets: tuple[str, ...] = ("xcopa", "udpos", "xquad"),
    seeds: tuple[int, ...] = (0, 1, 2),
    codes: tuple[str, ...] = CODES,
    level: Mapping[str, float] | None = None,
    seed_noise: float = 1.0,
    draws: int = 150,
) -> Basis:
    """`level` is the score without an arm by size; the default rises by ten points per tenfold parameters."""
    rng = np.random.default_rng(dice)
    level = level or {size: 10 * np.log10(PARAMETERS[size]) for size in sizes}
    design = Design("planted", sizes, arms, targets, seeds, parameters={s: PARAMETERS[s] for s in sizes})
    shared = {pair: rng.normal(0, SHARED, draws + 1) for pair in product(targets, codes)}
    points, drawn = {}, {}
    for size, arm, seed in product(sizes, arms, seeds):
        checkpoint = rng.normal(0, seed_noise)
        for target in targets:
            truth = level[size] + (gain(arm, target, size) if arm != "none" else 0.0)
            phase = checkpoint + rng.normal(0, seed_noise)
            for code in codes:
                noise = shared[(target, code)] + rng.normal(0, OWN, draws + 1)
                value = truth + phase + noise[0]
                points[(size, arm, target, seed, code)] = value
                drawn[(size, arm, target, seed, code)] = value + noise[1:]
    return basis(Resampled(draws, points, drawn), design)


def basis(resampled: Resampled, design: Design) -> Basis:
    """A basis of scores alone: no records, no costs, no facts about languages."""
    nothing = pd.DataFrame()
    pools = {arm: gains.pooled_gain(resampled, design, arm) for arm in design.treated}
    return Basis(
        spec={},
        records=[],
        failures={},
        notes=(),
        design=design,
        rows=nothing,
        cells=nothing,
        tasks=nothing,
        missing=[],
        resampled=resampled,
        dev_judged={},
        languages={},
        phases=nothing,
        scores={},
        gains={
            arm: {target: one for target in design.targets if (one := gains.gain(resampled, design, arm, target))}
            for arm in design.treated
        },
        pools={arm: pool for arm, pool in pools.items() if pool},
    )

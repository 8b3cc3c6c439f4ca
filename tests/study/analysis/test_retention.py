"""Is retention paired by dev example, over what had been learned, and related to gain only where that can be told?"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from study.analysis.frame import Design
from study.analysis.relation import FEWEST_CLUSTERS, relation
from study.analysis.resample import Judged, resample
from study.analysis.retention import COLUMNS, ratio_draws, retention_series
from study.analysis.series import Entry, series

DESIGN = Design(
    "toy", ("xs", "s", "m"), ("none", "siqa"), ("xcopa", "udpos"), (0, 1), parameters={"xs": 10, "s": 100, "m": 1000}
)


def row(size="xs", arm="siqa", target="xcopa", seed=0, task="siqa", before=80.0, after=60.0, learned=30.0) -> dict:
    keys = {"key": f"{size}-{arm}-{target}-{seed}", "key_before": f"{size}-{arm}-{seed}"}
    scores = {"before": before, "after": after, "retention": 100 * after / before, "learned": learned}
    place = {"size": size, "parameters": DESIGN.parameters[size], "arm": arm, "target": target, "seed": seed}
    return {**place, "task": task, "language": "en", **scores, **keys}


def table(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=COLUMNS)


def judged(hits: np.ndarray) -> Judged:
    ones = np.ones(len(hits))
    return Judged(np.array([f"e{n}" for n in range(len(hits))], dtype=object), hits.astype(float), ones, ones)


def drawn(after: np.ndarray, before: np.ndarray, count: int = 400):
    cells = {("after", "", "siqa", 0, "en"): judged(after), ("before", "", "siqa", 0, "en"): judged(before)}
    one = table({**row(), "retention": 100 * after.sum() / before.sum(), "key": "after", "key_before": "before"})
    return ratio_draws(one, resample(cells, count), count)


def test_the_ratio_is_paired_by_example():
    before = np.arange(200) % 4 > 0
    assert drawn(before, before) == pytest.approx(100.0)  # the same examples right: 100 % in every draw
    half = before & (np.arange(200) % 2 == 0)
    ratios = drawn(half, before)
    share = half.sum() / before.sum()
    expected = 100 * np.sqrt(share * (1 - share) / before.sum())  # `half` is a part of `before`: a share, binomial
    assert ratios.mean() == pytest.approx(100 * share, abs=1.0)
    assert ratios.std() == pytest.approx(expected, rel=0.15)


def test_without_predictions_a_ratio_has_no_noise_of_examples():
    one = table(row())
    assert (ratio_draws(one, resample({}, 10), 10) == 75.0).all()
    assert retention_series(one, np.full((1, 10), 75.0), DESIGN, "siqa") is None


def test_retention_is_the_mean_over_targets_and_may_be_narrowed():
    rows = [row(target=t, seed=s, after=a) for t, s, a in (("xcopa", 0, 60), ("xcopa", 1, 64), ("udpos", 0, 40))]
    whole = table(*rows, row(target="udpos", seed=1, after=44))
    found = retention_series(whole, np.tile(whole["retention"].to_numpy()[:, None], (1, 9)), DESIGN, "siqa")
    assert found.points == pytest.approx([65.0])
    narrow = retention_series(whole, np.zeros((4, 9)), DESIGN, "siqa", ["xcopa"])
    assert narrow.points == pytest.approx([77.5])


def test_tasks_that_were_not_learned_everywhere_are_left_out():
    """Task b was learned at s only: the mean must not change because its parts do."""
    rows = [row(size=size, seed=seed, after=60 + seed) for size in ("xs", "s") for seed in (0, 1)]
    rows += [row(size="s", seed=seed, task="b", after=20) for seed in (0, 1)]
    rows += [row(size="xs", seed=seed, task="b", after=20, learned=1.0) for seed in (0, 1)]
    whole = table(*rows)
    found = retention_series(whole, np.tile(whole["retention"].to_numpy()[:, None], (1, 9)), DESIGN, "siqa")
    assert found.sizes == ("xs", "s") and found.points == pytest.approx([75.625, 75.625])


def test_a_place_that_lacks_a_target_is_left_out():
    rows = [row(size=size, target=t, seed=s) for size in ("xs", "s") for t in ("xcopa", "udpos") for s in (0, 1)]
    whole = table(*[one for one in rows if (one["size"], one["target"]) != ("s", "udpos")])
    found = retention_series(whole, np.random.default_rng(0).normal(75, 1, (len(whole), 50)), DESIGN, "siqa")
    assert found.sizes == ("xs",)


def world(slope: float, dice: int, arms: int = 4, noise: float = 1.0):
    """Retention and gain of every cell of a study; a checkpoint's luck with the gain is shared by its targets."""
    rng = np.random.default_rng(dice)
    names = tuple(f"arm{n}" for n in range(arms))
    design = Design("w", DESIGN.sizes, ("none", *names), DESIGN.targets, (0, 1), parameters=DESIGN.parameters)
    rows, gains = [], {}
    for arm in names:
        entries: dict = {target: {} for target in design.targets}
        for size, seed in design.places:
            luck, kept = rng.normal(0, noise), rng.normal(0, 5)
            for target in design.targets:
                left = 70 + kept + rng.normal(0, 5)
                rows.append(row(size, arm, target, seed, before=100.0, after=left))
                value = slope * left + luck + rng.normal(0, 0.5)
                entries[target][(size, seed)] = Entry(value, np.full(5, value))
        gains[arm] = {t: series(arm, t, entries[t], design.sizes, design.parameters) for t in design.targets}
    return relation(table(*rows), gains, design)


def test_a_planted_relation_is_covered_and_noise_is_none():
    planted = [world(0.3, dice) for dice in range(60)]
    assert np.mean([one.slope.low < 0.3 < one.slope.high for one in planted]) > 0.85
    assert np.mean([one.within.low < 0.3 < one.within.high for one in planted]) > 0.85
    assert all(one.clusters == 24 and len(one.rows) == 48 for one in planted)
    claims = sum(world(0.0, dice).slope.clear for dice in range(150))
    assert claims <= stats.binom.ppf(0.999, 150, 0.05)


def test_rank_correlation_has_the_sign_of_the_relation():
    assert world(0.5, 0).spearman > 0.4 > -0.4 > world(-0.5, 0).spearman


def test_few_checkpoints_cannot_tell():
    found = world(0.3, 0, arms=1)
    assert found.clusters == 6 < FEWEST_CLUSTERS
    assert found.slope is None and found.within is None and found.spearman is None and len(found.rows) == 12

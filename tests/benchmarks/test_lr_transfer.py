"""The sums of the benchmark, by hand; its training is that of the studies."""

from dataclasses import asdict

import pytest

from tests.benchmarks import lr_transfer
from tests.study.analysis.searches import searched


def records(lost: dict[int, float]):
    """For every search seed a search at xs, and at m a full one and a narrowed one that loses so many points."""
    for seed, loss in lost.items():
        for record in (
            searched(f"xs{seed}", "xs", 40.0),
            searched(f"m{seed}", "m", 60.0 + seed),
            searched(f"n{seed}", "m", 60.0 + seed - loss, 2, by=f"xs{seed}"),
        ):
            search = {**record.identity["search"], "seed": seed}
            yield record.model_copy(update={"identity": {**record.identity, "search": search}})


def test_mean_interval_and_savings_by_hand():
    found = lr_transfer.result(list(records({0: 1.0, 1: 3.0, 2: -1.0})), {})
    one = found.kinds["target"]
    # Mean 1, standard deviation 2, error 2 / sqrt(3), Student's t of 2 degrees of freedom 4.303.
    assert (one.searches, one.mean, one.worse, one.better) == (3, 1.0, 2, 1)
    assert (one.low, one.high) == (pytest.approx(1 - 4.968, abs=2e-3), pytest.approx(1 + 4.968, abs=2e-3))
    assert one.spread == 1.0
    # Of 3 x (4 + 4) trials 3 x 2 are saved; every trial costs the same.
    assert found.saved == {"trials": 0.25, "FLOPs": 0.25}
    assert (found.seeds, found.trials) == (3, (4, 2))
    text = "\n".join(lr_transfer.markdown({**asdict(found), "sizes": ("xs", "m")}))
    assert "| target | 3 | **+1.0** (−4.0 to +6.0) | 2 | 1 | 1.0 |" in text
    assert "Saved: 25 % of all trials" in text

"""Do shares sum to what was spent, are frontier points never dominated, and do the cheapest ways reach their scores?"""

from dataclasses import replace
from math import inf, isnan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study.analysis import cost, spent
from study.analysis.basis import basis
from study.analysis.frame import Design
from study.analysis.frontier import WAYS, Frontier, cheapest, grid, pareto
from study.analysis.noise import Estimate
from study.analysis.prices import POOLED, price
from study.analysis.shares import UNITS, cells, shares
from study.records import Cost
from study.report import load
from tests.study.analysis import planted_evidence as planted
from tests.study.analysis.planted_evidence import trial
from tests.study.report.synthetic import Plan, build

DESIGN = Design("toy", ("s", "m"), ("none", "a"), ("x", "y", "r"), (0, 1), direct=frozenset({"r"}))
KINDS = ("pretrain", "intermediate", "target", "evaluation")


def phase(kind, size="s", arm=None, target=None, seed=None, flops=8.0, winner=2.0, key="", **used) -> dict:
    """`used`: `tuned_by`, `narrowed_by`."""
    whole = kind in spent.TUNED
    return {
        "key": key or f"{kind}-{size}-{arm}-{target}-{seed}",
        "kind": kind,
        "size": size,
        "arm": arm,
        "target": target,
        "seed": seed,
        "flops": flops,
        "hours": flops / 10,
        "winner_flops": winner if whole else flops,
        "winner_hours": (winner if whole else flops) / 10,
        **{"tuned_by": None, "narrowed_by": None, **used},
    }


def paid(table: pd.DataFrame, unit: str = "flops", **where) -> float:
    for column, value in where.items():
        table = table[table[column] == value]
    return float(table[unit].sum())


def test_an_intermediate_phase_is_shared_by_its_targets_and_its_search_by_the_seeds():
    """Seed 0 searches for 8 FLOPs, of which the winner's run is 2; seed 1 runs the winner for 2."""
    rows = [
        phase("intermediate", arm="a", seed=0, key="i0"),
        phase("intermediate", arm="a", seed=1, flops=2.0, tuned_by="i0"),
    ]
    table = shares(pd.DataFrame(rows), DESIGN).table
    assert len(table) == 6  # three targets, two seeds
    assert paid(table, target="x", seed=0) == pytest.approx(2 / 3 + 6 / 6)
    assert paid(table, target="r", seed=1) == pytest.approx(2 / 3 + 6 / 6)
    assert paid(table, "winner_flops", target="y") == pytest.approx(4 / 3)


def test_larger_sizes_that_searched_around_a_winner_pay_for_its_search():
    """Size s tries 8 FLOPs' worth, 2 of which win; at m both seeds rest on that, and on the 4 of m's own search."""
    rows = [
        phase("target", arm="a", target="x", seed=0, key="t0"),
        phase("target", arm="a", target="x", seed=1, flops=2.0, tuned_by="t0"),
        phase("target", "m", "a", "x", 0, flops=8.0, winner=4.0, key="m0", narrowed_by="t0"),
        phase("target", "m", "a", "x", 1, flops=4.0, winner=4.0, tuned_by="m0"),
    ]
    for order in (rows, rows[::-1]):
        found = shares(pd.DataFrame(order), DESIGN)
        assert found.per_seed(["target"], "s", "a", ["x"])["flops"] == pytest.approx(2 + 6 / 4)
        assert found.per_seed(["target"], "m", "a", ["x"])["flops"] == pytest.approx(4 + 4 / 2 + 6 / 4)
        assert found.per_seed(["target"], "m", "a", ["x"])["winner_flops"] == 4.0


def test_base_models_serve_all_arms_and_scoring_those_that_were_scored():
    rows = [
        phase("pretrain", flops=24.0),
        phase("evaluation", arm="none", flops=4.0),
        phase("evaluation", arm="a", seed=1, flops=3.0),
        phase("evaluation", arm="a", target="x", seed=1, flops=5.0),
    ]
    table = shares(pd.DataFrame(rows), DESIGN).table
    base = table[table["kind"] == "pretrain"]
    assert len(base) == 12 and set(base["flops"]) == {2.0}
    assert paid(table, kind="evaluation", arm="none", target="r", seed=0) == 2.0  # of both seeds
    assert paid(table, kind="evaluation", arm="a", target="r", seed=1) == 3.0
    assert paid(table, kind="evaluation", arm="a", target="x", seed=1) == 5.0


def test_per_seed_divides_by_the_seeds_that_paid():
    rows = [phase("target", arm="a", target="x", seed=0, flops=6.0), phase("target", arm="a", target="y", seed=0)]
    found = shares(pd.DataFrame(rows), DESIGN)
    assert found.per_seed(["target"], "s", "a", ["x", "y"])["flops"] == pytest.approx(14.0)
    assert found.per_seed(["target"], "s", "none", ["x"]) is None


phases = st.builds(
    phase,
    kind=st.sampled_from(KINDS),
    size=st.sampled_from(("s", "m", "gone")),
    arm=st.sampled_from((None, "none", "a", "gone")),
    target=st.sampled_from((None, "x", "y", "r")),
    seed=st.sampled_from((None, 0, 1)),
    flops=st.floats(1.0, 1e6),
    winner=st.floats(0.0, 1.0),
    tuned_by=st.sampled_from((None, "first", "absent")),
    narrowed_by=st.sampled_from((None, "first", "absent")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(phases, min_size=1, max_size=12))
def test_shares_and_what_lies_outside_sum_to_what_was_spent(rows):
    rows = [{**row, "key": "first" if number == 0 else str(number)} for number, row in enumerate(rows)]
    table = pd.DataFrame(rows)
    found = shares(table, DESIGN).table
    inside = [
        bool(cells(row, DESIGN.seeds if pd.isna(row.seed) else (row.seed,), DESIGN)) for row in table.itertuples()
    ]
    for unit in UNITS:
        assert found[unit].sum() == pytest.approx(table[inside][unit].sum())
    assert (found[UNITS] >= -1e-9).all().all()


def test_price_has_the_interval_of_the_gain():
    found = price(12.0, Estimate(4.0, 2.0, 6.0))
    assert (found.point, found.low, found.high) == (3.0, 2.0, 6.0)
    unsure = price(12.0, Estimate(1.0, -2.0, 4.0))
    assert isnan(unsure.point) and (unsure.low, unsure.high) == (3.0, inf)
    assert isnan(price(12.0, Estimate(-3.0, -4.0, -1.0)).low)
    assert price(0.0, Estimate(4.0, 2.0, 6.0)).point == 0.0
    assert isnan(price(0.0, Estimate(4.0, -2.0, 6.0)).point)


scores = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=1, max_size=10)


@settings(max_examples=60, deadline=None)
@given(scores)
def test_the_frontier_is_what_nothing_dominates(points):
    spent_, scored = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    best = pareto(spent_, scored)
    assert best.any()
    for index, kept in enumerate(best):
        better = [
            other
            for other in range(len(points))
            if spent_[other] <= spent_[index]
            and scored[other] >= scored[index]
            and (spent_[other], scored[other]) != (spent_[index], scored[index])
        ]
        assert kept == (not better)
        if better:  # and then something on the frontier is at least as good
            assert any(best[other] for other in better)


@settings(max_examples=60, deadline=None)
@given(scores)
def test_the_cheapest_way_reaches_the_score_and_nothing_cheaper_does(points):
    table = pd.DataFrame(0.0, index=range(len(points)), columns=WAYS)
    table["size"], table["arm"] = [f"z{n}" for n in range(len(points))], "a"
    table["flops"] = [float(paid_) for paid_, _ in points]
    table["hours"] = table["flops"].to_numpy()[::-1]
    table["score"] = [float(score) for _, score in points]
    draws = np.tile(table["score"].to_numpy()[:, None], (1, 3))
    found = cheapest(Frontier(table, draws))
    assert len(found) == 2 * len(grid(table["score"].to_numpy()))
    for row in found.itertuples():
        assert row.reached >= row.score and row.chance == 1.0
        assert getattr(row, row.unit) == table[table["score"] >= row.score][row.unit].min()


def test_grid_is_round_and_inside():
    assert grid([61.2, 74.0]) == [60, 62, 64, 66, 68, 70, 72, 74]
    assert grid([61.2]) == [61.0] and grid([]) == []
    assert all(len(grid([low, low + span])) <= 8 for low in (0.0, 13.7, 59.9) for span in (0.1, 3.0, 17.0, 60.0))


def test_devices_are_workers_times_gpus_of_a_trial():
    two = {"compute": {"workers": 2, "gpus_per_trial": 4}}
    assert spent.devices(two, "target") == 8 and spent.devices(two, "evaluation") == 4
    assert spent.devices({"compute": {"workers": 0, "gpus_per_trial": 0.5}}, "intermediate") == 0.5
    assert spent.devices({}, "target") == 1.0 and not spent.on_gpus({})


def test_lost_trials_and_scoring_are_counted():
    tried = (trial(0, flops=2.0), trial(1, "diverged", flops=3.0), trial(2, "failed", flops=4.0))
    tried += (trial(3, "pruned", flops=1.0),)  # a part of the search, as any other trial that did not win
    spent_ = Cost(seconds=10.0, flops=10.0, winner_flops=2.0, winner_seconds=2.0)
    record = planted.record("target", "s", 1, "a", "x", 0, trials=tried, cost=spent_)
    scoring = record.model_copy(update={"key": "e", "kind": "evaluation", "trials": (), "cost": Cost(flops=1.0)})
    table = spent.by_kind(spent.phases([record, scoring], {"compute": {"gpus_per_trial": 2}}), DESIGN)
    row = table.set_index("kind").loc["target"]
    assert (row["lost_flops"], row["lost_seconds"]) == (7.0, 7.0) and row["hours"] == pytest.approx(20 / 3600)
    assert table.set_index("kind").loc["evaluation", "winner_flops"] == 1.0


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    plan = Plan(gains={"xs": 0.0, "s": 12.0, "m": 12.0}, seed_noise=0.2, examples=300, resamples=200, seeds=(0, 1, 2))
    return basis(load.evidence(build(tmp_path_factory.mktemp("cost") / "toy", plan)))


def test_planted_gain_gets_its_price(base):
    """At size s seed 0 tries 4 rates and two seeds one, each for 1e11 x 5.2 FLOPs, and all targets gain 4 together."""
    found = cost.find(base)
    rows = found.prices.set_index(["target", "size"])
    whole = 6 * 5.2e11 / 3
    assert rows.loc[(POOLED, "s"), "flops"] == pytest.approx(whole)
    assert rows.loc[("xcopa", "s"), "flops"] == pytest.approx(whole / 3)
    assert rows.loc[(POOLED, "s"), "winner_flops"] == pytest.approx(5.2e11)
    at = rows.loc[(POOLED, "s")]
    assert at["flops_per_point_low"] < whole / 4 < at["flops_per_point_high"] < inf
    assert rows.loc[("xcopa", "s"), "alone_flops_per_point"] == pytest.approx(
        3 * rows.loc[("xcopa", "s"), "flops_per_point"]
    )
    assert (
        isnan(rows.loc[(POOLED, "xs"), "flops_per_point"]) and rows.loc[(POOLED, "xs"), "flops_per_point_high"] == inf
    )


def test_planted_step_gets_its_price(base):
    """8 points from xs to s; a target phase costs 6 trials of 1e11 x (5.2 - 1.7) FLOPs more over three seeds."""
    rows = cost.find(base).steps.set_index(["target", "size"])
    wanted = 2 * 6 * 3.5e11 / 3 / 8
    assert rows.loc[(POOLED, "xs"), "flops_per_point_low"] < wanted < rows.loc[(POOLED, "xs"), "flops_per_point_high"]
    assert rows.loc[("tatoeba", "xs"), "flops_per_point"] == 0.0  # scored without tuning, so size is free there


def test_money_needs_a_price_and_gpus(base):
    assert cost.find(base).rate is None
    priced = replace(base, spec={**base.spec, "report": {"gpu_hour_price": 2.5}})
    assert cost.find(priced).rate is None
    found = cost.find(replace(priced, spec={**priced.spec, "compute": {"gpus_per_trial": 1}}))
    assert found.rate == 2.5
    assert np.allclose(found.prices["money"].astype(float), 2.5 * found.prices["hours"])


def test_frontier_has_complete_ways_only(tmp_path):
    plan = Plan(sizes=("xs", "s"), examples=60, resamples=40)
    found = cost.find(basis(load.evidence(build(tmp_path / "toy", plan, {("s", "siqa", "udpos", 1)}))))
    ways = {(row.size, row.arm) for row in found.frontier.ways.itertuples()}
    assert ways == {("xs", "none"), ("xs", "siqa"), ("s", "none")}
    assert found.frontier.ways["on_flops"].any()


def test_a_step_whose_target_phase_has_no_record_has_no_price(tmp_path):
    """Without the record the phase would be counted as free, and the next size as nearly free or as a saving."""
    plan = Plan(sizes=("xs", "s"), examples=60, resamples=40)
    evidence = load.evidence(build(tmp_path / "toy", plan))
    lost = [one for one in evidence.records if one.key != "target-s-none-xcopa-1"]
    found = cost.find(basis(replace(evidence, records=lost)))
    rows = found.steps.set_index("target")
    assert rows.loc["xcopa", "lacking"] == rows.loc[POOLED, "lacking"] == "xcopa/s/seed 1"
    for target in ("xcopa", POOLED):
        assert rows.loc[target, ["flops", "flops_per_point", "flops_per_point_low", "hours"]].isna().all()
    assert rows.loc["udpos", "lacking"] == "" and rows.loc["udpos", "flops"] > 0
    assert ("s", "none") not in {(row.size, row.arm) for row in found.frontier.ways.itertuples()}

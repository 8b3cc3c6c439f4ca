"""Do records become the right cells, retention, costs and overheads?"""

import numpy as np
import pytest

from study.analysis import retention, spent, trials
from study.analysis.frame import missing_cells, observed, result_cells, scores, task_scores
from tests.study.report.synthetic import DISTANCE, Plan, build


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    plan = Plan(retained=0.8, resamples=50, examples=200)
    return build(tmp_path_factory.mktemp("tables") / "toy", plan, skip={("m", "siqa", "udpos", 1)})


@pytest.fixture(scope="module")
def records(store):
    return store.records()


def test_design_is_seen_in_records(records):
    design = observed(records)
    assert design.sizes == ("xs", "s", "m") and design.arms == ("none", "siqa") and design.seeds == (0, 1)
    assert design.direct == {"tatoeba"} and design.targets == ("udpos", "xcopa", "tatoeba")


def test_backbone_counts_for_every_seed(records):
    cells = result_cells(scores(records, observed(records)))
    bare = cells[(cells["stage"] == "backbone") & (cells["size"] == "xs")]
    assert set(bare["seed"]) == {0, 1} and set(bare["target"]) == {"tatoeba"} and bare["key"].nunique() == 1


def test_task_score_is_the_unweighted_mean_over_languages(records):
    design = observed(records)
    cells = result_cells(scores(records, design))
    row = task_scores(cells, design).iloc[0]
    mine = cells[(cells[["size", "arm", "target", "seed"]] == row[["size", "arm", "target", "seed"]]).all(axis=1)]
    assert len(mine) == row["languages"] == len(DISTANCE)
    assert row["score"] == pytest.approx(mine["score"].mean())
    assert row["others"] == pytest.approx(mine[mine["language"] != "en"]["score"].mean())


def test_dev_scores_are_no_results(records):
    design = observed(records)
    assert "siqa" not in set(result_cells(scores(records, design))["target"])


def test_missing_cell_is_named(records):
    design = observed(records)
    assert missing_cells(result_cells(scores(records, design)), design) == [("m", "siqa", "udpos", 1)]


def test_retention_is_after_over_before(records):
    design = observed(records)
    table = retention.retention(scores(records, design))
    assert len(table) == 3 * 2 * 2 - 1
    assert np.allclose(table["retention"], 100 * table["after"] / table["before"])
    ratios = np.tile(table["retention"].to_numpy()[:, None], (1, 50))
    found = retention.retention_series(table, ratios, design, "siqa")
    assert found is not None and found.mean().low < 80 < found.mean().high and found.mean().high < 100


def test_little_to_retain_is_left_out(records):
    design = observed(records)
    table = retention.retention(scores(records, design)).assign(learned=1.0)
    assert retention.retention_series(table, np.zeros((len(table), 50)), design, "siqa") is None


def test_costs_add_up_and_include_the_search(records):
    design = observed(records)
    table = spent.phases(records, {})
    kinds = spent.by_kind(table, design)
    assert kinds["flops"].sum() == pytest.approx(sum(record.cost.flops for record in records))
    assert list(kinds["kind"].unique()) == ["pretrain", "intermediate", "target", "evaluation"]
    row = kinds[(kinds["kind"] == "intermediate") & (kinds["size"] == "xs")].iloc[0]
    assert row["trials"] == 5 and row["flops"] == pytest.approx(5 * row["winner_flops"] / 2)


def test_overhead_keeps_the_first_trial_apart(records):
    found = trials.overhead(trials.trials(records))
    assert found.warm_median == pytest.approx(0.3) and found.warm_max == pytest.approx(0.3)
    assert found.first_median == pytest.approx(4.0)


def test_no_trials_no_overhead():
    found = trials.overhead(trials.trials([]))
    assert found.warm == 0 and found.warm_median is None

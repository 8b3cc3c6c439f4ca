"""What does the page say of sizes that searched around the winners of the smallest one?"""

from dataclasses import replace
from pathlib import Path

import pytest

from study.report.cautions import cautions
from study.report.chapters.cost import SEARCHES
from study.report.findings import gather
from study.report.sections import lost_trials
from study.report.tables import csv_tables
from study.store import Store
from tests.study.report.synthetic import Plan, build

PLAN = Plan(sizes=("xs", "s"), targets=("xcopa",), seeds=(0, 1), examples=30, resamples=10)
FULL = {"search": {"trials": 4, "seed": 0, "window": [0.001, 0.03]}}


def narrow(store: Store, keep_full: bool) -> None:
    """Search at size s again, with two trials that lose a point; with or without the full searches beside them."""
    for record in store.records():
        if record.search is None:
            continue
        store.write_record(record.model_copy(update={"identity": FULL}))
        if record.size != "s":
            continue
        twin = record.key.replace("-s-", "-xs-")
        worse = record.winner.model_copy(update={"score": record.winner.score - 1.0})
        changes = {
            "key": f"{record.key}-narrowed" if keep_full else record.key,
            "identity": {"search": {"trials": 2, "seed": 0}},
            "search": record.search.model_copy(update={"narrowed_by": twin, "trials": 2}),
            "trials": record.trials[:2],
            "winner": worse,
            "finished": "2026-01-02T00:00:00Z",
        }
        store.write_record(record.model_copy(update=changes))


def test_arms_that_were_not_searched_alike_are_named_with_their_phases(tmp_path: Path):
    """Half of a study that changed its number of trials: an intermediate phase has no target to be named by."""
    store = build(tmp_path / "toy", replace(PLAN, arms=("none", "siqa", "csqa")))
    for record in store.records():
        if record.search and record.arm == "siqa":
            store.write_record(record.model_copy(update={"trials": record.trials[:2]}))
    [line] = [line for line in cautions(gather(store)) if "same number of trials" in line]
    names = "intermediate at xs, intermediate at s, target xcopa at xs, target xcopa at s"
    assert line == f"Arms were not searched with the same number of trials: {names}."


def test_regret_is_not_said_to_be_all_of_it_a_worse_rate():
    """The best of four dev scores lies above the best of two even where all rates are as good."""
    (table,) = [table for table in SEARCHES.tables if table.name == "regret"]
    assert "In part by selection alone" in table.note


@pytest.mark.parametrize("keep_full", [False, True])
def test_the_page_says_which_sizes_were_narrowed_and_what_is_known_of_the_loss(tmp_path: Path, keep_full: bool):
    store = build(tmp_path / "toy", PLAN)
    assert not any("search.transfer" in line for line in cautions(gather(store)))
    narrow(store, keep_full)
    found = gather(store)
    [line] = [line for line in cautions(found) if "search.transfer" in line]
    assert line.startswith("Sizes s searched around the winners of the smallest size, with half the trials")
    tables = csv_tables(found)
    table = tables["fairness"].set_index(["kind", "size"])
    assert (table.loc[("target", "xs"), "trials"], table.loc[("target", "s"), "trials"]) == (4, 2)
    assert table["equal"].all() and list(table.loc["target", "narrowed"]) == [False, True]
    assert not any("same number of trials" in line for line in cautions(found)), "sizes differ, arms do not"
    if keep_full:
        assert line.endswith(
            "full minus narrowed dev score, where the store holds both (3 searches): +1.0 on the mean."
        )
        assert list(tables["regret"]["regret"]) == pytest.approx([1.0] * 3)
    else:
        assert line.endswith("what that lost in score is not known of this study.")
        assert tables["regret"].empty


def test_the_page_tells_stopped_trials_from_lost_ones(tmp_path: Path):
    """Two of the four trials of one search at s, at half of their steps; they are no trials that came to nothing."""
    store = build(tmp_path / "toy", PLAN)
    lost = len(lost_trials(gather(store), csv_tables(gather(store))).rows)
    assert not any("search.early_stopping" in line for line in cautions(gather(store)))
    record = next(one for one in store.records() if one.search and one.size == "s" and one.arm == "none")
    early = {"status": "pruned", "score": None, "steps": record.trials[0].steps // 2}
    kept = [trial for trial in record.trials if trial.number == record.winner.trial or trial.status != "finished"]
    stopped = [trial.model_copy(update=early) for trial in record.trials if trial not in kept]
    store.write_record(record.model_copy(update={"trials": (*kept, *stopped)}))
    found = gather(store)
    tables = csv_tables(found)
    [line] = [line for line in cautions(found) if "search.early_stopping" in line]
    assert line.startswith(f"{len(stopped)} of {len(found.trials)} trials were stopped early and could not win")
    assert len(lost_trials(found, tables).rows) == lost
    table = tables["searches"].set_index("key")
    assert table.loc[record.key, "pruned"] == len(stopped) > 0 and table["pruned"].sum() == len(stopped)
    rows = tables["fairness"].set_index(["kind", "size"])
    assert rows.loc[("target", "s"), "pruned"] == len(stopped) and rows.loc[("target", "xs"), "pruned"] == 0
    assert 0 < rows.loc[("target", "s"), "steps_saved"] < 0.5

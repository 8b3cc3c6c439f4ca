"""Are the rows what the records say?"""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from study.mirror_rows import about, adapter, cell_rows, params, points, trial_rows
from study.mirror_scaling import scaling_rows, unit
from study.mirror_source import groups
from study.records import Record
from study.store import Store
from tests.study.small_store import write_store
from trainables import storage
from trainables.config import TuneConfig
from trainables.models.ladders import ladder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return write_store(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def records(store: Store) -> dict[str, Record]:
    return {record.key: record for record in store.records()}


def test_cell_scores_and_retention(records: dict[str, Record]) -> None:
    (row,) = cell_rows(records["evaluation-s-siqa-xcopa-1"], records)
    values = {point.key: point.value for point in row.points}
    assert row.name == "cell s siqa xcopa 1"
    assert values["xcopa/et"] == 55.0 and values["xcopa/zh"] == 64.0 and values["score"] == 59.5
    assert values["retention"] == pytest.approx(45 / 60)
    assert values["training_seconds"] == 6.0  # intermediate + target, not the pretraining
    assert row.model == "target-s-siqa-xcopa-1"


def test_the_bare_backbone_is_a_shared_cell_of_arm_none(records: dict[str, Record]) -> None:
    (row,) = cell_rows(records["evaluation-xs-none"], records)
    assert row.name == "cell xs none tatoeba shared" and row.tags["seed"] == "shared"


def test_scaling_pairs_gains_by_seed_and_with_the_shared_backbone(records: dict[str, Record]) -> None:
    rows = {row.name: row for row in scaling_rows(records)}
    assert set(rows) == {f"scaling {arm} {task}" for arm in ("none", "siqa") for task in ("xcopa", "tatoeba")}
    found = [(point.key, point.step, point.value) for point in rows["scaling siqa tatoeba"].points]
    assert found == [("score", 36, 25.5), ("gain", 36, 5.5), ("score", 90, 25.5), ("gain", 90, 5.5)]
    assert all(point.key == "score" for point in rows["scaling none xcopa"].points)


def test_scaling_shows_what_the_last_run_asked_for_and_not_what_ran_between(records: dict[str, Record]) -> None:
    asked = "evaluation-s-siqa-xcopa-1"
    worse = [score.model_copy(update={"score": 1.0}) for score in records[asked].scores]
    between = records[asked].model_copy(update={"key": "between", "finished": "2099-01-01", "scores": tuple(worse)})
    ours = {row.name: row.points for row in scaling_rows(records)}
    both = {row.name: row.points for row in scaling_rows({**records, "between": between}, {asked})}
    assert both == ours
    assert {row.name: row.points for row in scaling_rows({**records, "between": between})} != ours


def test_unit_of_the_step() -> None:
    assert unit([1_000_000, 7 * 10**9]) == (10**6, "millions")
    assert unit([999_999, 7 * 10**9]) == (10**3, "thousands")


def test_a_trial_looks_the_same_before_and_after_its_phase_is_recorded(records: dict[str, Record]) -> None:
    record = records["target-s-siqa-xcopa-1"]
    early = trial_rows(about(record), record.trials)
    late = trial_rows(about(record), record.trials, record)
    assert [row.digest for row in early] == [row.digest for row in late]
    assert late[0].end - late[0].start == 1500


def test_trials_of_a_running_phase_are_described_by_the_plan(store: Store, tmp_path: Path) -> None:
    from study.plan import Phase

    copy = Store(shutil.copytree(store.path, tmp_path / "lab"))
    record = copy.record("target-s-siqa-xcopa-1")
    assert record is not None
    for trial in record.trials:
        copy.write_trial(record.key, trial)
    recorded = {group.key: group for group in groups(copy)}[record.key]
    storage.remove(copy.join("phases", record.key, "record.json"))
    config = TuneConfig.model_construct(size=ladder("lab").size("s"))
    phase = Phase(record.key, "target", "s", "siqa", "xcopa", 1, config, record.identity, record.parent, "pretrain-s")
    early = {group.key: group for group in groups(copy, [phase])}[record.key]
    assert [row.digest for row in early.rows] == [row.digest for row in recorded.rows]
    assert early.adapter is None and recorded.adapter is not None


def test_not_finite_is_left_out(records: dict[str, Record]) -> None:
    assert points({"a": math.nan, "b": math.inf, "c": None, "d": 1.0}) == points({"d": 1.0})
    record = records["target-s-siqa-xcopa-1"]
    row = trial_rows(about(record), record.trials)[1]
    assert row.tags["status"] == "diverged" and "NaN" not in row.document
    assert [(p.key, p.step) for p in row.points if p.key == "loss"] == [("loss", 50)]


def test_a_trial_that_was_stopped_early_is_a_finished_run_without_a_score(records: dict[str, Record]) -> None:
    record = records["target-s-siqa-xcopa-1"]
    note = "not worth going on with dev score 31.0 at step 50"
    changes = {"status": "pruned", "score": None, "dev": ((50, 31.0),), "steps": 50, "note": note}
    [row] = trial_rows(about(record), [record.trials[0].model_copy(update=changes)])
    assert (row.tags["status"], row.tags["note"], row.failed) == ("pruned", note, False)
    found = {(point.key, point.step) for point in row.points}
    assert ("flops", 50) in found and not any(name == "dev_score" for name, _ in found), "it ranks below all others"


def test_params_are_flat_and_short() -> None:
    found = params({"config": {"adapter": {"rank": 8}}, "cells": ["x" * 40] * 40, "odd:key": "v"})
    assert found["config.adapter.rank"] == "8" and found["odd_key"] == "v"
    assert len(found["cells"]) <= 500
    assert found["cells"] != params({"cells": ["x" * 40] * 41})["cells"]
    assert len(params({str(n): n for n in range(300)})) == 100


def test_adapter_names_its_files(store: Store, records: dict[str, Record]) -> None:
    found = adapter(records["intermediate-s-siqa-0"], store.path)
    assert found is not None
    assert found.tags["uri"] == store.checkpoint_folder("intermediate-s-siqa-0") and len(found.tags["sha256"]) == 64
    assert [(point.key, point.value, point.step) for point in found.points] == [("dev_score", 70.0, 100)]
    assert adapter(records["pretrain-s"], store.path) is None


def test_cells_come_after_the_adapters_they_scored(store: Store) -> None:
    keys = [group.key for group in groups(store)]
    for key in keys:
        if key.startswith("evaluation") and f"target{key[10:]}" in keys:
            assert keys.index(f"target{key[10:]}") < keys.index(key)
    assert keys[-1] == "scaling"

"""A phase on a worker: record last, failures in one line, nothing done twice."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from study.lease import Lease
from study.records import Search
from study.work import Job, Tuned, finished_trials, run_phase, run_trial, tune_once
from tests.study.phases import bowl, calls, job, record, target_phase
from trainables import storage
from trainables.errors import DataError, Preempted, StorageError
from trainables.storage import read_json

SEARCHED = "target-xs-s0"


def tuned_job(folder: Path) -> Job:
    one = job(folder, target_phase(seed=1, tuned_by=SEARCHED))
    one.store.write_record(record(target_phase(seed=0), learning_rate=3e-3))
    return one


def several(one: Job, rates: list[float], **options) -> Tuned:
    trials = [run_trial(one, number, rate, bowl(3e-3, **options)) for number, rate in enumerate(rates)]
    return Tuned(trials, Search(window=(1e-3, 1e-2), trials=len(trials), verdict="interior", extended=False))


def test_tuned_phase_takes_the_recorded_learning_rate_and_publishes_its_checkpoint(tmp_path):
    one = tuned_job(tmp_path)
    result = run_phase(one, partial(tune_once, host=bowl(3e-3)))
    assert (result.status, result.line) == ("done", "dev 90.0  lr 3.0e-03  1 trial")
    found = one.store.record(one.phase.key)
    assert found.winner.learning_rate == 3e-3
    assert found.lineage == ("pretrain-xs", "target-xs-s1")
    assert found.checkpoint.files.keys() == {"weights.json"}
    assert found.versions["torch"]
    assert not Path(one.store.trial_folder(one.phase.key, 0)).exists(), "the trial's folder has no reader any more"


def test_a_phase_whose_leavings_cannot_be_removed_is_done(tmp_path, monkeypatch):
    """As on NFS, where a folder keeps the files that somebody has open."""
    one, real = tuned_job(tmp_path), storage.remove

    def refuse(path: str) -> None:
        if path.endswith(("/trials", "/failure.json", "/progress.json")):
            raise StorageError(f"cannot remove {path}: Directory not empty; choose another --storage")
        real(path)

    monkeypatch.setattr(storage, "remove", refuse)
    assert run_phase(one, partial(tune_once, host=bowl(3e-3))).status == "done"
    assert one.store.record(one.phase.key) and not one.store.failure(one.phase.key)


def test_cost_holds_the_whole_search_and_the_winner_its_own(tmp_path):
    one = job(tmp_path, target_phase())
    assert run_phase(one, partial(several, rates=[1e-3, 3e-3, 9e-3])).status == "done"
    found = one.store.record(one.phase.key)
    assert (found.cost.flops, found.cost.winner_flops) == (3e6, 1e6)
    assert found.winner.trial == 1
    assert read_json(one.store.join(found.checkpoint.path, "weights.json")) == {"learning_rate": 3e-3}
    assert found.cost.wall_seconds >= found.cost.seconds


def test_a_diverged_trial_is_recorded_and_never_wins(tmp_path):
    one = job(tmp_path, target_phase())
    assert run_phase(one, partial(several, rates=[1e-3, 9e-3], diverges_above=5e-3)).status == "done"
    found = one.store.record(one.phase.key)
    assert [trial.status for trial in found.trials] == ["finished", "diverged"]
    assert found.trials[1].last_loss is None
    assert found.winner.trial == 0


def test_all_diverged_is_one_line(tmp_path):
    one = job(tmp_path, target_phase())
    result = run_phase(one, partial(several, rates=[1e-3, 9e-3], diverges_above=0.0))
    assert result.status == "failed"
    assert result.line == ("target-xs-s0: all trials diverged (learning rates 1.0e-03, 9.0e-03); lower search.window")
    assert one.store.failure(one.phase.key) == result.line
    assert one.store.record(one.phase.key) is None


def test_a_recorded_phase_is_not_run_again(tmp_path):
    one = tuned_job(tmp_path)
    for _ in range(2):
        assert run_phase(one, partial(tune_once, host=bowl(3e-3))).status == "done"
    assert len(calls(one)) == 1


def test_a_trial_that_was_finished_before_a_kill_is_kept_and_a_half_one_is_not(tmp_path):
    one = tuned_job(tmp_path)
    run_trial(one, 0, 3e-3, bowl(3e-3))
    assert run_phase(one, partial(tune_once, host=bowl(3e-3))).status == "done"
    assert len(calls(one)) == 1
    other = tuned_job(tmp_path / "other")
    run_trial(other, 0, 3e-3, bowl(3e-3))
    storage.remove(storage.join(other.store.trial_folder(other.phase.key, 0), "checkpoint"))
    assert run_phase(other, partial(tune_once, host=bowl(3e-3))).status == "done"
    assert len(calls(other)) == 2


def test_a_phase_that_another_driver_runs_is_held(tmp_path):
    one = tuned_job(tmp_path)
    with Lease(one.store, one.phase.key):
        result = run_phase(one, partial(tune_once, host=bowl(3e-3)))
    assert result.status == "held"
    assert calls(one) == []


def test_failures_are_one_line_with_the_traceback_in_the_log(tmp_path):
    one = tuned_job(tmp_path)

    def bad_data(*_):
        raise DataError("xcopa: train.jsonl:3: not JSON")

    def bug(*_):
        raise ZeroDivisionError("division\nby zero")

    assert run_phase(one, partial(tune_once, host=bad_data)).line == "xcopa: train.jsonl:3: not JSON"
    result = run_phase(one, partial(tune_once, host=bug))
    assert result.line == "ZeroDivisionError: division by zero"
    log = Path(one.store.join("phases", one.phase.key, "log.txt")).read_text()
    assert "Traceback" in log and "ZeroDivisionError" in log
    assert run_phase(one, partial(tune_once, host=bowl(3e-3))).status == "done"
    assert one.store.failure(one.phase.key) == "", "a success clears the failure"


def test_a_phase_that_had_to_go_has_not_failed(tmp_path):
    one = tuned_job(tmp_path)

    def told_to_go(*_):
        raise Preempted("told to go after step 7 of 10; its state is written")

    result = run_phase(one, partial(tune_once, host=told_to_go))
    assert (result.status, result.line) == ("preempted", "told to go after step 7 of 10; its state is written")
    assert one.store.failure(one.phase.key) == ""
    assert finished_trials(one) == []
    assert run_phase(one, partial(tune_once, host=bowl(3e-3))).status == "done", "its lease is free"


def test_missing_record_of_the_search_is_named(tmp_path):
    one = job(tmp_path, target_phase(seed=1, tuned_by=SEARCHED))
    assert SEARCHED in run_phase(one, partial(tune_once, host=bowl(3e-3))).line


def test_a_job_is_plain_data(tmp_path):
    import pickle

    one = tuned_job(tmp_path)
    assert pickle.loads(pickle.dumps(one)) == one
    assert json.dumps(one.runtime().model_dump())

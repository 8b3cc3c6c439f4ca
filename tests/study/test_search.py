"""A real search: Ray Tune, Optuna, worker processes; only the training is a stand-in."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from study.search import search
from study.work import Job, finished_trials
from tests.study.phases import bowl, calls, job, target_phase
from trainables import storage
from trainables.errors import DataError, Preempted, StudyError

SLIVER = {"CPU": 0.001}
WANTED = {"search": {"trials": 5, "window": (1e-3, 1e-2), "seed": 0}}


@pytest.fixture(scope="module", autouse=True)
def local_ray() -> Iterator[None]:
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    yield
    ray.shutdown()


def test_search_resumed_after_a_loss_equals_an_undisturbed_one(tmp_path):
    whole = job(tmp_path / "whole", target_phase(), **WANTED)
    train, processes = bowl(3e-3), tmp_path / "processes"

    def noting(config, rate, places, *more):
        with open(processes, "a") as file:
            file.write(f"{os.getpid()}\n")
        return train(config, rate, places, *more)

    expected = search(whole, noting, SLIVER, concurrent=1)
    assert len(expected.trials) == len(calls(whole)) == 5
    assert expected.search.trials == 5
    assert len(set(processes.read_text().split())) == 1, "a trial starts at once, in the warm process of the one before"

    cut = job(tmp_path / "cut", target_phase(), **WANTED)
    search(cut, bowl(3e-3), SLIVER, concurrent=3)
    for number in (1, 4):
        storage.remove(cut.store.join("phases", cut.phase.key, "trials", f"{number}.json"))
    again = search(cut, bowl(3e-3), SLIVER, concurrent=3)
    assert len(calls(cut)) == 7, "only the two lost trials were run again"
    keep = {"number", "learning_rate", "status", "score"}
    assert [t.model_dump(include=keep) for t in again.trials] == [t.model_dump(include=keep) for t in expected.trials]
    assert again.search == expected.search


def test_divergence_is_an_outcome(tmp_path):
    one = job(tmp_path, target_phase(), **WANTED)
    found = search(one, bowl(3e-3, diverges_above=5e-3), SLIVER, concurrent=1)
    assert {trial.status for trial in found.trials} == {"finished", "diverged"}
    assert len(found.trials) == 5
    assert found.search.verdict == "interior"


def test_a_trial_that_fails_ends_the_search_with_its_line(tmp_path):
    one = job(tmp_path, target_phase(), **WANTED)

    def bad_data(config, rate, places, runtime, report):
        with open(f"{places.root}.calls", "a") as file:
            file.write(f"{rate}\n")
        raise DataError("xcopa: train.jsonl:3: not JSON")

    with pytest.raises(StudyError, match="^xcopa: train.jsonl:3: not JSON$"):
        search(one, bad_data, SLIVER, concurrent=1)
    assert len(calls(one)) == 1, "the next trial would fail in the same way"
    assert finished_trials(one) == []


def test_a_trial_whose_process_is_killed_goes_on_and_is_given_up_in_one_clear_line(tmp_path):
    """As the kernel does when the memory runs out. Here the trial trains in its own process, as on a GPU."""
    one = job(tmp_path, target_phase(), search={"trials": 1})
    train = bowl(3e-3)

    def killed(config, rate, places, runtime, report):
        with open(f"{places.root}.deaths", "a") as file:
            file.write("x")
        if Path(f"{places.root}.deaths").stat().st_size <= survives:
            os.kill(os.getpid(), signal.SIGKILL)
        return train(config, rate, places, runtime, report)

    survives = 99
    with pytest.raises(StudyError, match=r"^its process was killed 3 times, most likely because the memory ran out: "):
        search(one, killed, SLIVER, concurrent=1)
    assert Path(f"{one.data_root}.deaths").read_text() == "xxx" and calls(one) == []
    survives = 5
    assert search(one, killed, SLIVER, concurrent=1).trials[0].status == "finished"
    assert len(calls(one)) == 1


def test_a_trial_that_had_to_go_is_taken_up_again_with_the_search(tmp_path):
    expected = search(job(tmp_path / "whole", target_phase(), **WANTED), bowl(3e-3), SLIVER, concurrent=1)
    one = job(tmp_path / "cut", target_phase(), **WANTED)
    train = bowl(3e-3)

    def told_to_go(config, rate, places, runtime, report):
        marker = Path(f"{places.root}.told")
        if len(calls(one)) == 2 and not marker.exists():
            marker.touch()
            raise Preempted("told to go after step 7 of 10")
        return train(config, rate, places, runtime, report)

    with pytest.raises(Preempted, match="^trial 2: told to go after step 7 of 10$"):
        search(one, told_to_go, SLIVER, concurrent=1)
    assert [trial.number for trial in finished_trials(one)] == [0, 1]
    again = search(one, told_to_go, SLIVER, concurrent=1)
    assert len(calls(one)) == 5, "what was finished is not run again"
    keep = {"number", "learning_rate", "status", "score"}
    assert [t.model_dump(include=keep) for t in again.trials] == [t.model_dump(include=keep) for t in expected.trials]
    assert again.search == expected.search


def test_nothing_of_tune_or_optuna_is_left_in_the_store(tmp_path):
    one = job(tmp_path, target_phase(), search={"trials": 1})
    found = search(one, bowl(3e-3), SLIVER, concurrent=1)
    assert found.search.verdict == "single"
    folder = Path(one.store.phase_folder(one.phase.key))
    assert sorted(path.name for path in folder.iterdir()) == ["progress.json", "trial-0.txt", "trials"]


def test_the_keys_of_a_storage_are_not_asked_of_ray_for_a_trial(tmp_path, monkeypatch):
    """Tune would: they would stand in Ray's lists and, while the worker starts, in its command line."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "planted")
    train = bowl(3e-3)

    def noting(config, rate, places, *more):
        Path(f"{places.root}.asked").write_text(ray.get_runtime_context().get_runtime_env_string())
        return train(config, rate, places, *more)

    one = job(tmp_path, target_phase(), search={"trials": 1})
    search(one, noting, SLIVER, concurrent=1)
    asked = Path(f"{one.data_root}.asked").read_text()
    assert "env_vars" in asked and "planted" not in asked


def test_searches_at_the_same_time_run_their_own_trials(tmp_path):
    """Tune keeps functions by name, in one table for all searches of a driver."""

    @ray.remote(num_cpus=0)
    def searched(one: Job) -> int:
        Path(f"{one.data_root}.ready").touch()
        while len(list(tmp_path.glob("*/data.ready"))) < 2:
            time.sleep(0.01)
        return len(search(one, bowl(3e-3), SLIVER, concurrent=1).trials)

    jobs = [job(tmp_path / str(seed), target_phase(seed), search={"trials": 2}) for seed in (0, 1)]
    assert ray.get([searched.remote(one) for one in jobs]) == [2, 2]
    assert [len(calls(one)) for one in jobs] == [2, 2]

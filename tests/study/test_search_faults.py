"""A search whose processes are killed, anywhere and any number of times, ends with the trials of an undisturbed one.

What is killed comes back from the files of the store alone: the Optuna study is made anew, knows the finished trials
and no others, and asks for the lost ones under their own numbers.
"""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from unittest import mock

import optuna
import pytest
import ray
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from study import search as searching
from study import work
from study.records import Trial
from study.sampler import NUMBER, RATE, Sampler, best
from study.search import FAILURE, PREEMPTED, SCORE, rebuilt, search
from study.work import Job, finished_trials, run_trial
from tests.study.phases import bowl, calls, job, target_phase

SLIVER = {"CPU": 0.001}
HOST = bowl(3e-3, diverges_above=8e-3)
POINTS = ("training", "checkpoint", "outcome", "trial")
"""After which of its parts a trial's process is killed."""


class Killed(BaseException):
    """The end of a process: nothing after it runs."""


def killed_after(point: str, one: Job, number: int, rate: float) -> None:
    """Run a trial up to a point of its life, and no further."""

    def host(config, learning_rate, places, runtime, report):
        if point == "training":
            raise Killed
        outcome = HOST(config, learning_rate, places, runtime, report)
        if point == "checkpoint":
            raise Killed
        return outcome

    stops = {"outcome": mock.patch.object(work.Store, "write_trial", side_effect=Killed)}
    with suppress(Killed), stops.get(point, mock.MagicMock()):
        run_trial(one, number, rate, host)


def states(algorithm: searching.OrderedSearch) -> list[TrialState]:
    return [trial.state for trial in algorithm._ot_study.get_trials()]


def life(one: Job, sampler: Sampler, concurrent: int, chance, killed: bool) -> None:
    """One life of a driver, as Tune leads it: it asks, runs side by side, hears in any order, and may be killed."""
    done = finished_trials(one)
    left, asked = sampler.trials - len(done), 0
    flying: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as folder:
        algorithm = rebuilt(sampler, done, folder)
        assert states(algorithm) == [TrialState.COMPLETE] * len(done), "finished trials, none that runs"
        for over in range((chance.draw(st.integers(0, left)) if killed else left) + 1):
            while asked < left and len(flying) < min(concurrent, sampler.startup):
                point = algorithm.suggest(str(asked))
                if point is None:  # it waits for results
                    break
                flying[str(asked)], asked = point, asked + 1
            if over == left or (killed and not chance.draw(st.booleans())):
                break
            name = chance.draw(st.sampled_from(sorted(flying)))
            point = flying.pop(name)
            trial = run_trial(one, int(point[NUMBER]), point[RATE], HOST)
            algorithm.on_trial_result(name, {SCORE: value(trial), "training_iteration": 1})
            algorithm.on_trial_complete(name, {SCORE: value(trial)})
        for point in flying.values():
            killed_after(chance.draw(st.sampled_from(POINTS)), one, int(point[NUMBER]), point[RATE])
        assert killed or states(algorithm) == [TrialState.COMPLETE] * sampler.trials


def undisturbed(one: Job, sampler: Sampler) -> list[Trial]:
    """The trials of a search, one after the other, without Tune and Optuna's study."""
    for number in range(sampler.trials):
        before = [(trial.learning_rate, value(trial)) for trial in finished_trials(one)]
        run_trial(one, number, sampler.rate(number, before), HOST)
    return finished_trials(one)


def value(trial: Trial) -> float:
    return {"diverged": -1.0, "pruned": -0.5}.get(trial.status, trial.score)


def outcome(trials: list[Trial]) -> list[tuple]:
    return [(trial.number, trial.learning_rate, trial.status, trial.score, trial.dev, trial.steps) for trial in trials]


@pytest.mark.parametrize("stopping", [False, True])
@settings(deadline=None, max_examples=40)
@given(trials=st.integers(1, 8), kills=st.integers(0, 3), concurrent=st.integers(1, 4), seed=st.integers(0, 9), chance=st.data())  # fmt: skip  # noqa: E501
def test_a_search_killed_anywhere_ends_with_the_trials_of_an_undisturbed_one(
    stopping, trials, kills, concurrent, seed, chance
):
    """With early stopping, too: the same trials are stopped, at the same steps."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        sampler = Sampler((1e-3, 1e-2), trials, seed, "target-xs-s0")
        asked = {"search": {"trials": trials, "early_stopping": stopping}}
        whole = job(Path(folder, "whole"), target_phase(evaluations=4), **asked)
        cut = job(Path(folder, "cut"), target_phase(evaluations=4), **asked)
        expected = outcome(undisturbed(whole, sampler))
        for _ in range(kills):
            ended = {trial.learning_rate for trial in finished_trials(cut)}
            earlier = [rate for rate in calls(cut) if rate in ended]
            life(cut, sampler, concurrent, chance, killed=True)
            assert [rate for rate in calls(cut) if rate in ended] == earlier, "what ended is not run again"
            assert set(outcome(finished_trials(cut))) <= set(expected), "nothing else was tried"
        life(cut, sampler, concurrent, chance, killed=False)
        found = finished_trials(cut)
        assert outcome(found) == expected
        assert [trial.number for trial in found] == list(range(trials)), "what was killed used up no budget"
        assert len({trial.learning_rate for trial in found}) == trials, "no rate was tried twice"
        assert set(calls(cut)) == set(calls(whole)), "a lost trial is run again at its own rate"
        assert all(trial.status != "pruned" for trial in found if trial.number < sampler.startup or not stopping)


def test_trials_of_such_a_search_are_stopped_at_all(tmp_path):
    sampler = Sampler((1e-3, 1e-2), 8, 0, "target-xs-s0")
    one = job(tmp_path, target_phase(evaluations=4), search={"trials": 8, "early_stopping": True})
    found = undisturbed(one, sampler)
    stopped = [trial for trial in found if trial.status == "pruned"]
    assert stopped and all(trial.steps < 10 and trial.score is None for trial in stopped)
    winner = best(found)
    assert winner.status == "finished" and winner.steps == 10
    for trial in found:
        kept = Path(one.store.trial_folder(one.phase.key, trial.number)) / "checkpoint"
        assert kept.exists() == (trial.status == "finished")


@pytest.mark.parametrize("end", [{SCORE: 0.0, PREEMPTED: "told to go"}, {SCORE: 0.0, FAILURE: "no"}, None])
def test_what_was_lost_is_neither_running_nor_worth_anything(tmp_path, end):
    algorithm = rebuilt(Sampler((1e-3, 1e-2), 4, 0, "a"), [], str(tmp_path))
    algorithm.suggest("first")
    algorithm.on_trial_complete("first", end, error=end is None)
    assert states(algorithm) == [TrialState.FAIL]
    assert algorithm.suggest("second") == searching.Searcher.FINISHED


@pytest.fixture(scope="module")
def local_ray() -> Iterator[None]:
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    yield
    ray.shutdown()


@ray.remote(num_cpus=0, max_retries=0)
def searched(one: Job, host) -> int:
    Path(f"{one.data_root}.driver").write_text(str(os.getpid()))
    return len(search(one, host, SLIVER, concurrent=2).trials)


def killing(victim: str, at: int):
    """A host that trains like the others and, once, at its call number `at`, kills a process."""

    def host(config, rate, places, runtime, report):
        marker = Path(f"{places.root}.killed")
        earlier = Path(f"{places.root}.calls")
        number = len(earlier.read_text().splitlines()) if earlier.exists() else 0
        if number == at and not marker.exists():
            marker.touch()
            if victim == "driver":
                os.kill(int(Path(f"{places.root}.driver").read_text()), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        return HOST(config, rate, places, runtime, report)

    return host


@pytest.mark.parametrize(("victim", "at", "stopping"), [("driver", 2, False), ("trial", 4, False), ("trial", 6, True)])
def test_a_process_of_a_real_search_is_killed(tmp_path, local_ray, monkeypatch, victim, at, stopping):
    trials = 8 if stopping else 5
    wanted = {"search": {"trials": trials, "window": (1e-3, 1e-2), "seed": 0, "early_stopping": stopping}}
    whole = job(tmp_path / "whole", target_phase(evaluations=4), **wanted)
    expected = undisturbed(whole, Sampler((1e-3, 1e-2), trials, 0, "target-xs-s0"))
    assert stopping == any(trial.status == "pruned" for trial in expected)
    cut = job(tmp_path / "cut", target_phase(evaluations=4), **wanted)
    if victim == "driver":
        with pytest.raises(ray.exceptions.WorkerCrashedError):
            ray.get(searched.remote(cut, killing(victim, at)))
        assert len(finished_trials(cut)) <= at
    made: list[searching.OrderedSearch] = []
    monkeypatch.setattr(searching, "rebuilt", lambda *given: made.append(rebuilt(*given)) or made[-1])
    kept: list[list[TrialState]] = []
    ended = searching.OrderedSearch.on_trial_complete

    def tell(self, *given, **named):
        ended(self, *given, **named)
        kept.append(states(self))

    monkeypatch.setattr(searching.OrderedSearch, "on_trial_complete", tell)
    again = search(cut, killing(victim, at), SLIVER, concurrent=2)
    assert outcome(again.trials) == outcome(expected)
    assert kept[-1] == [TrialState.COMPLETE] * trials, "nothing is left running"
    assert Path(f"{cut.data_root}.killed").exists()

"""The walk of a finished search under the rule is the search that would have been; and the sums of the benchmark."""

from dataclasses import asdict
from pathlib import Path

import pytest

from study.records import Search
from study.sampler import Sampler, best, points
from study.work import Job, finished_trials, run_trial
from tests.benchmarks import early_stopping
from tests.study.phases import bowl, calls, job, record, target_phase

WINDOW, TRIALS = (1e-3, 1e-2), 8
HOST = bowl(3e-3, diverges_above=9e-3)


def searched(folder: Path, stopping: bool, seed: int) -> Job:
    """All trials of a search, one after the other."""
    asked = {"search": {"trials": TRIALS, "early_stopping": stopping}}
    one = job(folder, target_phase(evaluations=4), **asked)
    sampler = Sampler(WINDOW, TRIALS, seed, one.phase.key)
    for number in range(TRIALS):
        run_trial(one, number, sampler.rate(number, points(finished_trials(one))), HOST)
    return one


def finished(one: Job, seed: int):
    trials = finished_trials(one)
    found = Search(window=WINDOW, trials=TRIALS, verdict="interior", extended=False)
    search = {"window": WINDOW, "trials": TRIALS, "seed": seed}
    identity = {"config": one.phase.config.model_dump(), "search": search}
    winner = record(one.phase, best(trials).learning_rate).winner.model_copy(update={"score": best(trials).score})
    changes = {"trials": tuple(trials), "search": found, "winner": winner, "identity": identity}
    return record(one.phase).model_copy(update=changes)


@pytest.mark.parametrize("seed", range(6))
def test_a_walk_is_the_search_that_stops_trials(tmp_path, seed):
    whole, stopped = (searched(tmp_path / str(stopping), stopping, seed) for stopping in (False, True))
    fresh = job(tmp_path / "fresh", target_phase(evaluations=4))
    found = early_stopping.walk(finished(whole, seed), 4, lambda number, rate: run_trial(fresh, number, rate, HOST))
    asked = ("number", "learning_rate", "status", "score", "dev", "steps")
    real = finished_trials(stopped)
    assert [[getattr(one, name) for name in asked] for one in found] == [
        [getattr(one, name) for name in asked] for one in real
    ]
    assert [one.flops for one in found] == pytest.approx([one.flops for one in real])
    assert any(one.status == "pruned" for one in real), "there is something to walk past"
    assert set(calls(fresh)) == {one.learning_rate for one in real} - set(calls(whole))


def test_sums_by_hand():
    base = {"kind": "target", "size": "s", "arm": "none", "target": "xcopa", "full": 60.0, "trials": 8, "again": 1}
    rows = [
        {**base, "evaluations": "2", "search_seed": seed, "regret": lost, "stopped": 2, "full_flops": 80, "flops": 70}
        for seed, lost in enumerate((1.0, 3.0, -1.0))
    ]
    found = early_stopping.result(rows, {})
    one = found.kinds["2"]["target"]
    # Mean 1, standard deviation 2, error 2 / sqrt(3), Student's t of 2 degrees of freedom 4.303.
    assert (one.mean, one.worse, one.better, one.searches) == (1.0, 2, 1, 3)
    assert one.high == pytest.approx(1 + 4.968, abs=2e-3)
    assert (found.stopped, found.saved, found.again) == ({"2": 0.25}, {"2": 0.125}, {"2": 3})
    assert (found.seeds, found.trials) == (3, 8)
    text = "\n".join(early_stopping.markdown(asdict(found)))
    assert "| 2 dev scorings | **+1.0** (−4.0 to +6.0) | 2 of 3 | 25 % | 12 % |" in text
    both = asdict(early_stopping.result([*rows, {**rows[0], "kind": "intermediate"}], {}))
    assert "| 1 of 1, 2 of 3 | 25 % | 12 % |" in "\n".join(early_stopping.markdown(both)), "each kind has its own"
    same = early_stopping.result([{**row, "regret": 0.0} for row in rows], {})
    assert "| 2 dev scorings | none | 0 of 3 | 25 % | 12 % |" in early_stopping.markdown(asdict(same))

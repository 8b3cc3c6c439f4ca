"""How is the learning rate of one phase found? Ray Tune runs the trials, Optuna asks for them, our files remember.

    search(job, host, resources={"CPU": 0.001}, concurrent=1) -> Tuned(trials, Search)

Finished trials stand in the store (`trials/<n>.json`) and are fed back when a search is taken up again, so Tune's
and Optuna's own files are throw-away. Trials are numbered by the sampler, and one that looks at results waits for
all before it: the result is the same however many trials run at a time.
"""

from __future__ import annotations

import logging
import math
import os
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from ray import tune
from ray.tune.execution import class_cache
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from study import narrowing, phaselog
from study.records import Search, Trial
from study.sampler import NUMBER, RATE, Sampler, points, verdict
from study.work import Host, Job, Tuned, finished_trials, one_line, run_trial, search_window
from trainables import scratch, storage
from trainables.errors import Preempted, StudyError
from trainables.hosts import killed

SCORE, FAILURE, PREEMPTED = "score", "failure", "preempted"
DEATHS = 2
"""How often a trial whose process died (spot node, memory) is started again; it resumes from its last state."""


class OrderedSearch(OptunaSearch):
    """OptunaSearch that lets no trial look at results before all trials with a lower number have theirs.

    It also ends the search when a trial failed, because the next one would fail in the same way, and when a trial had
    to go: it is taken up again with the search. To Optuna both are failed trials without a value.
    """

    ended = False

    def suggest(self, trial_id: str) -> Any:
        if self.ended:
            return Searcher.FINISHED
        asked = len(self._evaluated_rewards or ()) + len(self._ot_trials)
        if asked >= self._sampler.startup and len(self._ot_trials) > len(self._completed_trials):
            return None
        return super().suggest(trial_id)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        lost = error or not {FAILURE, PREEMPTED}.isdisjoint(result or {})
        self.ended |= lost
        super().on_trial_complete(trial_id, None if lost else result, lost)


def search(job: Job, host: Host, resources: Mapping[str, float], concurrent: int) -> Tuned:
    """Run the trials of a phase that no earlier run finished. `resources` are those of the trial's own process.

    Raises `StudyError` when a trial fails for a reason a user can mend, `RuntimeError` otherwise, and `Preempted` when
    a trial's process had to go.
    """
    window, wanted = search_window(job), narrowing.trials(job.phase, job.spec)
    sampler = Sampler(window, wanted, job.spec.search.seed, job.phase.key)
    done = _own(job, sampler)
    if len(done) < wanted:
        _run(job, host, resources, concurrent, sampler, done)
    trials = finished_trials(job)
    if len(trials) != wanted:
        raise RuntimeError(f"{job.phase.key}: the search ended with {len(trials)} of {wanted} trials")
    low, high = window
    return Tuned(
        trials,
        Search(
            window=window,
            trials=len(trials),
            verdict=verdict(trials),
            extended=any(not low <= trial.learning_rate <= high for trial in trials),
            narrowed_by=job.phase.narrowed_by,
        ),
    )


def _own(job: Job, sampler: Sampler) -> list[Trial]:
    """Trials that an earlier run finished. Those of another window are removed: what narrows this search was made
    again meanwhile, and came out differently."""
    found = finished_trials(job)
    early = [trial for trial in found if trial.number < sampler.startup]
    if all(math.isclose(trial.learning_rate, sampler.rate(trial.number, ())) for trial in early):
        return found
    storage.remove(storage.join(job.store.phase_folder(job.phase.key), "trials"))
    return []


def _run(
    job: Job, host: Host, resources: Mapping[str, float], concurrent: int, sampler: Sampler, done: list[Trial]
) -> None:
    _quiet()
    with scratch.folder("search") as folder:
        tuner = tune.Tuner(
            tune.with_resources(_trainable(job, host), dict(resources)),
            tune_config=tune.TuneConfig(
                search_alg=rebuilt(sampler, done, folder),
                num_samples=sampler.trials - len(done),
                max_concurrent_trials=min(concurrent, sampler.startup),
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name=job.phase.key,
                storage_path=folder,
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=DEATHS),
            ),
        )
        # A failure says more than a trial that had to go.
        for result in sorted(tuner.fit(), key=lambda result: PREEMPTED in (result.metrics or {})):
            _raise_failure(job, result)


def rebuilt(sampler: Sampler, done: list[Trial], folder: str) -> OrderedSearch:
    """A new Optuna study that knows the trials that were finished, by number, and of no others: one that was cut off
    is asked for again, under its number and with its learning rate. `folder`: where the study keeps its journal."""
    return OrderedSearch(
        sampler.space(),
        metric=SCORE,
        mode="max",
        sampler=sampler,
        storage=JournalStorage(JournalFileBackend(os.path.join(folder, "optuna.log"))),
        points_to_evaluate=[{NUMBER: trial.number, RATE: trial.learning_rate} for trial in done] or None,
        evaluated_rewards=[value for _, value in points(done)] or None,
    )


def _trainable(job: Job, host: Host) -> Callable[[dict[str, Any]], None]:
    """`_trial` of this job, under the job's own name.

    Tune keeps functions by name, one table for the whole driver: of two searches that start at the same time under
    one name, one would run the trials of the other.
    """
    trainable = partial(_trial, job=job, host=host)
    vars(trainable)["__name__"] = f"trial-{job.phase.key}"
    return trainable


def _trial(config: dict[str, Any], job: Job, host: Host) -> None:
    """One trial, in its own process. Its failure is a result: an exception would only make Tune try again."""
    started = time.monotonic()
    number, rate = int(config[NUMBER]), float(config[RATE])
    try:
        with phaselog.to(storage.join(job.store.phase_folder(job.phase.key), f"trial-{number}.txt")):
            trial = run_trial(job, number, rate, host, started)
    except Preempted as error:
        tune.report({SCORE: 0.0, PREEMPTED: f"trial {number}: {error}"})
    except StudyError as error:
        tune.report({SCORE: 0.0, FAILURE: one_line(error), "mendable": True})
    except Exception as error:
        tune.report({SCORE: 0.0, FAILURE: one_line(error), "mendable": False, "trace": traceback.format_exc()})
    else:
        tune.report({SCORE: points([trial])[0][1]})


def _raise_failure(job: Job, result: tune.Result) -> None:
    if result.error is not None:
        phaselog.LOG.error("a trial died; the last time: %s", result.error)
        raise StudyError(killed(DEATHS + 1)) from result.error
    metrics = result.metrics or {}
    if PREEMPTED in metrics:
        raise Preempted(metrics[PREEMPTED])
    if FAILURE in metrics:
        if metrics["mendable"]:
            raise StudyError(metrics[FAILURE])
        phaselog.LOG.error(metrics["trace"])
        raise RuntimeError(metrics[FAILURE])


def _quiet() -> None:
    """One line per state change comes from the driver; Tune and Optuna keep their tables and notes to themselves."""
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    # It also copies the storage's keys into the environment that it asks of Ray for each trial; Ray shows that in its
    # lists and in command lines (ray 2.60). Nodes have keys of their own.
    keys = {name for name in class_cache.ENV_VARS_TO_PROPAGATE if name.startswith("AWS_")}
    class_cache.ENV_VARS_TO_PROPAGATE.difference_update(keys)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)

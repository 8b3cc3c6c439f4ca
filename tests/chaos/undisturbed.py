"""What comes out of a study when nobody disturbs it? Its phases one after the other in this process, without Ray.

    store = run(SPEC, tmp_path / "quiet")           # the text of a study

What a killed study ends with is compared with this: whatever Ray, Tune and the driver do must change no number.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import yaml

from study import narrowing, plan
from study.sampler import Sampler, points
from study.search import search
from study.specfile import parse
from study.store import Store
from study.work import Job, Tuned, finished_trials, run_phase, run_trial, search_window, tune_once
from trainables.hosts import own


def run(text: str, folder: Path) -> Store:
    """Where its records are."""
    spec = parse({**yaml.safe_load(text), "storage": str(folder)})
    store = Store(folder / spec.name)
    for row in plan.rows(spec, store):
        job = Job(row.phase, spec, store.path, plan.data_root(spec, store))
        done = run_phase(job, _searched if row.phase.tuned_by is None else partial(tune_once, host=own))
        assert done.status == "done", done.line
    return store


def _searched(job: Job) -> Tuned:
    """All trials in their order; the search then finds them made, and starts none."""
    sampler = Sampler(search_window(job), narrowing.trials(job.phase, job.spec), job.spec.search.seed, job.phase.key)
    for number in range(sampler.trials):
        run_trial(job, number, sampler.rate(number, points(finished_trials(job))), own)
    return search(job, own, {}, concurrent=1)

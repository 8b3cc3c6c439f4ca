"""How many requests does a study make of an object store? Counted by a real S3 server (moto) on loopback.

    python -m tests.benchmarks.requests_s3 --out FILE          # half a minute

Phases are run in this process by idle functions (`tests.benchmarks.idle`), so what is counted is bookkeeping alone: the
lease, the record, checkpoint and scores as files, and what reads them. A real adapter has a few files more.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import pytest
import typer

from study import plan
from study.lease import BEAT_SECONDS, Lease
from study.status import status
from study.store import Store
from study.work import REMOTE_SECONDS, Job, Progress, Tuned, run_phase, run_trial
from tests.benchmarks import idle
from tests.benchmarks.figures import Figures, keep
from tests.s3_server import serving
from tests.study.planned import spec_on
from trainables.lab import write_root


def main(out: Annotated[Path | None, typer.Option(help="Results file to put the figures into.")] = None) -> None:
    """Count them."""
    with tempfile.TemporaryDirectory() as folder, serving() as bucket:
        keep(out, "requests to an object store", counted(Path(folder), bucket))


def counted(folder: Path, bucket: str) -> Figures:
    """Requests by what they are made for; data is local here. "dear": PUT, POST and LIST, which cost twelve GETs."""
    root = str(folder / "data")
    write_root(root, 0)
    spec, store = spec_on(Path(root), sizes=["xs"], targets=["xcopa"], seeds=[0]), Store(f"{bucket}/tiny")
    rows = plan.rows(spec, store)
    jobs = [Job(row.phase, spec, store.path, root) for row in rows]
    figures: Figures = {}

    def count(name: str, times: float, work: Callable[[], object]) -> None:
        found = _requests(work)
        figures[name] = found.total() / times
        figures[f"{name}, dear"] = found["dear"] / times

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(idle.SECONDS, "0")
        for name, module in idle.modules().items():  # these alone: what is imported meanwhile stays imported
            patch.setitem(sys.modules, name, module)
        for job in jobs:
            if job.phase.kind in ("target", "evaluation") and f"a phase of {job.phase.kind}" not in figures:
                count(f"a phase of {job.phase.kind}", 1, partial(_run, job))
            else:
                _run(job)
    count("a finished phase, in a plan", len(rows), lambda: plan.rows(spec, store))
    done = plan.rows(spec, store)
    count("a finished phase, in a status after that", len(rows), lambda: status(spec, store, done))
    count("a waiting phase, in a status after a plan", len(rows), lambda: status(spec, store, rows))
    count("a second at work, reports", REMOTE_SECONDS, lambda: _reported(store, jobs[0]))
    with Lease(store, "a-phase", beat=3600.0) as lease:
        count("a second at work, lease", BEAT_SECONDS, lease.renew)
    return figures


def _requests(work: Callable[[], object]) -> Counter[str]:
    """Of each kind, from the server's own log."""
    log, seen = logging.getLogger("werkzeug"), Counter[str]()

    class Counting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            line = record.getMessage()
            seen["dear" if any(sign in line for sign in ("PUT ", "POST ", "list-type=")) else "cheap"] += 1

    handler, before = Counting(), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        work()
    finally:
        log.setLevel(before)
        log.removeHandler(handler)
    return seen


def _run(job: Job) -> None:
    """One trial where there is something to train, without Ray."""
    result = run_phase(job, lambda job: Tuned([run_trial(job, 0, 1e-3, idle.train)]))
    assert result.status == "done", result


def _reported(store: Store, job: Job) -> None:
    Progress(store.path, job.phase.key)({"step": 1, "steps": 10, "loss": 1.0})


if __name__ == "__main__":
    typer.run(main)

"""Whatever write fails, or is the last thing a process does: nothing finished is lost, and the next run ends the same.

Every file of a study reaches its place by one move. Here the n-th move of a process is refused (a full disk), or the
process ends just before it (a half-written file stays) or just after it (the file is there, and nobody knows).
`python -m tests.chaos.test_write_faults` goes through all n; the test takes some of them at random.
"""

from __future__ import annotations

import argparse
import errno
import multiprocessing
import os
import random
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from study import plan
from study.plan import data_root
from study.specfile import parse
from study.store import Store
from study.work import Job, Tuned, finished_trials, run_phase, run_trial
from tests.chaos.driver import results
from trainables.errors import StudyError
from trainables.phase import train

SPEC = {
    "name": "faults",
    "ladder": "lab",
    "sizes": ["xs"],
    "targets": ["xcopa"],
    "seeds": [0],
    "pretrain": {"steps": 30},
    "training": {"steps": {"default": 4}, "evaluations": 1},
    "compute": {"checkpoint_seconds": 0.01},
    "tracking": {"enabled": False},
}
KILLED = 9
FAULTS = ("disk full", "killed before", "killed after")


def _tune(job: Job) -> Tuned:
    return Tuned(finished_trials(job) or [run_trial(job, 0, 3e-3, train)])


def _run(folder: Path, fault: str = "", at: int = 0) -> None:
    """In a process of its own: run what is missing, with a fault at the n-th move; leaves the number of moves."""
    moved = 0
    replace = os.replace

    def faulty(source: str, target: str) -> None:
        nonlocal moved
        moved += 1
        if moved == at and fault == "disk full":
            raise OSError(errno.ENOSPC, "No space left on device", target)
        if moved == at and fault == "killed before":
            os._exit(KILLED)
        replace(source, target)
        if moved == at and fault == "killed after":
            os._exit(KILLED)

    os.replace = faulty
    try:
        _phases(folder)
    except StudyError:
        assert fault == "disk full"
    (folder / "moves").write_text(str(moved))


def _phases(folder: Path) -> None:
    """Raises `StudyError` for the first phase that fails, and where its data cannot be written."""
    store, spec = Store(folder / "faults"), parse({**SPEC, "storage": str(folder)})
    for row in plan.rows(spec, store):
        if row.action == "run":
            result = run_phase(Job(row.phase, spec, store.path, data_root(spec, store)), _tune)
            if result.status != "done":
                raise StudyError(result.line)


def _apart(job: Callable[[], None]) -> int:
    """Run in a forked process; returns how it ended."""
    process = multiprocessing.get_context("fork").Process(target=job)
    process.start()
    process.join(120)
    assert process.exitcode is not None
    return process.exitcode


def whole(folder: Path) -> int:
    """The undisturbed run, and how often it moved a file into place."""
    folder.mkdir()
    assert _apart(partial(_run, folder)) == 0
    return int((folder / "moves").read_text())


def check(folder: Path, expected: dict[str, object], fault: str, at: int) -> None:
    folder.mkdir()
    ended = _apart(partial(_run, folder, fault, at))
    assert ended == (0 if fault == "disk full" else KILLED), (fault, at)
    store = Store(folder / "faults")
    before, broken = store.scan(verify=True)
    assert not broken, (fault, at)
    assert _apart(partial(_run, folder)) == 0
    after = {record.key: record.finished for record in store.records()}
    assert {record.key: after.get(record.key) for record in before} == {r.key: r.finished for r in before}, (fault, at)
    assert results(store) == expected, (fault, at)
    assert not list((folder / "faults" / "phases").rglob("trials")), "trials of finished phases stay"


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_any_write_may_fail_or_be_the_last(tmp_path):
    moves = whole(tmp_path / "whole")
    expected = results(Store(tmp_path / "whole" / "faults"))
    assert len(expected) == 3 and moves > 20
    chance = random.Random()
    for fault in FAULTS:
        for at in chance.sample(range(1, moves + 1), 2):
            check(tmp_path / f"{fault}-{at}", expected, fault, at)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        moves = whole(Path(folder, "whole"))
        expected = results(Store(Path(folder, "whole", "faults")))
        for at in range(1, moves + 1):
            for fault in FAULTS:
                check(Path(folder, f"{fault}-{at}"), expected, fault, at)
            print(f"{at} of {moves} writes: {', '.join(FAULTS)}", flush=True)


if __name__ == "__main__":
    main()

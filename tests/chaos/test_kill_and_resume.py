"""A study may be killed at any moment: run again, it repeats nothing that was finished and ends with equal scores."""

from __future__ import annotations

import random
import signal
import time

import psutil
import pytest

from tests.chaos import undisturbed
from tests.chaos.driver import GONE_SECONDS, NO_PAGE, STUDY, Run, results


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_and_terminated_study_equals_an_undisturbed_one(tmp_path):
    expected = results(undisturbed.run(STUDY, tmp_path / "undisturbed"))

    chance = random.Random()
    first, second = sorted(chance.sample(range(1, len(expected)), 2))
    pause = chance.uniform(0.0, 1.0)
    print(f"kill -9 after {first} records and {pause:.2f} s, SIGTERM after {second} records")

    killed = Run(tmp_path, "disturbed", env=NO_PAGE)
    killed.wait_for_records(first)
    time.sleep(pause)
    family = killed.family()
    killed.process.kill()
    assert killed.end() == -signal.SIGKILL
    before = {record.key: record.finished for record in killed.store.records()}
    assert len(before) >= first

    stopped = Run(tmp_path, "disturbed", env=NO_PAGE)
    stopped.wait_for_work()  # before that, SIGTERM finds an interpreter that is still importing
    stopped.wait_for_records(max(second, len(before) + 1))
    family += stopped.family()
    stopped.process.terminate()
    assert stopped.end() in (128 + signal.SIGTERM, 0), stopped.log.read_text()
    assert "Traceback" not in stopped.log.read_text()

    last = Run(tmp_path, "disturbed", env=NO_PAGE)
    assert last.end() == 0, last.log.read_text()
    after = {record.key: record.finished for record in last.store.records()}
    assert {key: after[key] for key in before} == before, "a finished phase was run again"
    assert results(last.store) == expected
    assert not any(last.store.failure(key) for key in after)
    _, alive = psutil.wait_procs(family, timeout=GONE_SECONDS)
    assert not alive, f"left behind by a stopped driver: {alive}"

"""A process that is killed over and over, as when the memory runs out: it goes on, or ends in one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.counted import repeated
from tests.chaos.driver import TINY, Run
from tests.chaos.tiny import STATE_STEPS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SMALL = TINY.replace("[0, 1, 2, 3, 4]", "[0]").replace(", siqa: siqa", "").replace("trials: 2", "trials: 1")
PHASES = 4


def run(folder: Path, deaths: str) -> Run:
    one = Run(folder, "study", SMALL, tiny=True, env={"CHAOS_DEATHS": deaths})
    assert one.end() in (0, 1), one.log.read_text()
    return one


def test_a_process_that_is_killed_twice_costs_some_steps_and_nothing_else(tmp_path: Path) -> None:
    one = run(tmp_path, "target-xs-none-xcopa-s0 2")
    assert f"{PHASES} of {PHASES} phases done, 0 failed" in one.log.read_text()
    again, _ = repeated(one.made())
    assert 2 <= again <= 2 * STATE_STEPS, "what was made since the last state, each time"


@pytest.mark.parametrize("phase", ["pretrain-xs", "target-xs-none-xcopa-s0"])
def test_a_process_that_is_killed_every_time_is_one_clear_line(tmp_path: Path, phase: str) -> None:
    one = run(tmp_path, f"{phase} 99")
    said = one.log.read_text()
    (line,) = [line for line in said.splitlines() if "] failed" in line]
    assert f"failed  {phase}" in line and "killed 4 times" in line and "memory" in line, line
    assert "Traceback" not in said and one.end() == 1
    blocked = [line for line in said.splitlines() if "] blocked" in line]
    assert blocked and all("which failed: " in line for line in blocked)

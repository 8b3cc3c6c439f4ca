"""A process that is killed over and over, as when the memory runs out: it goes on, or ends in one clear line.

One study has all of it: a phase that is killed twice, one that is killed every time, and so a pretraining.
"""

from __future__ import annotations

import pytest

from tests.chaos.counted import repeated
from tests.chaos.driver import TINY, Run
from tests.chaos.tiny import STATE_STEPS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

STUDY = (
    TINY.replace("[xs]", "[xs, s]")
    .replace("[0, 1, 2, 3, 4]", "[0]")
    .replace(", siqa: siqa", "")
    .replace("[xcopa, tatoeba]", "[xcopa, udpos, tatoeba]")
    .replace("trials: 2", "trials: 1")
)
TWICE, ALWAYS = "target-xs-none-xcopa-s0", ("pretrain-s", "target-xs-none-udpos-s0")
DONE, BLOCKED = 4, 6
"""Done: of size xs the pretraining, the phase that goes on, and a scoring of each.
Blocked: the scoring of the phase that is given up, and of size s two targets and three scorings."""


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Run:
    deaths = ", ".join([f"{TWICE} 2", *(f"{phase} 99" for phase in ALWAYS)])
    run = Run(tmp_path_factory.mktemp("deaths"), "study", STUDY, tiny=True, env={"CHAOS_DEATHS": deaths})
    assert run.end() == 1, run.log.read_text()
    return run


def test_a_process_that_is_killed_twice_costs_some_steps_and_nothing_else(one: Run) -> None:
    done = [line for line in one.log.read_text().splitlines() if "] done" in line]
    assert len(done) == DONE and sum(f"done    {TWICE}" in line for line in done) == 1
    again, _ = repeated([line for line in one.made() if line.key.startswith(TWICE)])
    assert 2 <= again <= 2 * STATE_STEPS, "what was made since the last state, each time"


@pytest.mark.parametrize("phase", ALWAYS)
def test_a_process_that_is_killed_every_time_is_one_clear_line(one: Run, phase: str) -> None:
    said = one.log.read_text()
    failed = [line for line in said.splitlines() if "] failed" in line]
    (line,) = [line for line in failed if f"failed  {phase}-" in line]
    assert len(failed) == len(ALWAYS) and "killed 4 times" in line and "memory" in line, line
    assert "Traceback" not in said
    blocked = [line for line in said.splitlines() if "] blocked" in line]
    assert len(blocked) == BLOCKED and all("which failed: " in line for line in blocked)
    assert any(f"needs {phase}-" in line for line in blocked)

"""Two drivers at once on machines whose clocks are hours apart: they share the phases, and none is trained twice."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.chaos.counted import repeated
from tests.chaos.driver import TINY, Run

STUDY = TINY.replace("[0, 1, 2, 3, 4]", "[0, 1, 2]").replace(", siqa: siqa", "").replace("trials: 2", "trials: 1")
PHASES = 8


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_two_drivers_whose_clocks_differ_share_a_study(tmp_path: Path) -> None:
    gate = tmp_path / "go"
    drivers = [
        Run(
            tmp_path, "study", STUDY, tiny=True, env={"CHAOS_HOST": host, "CHAOS_HOURS": hours, "CHAOS_GATE": str(gate)}
        )
        for host, hours in {"east": "5", "west": "-5"}.items()
    ]
    while not any(re.search(r" on (east|west) \(last sign of life", driver.log.read_text()) for driver in drivers):
        assert all(driver.process.poll() is None for driver in drivers), [driver.log.read_text() for driver in drivers]
        time.sleep(0.05)
    gate.touch()  # one has the first phase, and the other waits for it
    assert [driver.end() for driver in drivers] == [0, 0], [driver.log.read_text() for driver in drivers]
    said = [driver.log.read_text() for driver in drivers]
    assert all(f"{PHASES} of {PHASES} phases done, 0 failed" in text for text in said)
    again, steps = repeated(drivers[0].made())
    assert again == 0 and steps > 0

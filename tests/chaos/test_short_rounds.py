"""Some of the hundred kill rounds."""

from __future__ import annotations

import multiprocessing
import random
from pathlib import Path

import pytest

from tests.chaos.short_rounds import rounds

ROUNDS = 6


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_drivers_that_are_killed_again_and_again_lose_and_repeat_nothing(tmp_path: Path) -> None:
    """In a process of its own, which takes tiny units for the real ones."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")

    def all_of_them() -> None:
        found = rounds(tmp_path, ROUNDS, random.Random(seed))
        assert found.blows.total() == ROUNDS
        assert not any(found.faults.values()), found.faults
        assert found.steps > found.again

    process = multiprocessing.get_context("fork").Process(target=all_of_them)
    process.start()
    process.join()
    assert process.exitcode == 0

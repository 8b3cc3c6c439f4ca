"""Folders for throw-away files go with their block, or, when its process was killed, with the next one that is made."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from trainables import scratch

HOLD = """
import time
from pathlib import Path
from trainables import scratch

with scratch.folder("search") as here:
    Path(here, "large").write_text("x")
    print(here, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def aged(folder: str | Path) -> None:
    long_ago = time.time() - 3600
    os.utime(folder, (long_ago, long_ago))


def test_a_folder_goes_with_its_block(top: Path) -> None:
    with pytest.raises(KeyError), scratch.folder("copy") as here:
        assert Path(here).parent == top and not os.listdir(here)
        Path(here, "a").write_text("x")
        raise KeyError
    assert not os.listdir(top)


def test_what_a_killed_process_left_goes_with_the_next_and_what_is_in_use_stays(top: Path) -> None:
    other = top / "study-notes"
    other.mkdir()
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = process.stdout.readline().strip()
        try:
            for folder in (left, other):
                aged(folder)
            with scratch.folder("search") as mine:
                aged(mine)
                with scratch.folder("copy"):
                    assert os.path.exists(left) and os.path.exists(mine), "old, and in use"
        finally:
            process.kill()
    assert os.path.exists(f"{left}/large")
    with scratch.folder("copy"):
        assert not os.path.exists(left) and other.exists()


def test_a_folder_that_may_not_be_locked_yet_stays(top: Path) -> None:
    young = top / f"{scratch.PREFIX}young"
    young.mkdir()
    with scratch.folder("copy"):
        assert young.exists()


def test_what_others_put_there_under_such_a_name_is_neither_waited_for_nor_followed(top: Path) -> None:
    mine = top / "mine"
    mine.mkdir()
    (mine / "a").write_text("x")
    os.mkfifo(top / f"{scratch.PREFIX}pipe")
    (top / f"{scratch.PREFIX}link").symlink_to(mine)
    for name in ("pipe", "link"):
        aged(top / f"{scratch.PREFIX}{name}")
    code = "from trainables import scratch\nwith scratch.folder('copy'): print('made')"
    environment = {**os.environ, "TMPDIR": str(top)}
    root = Path(__file__).parents[2]
    made = subprocess.run([sys.executable, "-c", code], env=environment, cwd=root, capture_output=True, timeout=60)
    assert made.stdout == b"made\n" and (mine / "a").exists()


def test_another_machines_folder_stays_where_its_lock_is_not_seen(top: Path) -> None:
    """A temporary folder on a network, whose locks end at the host."""
    other = top / "study-scratch-01234567-copy-x"
    other.mkdir()
    aged(other)
    with scratch.folder("copy"):
        assert other.exists()

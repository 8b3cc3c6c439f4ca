"""Is a terminal told what is done, how far it is and how long still, and nobody else?"""

import os
import pty
import re
import subprocess
import sys

from study import progress
from study.report import write
from tests.study.report.synthetic import Plan, build

SCRIPT = """
import sys
from study.progress import bar
with bar(quiet={quiet}) as told:
    for what in ("reading", "drawing"):
        for done in range(4):
            told(what, done, 3)
print("done")
"""


def on_terminal(quiet: bool) -> str:
    """What a process writes to a terminal that is its standard error."""
    mine, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-c", SCRIPT.format(quiet=quiet)]
    child = subprocess.run(command, stdout=subprocess.PIPE, stderr=its, env=environment, text=True, check=True)
    os.close(its)
    found = b""
    try:
        while block := os.read(mine, 4096):
            found += block
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(mine)
    assert child.stdout == "done\n", "standard output is for results"
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", found.decode())


def test_a_terminal_is_told_what_how_far_and_how_long_still():
    shown = on_terminal(quiet=False)
    assert "drawing" in shown and "3/3" in shown and "to go" in shown


def test_nothing_is_shown_when_asked_to_be_quiet():
    assert on_terminal(quiet=True) == ""


def test_nothing_is_shown_without_a_terminal(capsys):
    with progress.bar() as told:
        told("reading", 0, 1)
    assert capsys.readouterr() == ("", "")


def test_a_report_tells_each_of_its_parts_to_its_end(tmp_path):
    seen: dict[str, list[tuple[int, int]]] = {}
    store = build(tmp_path / "toy", Plan(sizes=("xs", "s"), targets=("xcopa",), examples=20, resamples=10))
    write(store, progress=lambda what, done, total: seen.setdefault(what, []).append((done, total)))
    assert list(seen) == ["reading predictions", "computing", "drawing figures", "writing files"]
    for told in seen.values():
        counts = [done for done, _ in told]
        assert counts == sorted(counts) and len({total for _, total in told}) == 1
        assert counts[-1] >= told[-1][1] - 1

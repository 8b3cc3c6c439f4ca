"""Whatever of the benchmarks and of the chaos runners can be started says with --help how, and does nothing else."""

from __future__ import annotations

import importlib
import multiprocessing
import runpy
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
MODULES = [
    f"tests.{folder}.{file.stem}"
    for folder in ("benchmarks", "chaos")
    for file in sorted((TESTS / folder).glob("*.py"))
    if '\nif __name__ == "__main__":\n' in file.read_text()
]


def test_there_are_some() -> None:
    assert {"tests.benchmarks.table", "tests.chaos.rounds"} <= set(MODULES) and len(MODULES) > 15


def _help(file: str, said: Path) -> None:
    sys.argv = [file, "--help"]
    with said.open("w") as out, redirect_stdout(out):
        runpy.run_path(file, run_name="__main__")


@pytest.mark.parametrize("module", MODULES)
def test_help_is_there(module: str, tmp_path: Path) -> None:
    """In a process of its own, which takes over the libraries that are loaded here."""
    file = importlib.import_module(module).__file__
    process = multiprocessing.get_context("fork").Process(target=_help, args=(file, tmp_path / "said"))
    process.start()
    process.join(60)
    said = (tmp_path / "said").read_text()
    assert process.exitcode == 0 and "usage: " in said.lower() and "--help" in said, said

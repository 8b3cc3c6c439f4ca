"""How does a command say how far it is? A line on the terminal: what is being done, how much of it, how long still.

    with bar(quiet=json) as told:
        for done, name in enumerate(names):
            told("writing", done, len(names))

Each thing that is done has a count of its own; the time to go is that of the thing. The line goes to the standard
error, is gone afterwards, and is never there when nobody looks: with `--json`, or when that is no terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Told = Callable[[str, int, int], None]
"""(what is being done, how many are done, of how many)"""
Value = TypeVar("Value")


def silent(what: str, done: int, total: int) -> None:
    """Nobody is told."""


def steps(told: Told, what: str, total: int) -> Callable[[Value], Value]:
    """A function that gives back its argument and counts it: for a number of values that are computed in turn."""
    done = 0
    told(what, done, total)

    def step(value: Value) -> Value:
        nonlocal done
        done += 1
        told(what, done, total)
        return value

    return step


@contextmanager
def bar(quiet: bool = False) -> Iterator[Told]:
    """Shows what it is told while the block runs."""
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("to go"), console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("starting", total=None)
        now = ""

        def told(what: str, done: int, total: int) -> None:
            nonlocal now
            if what != now:
                now = what
                shown.reset(task, description=what, total=total)
            shown.update(task, completed=done, total=total)

        yield told

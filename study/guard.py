"""What does the user see when something goes wrong? One line, and an exit code that a script can act on.

0 fine    1 some phases failed    2 bad input or storage (`StudyError`)    70 a bug of ours    130, 143 killed
75 stopped at a limit or on request, to be gone on with (EX_TEMPFAIL of sysexits.h)
"""

from __future__ import annotations

import signal
import sys
import tempfile
import traceback
from collections import namedtuple
from types import FrameType
from typing import Any

import typer
from typer.core import TyperGroup

from trainables.errors import NotFetched, StudyError

FAILED, BAD_INPUT, BUG, STOPPED = 1, 2, 70, 75
INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
RESUME = "run the same command again to go on where it was"
_fetch = ""


class Guarded(TyperGroup):
    """The one place where errors become lines and exit codes."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except StudyError as error:
            fetch = f"{error.args[0]}; run first: {_fetch}" if isinstance(error, NotFetched) and _fetch else ""
            lines = (fetch or str(error)).splitlines()
            _say("\n".join(f"error: {line}" for line in lines) or f"error: {type(error).__name__}")
            code = BAD_INPUT
        except KeyboardInterrupt:
            _say(f"interrupted; {RESUME}")
            # Python remembers one that came out of code it had as text (named tuples are made of such) as if nobody had
            # caught it, and `python -m study` would end by a signal instead of our code; the next one makes it forget.
            namedtuple("Forgotten", ())
            code = INTERRUPTED
        except SystemExit as stop:
            if stop.code != TERMINATED:
                raise
            _say(f"terminated; {RESUME}")
            code = TERMINATED
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except Exception as error:
            first = (str(error).splitlines() or [""])[0][:200]
            _say(f"internal error: {type(error).__name__}: {first} (full text: {_keep_traceback()}; please report it)")
            code = BUG
        raise typer.Exit(code)


def fetched_by(command: str) -> None:
    """What brings the data and models of the study that this command is about: an error about them says it."""
    global _fetch
    _fetch = command


def exit_on_terminate() -> None:
    """From now on SIGTERM unwinds the program like an error does, so that leases are given back."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(TERMINATED)

    signal.signal(signal.SIGTERM, stop)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _keep_traceback() -> str:
    try:
        with tempfile.NamedTemporaryFile("w", prefix="study-error-", suffix=".txt", delete=False) as file:
            file.write(traceback.format_exc())
            return file.name
    except OSError:
        return "could not be kept, no writable temporary folder"

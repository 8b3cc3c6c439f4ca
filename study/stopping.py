"""When does a run end before its plan does? At a time, when its budget is spent, or when somebody asks it to.

A stop is a file in the study's folder, so that whoever can write there can ask for it, from any machine. The driver
then starts nothing more; every process at work sees the file when it reports, writes its state and goes. Nothing is
lost: the same command goes on where it was.

    ask(store, "it is 10:00")          # study run --until 10:00, study run --budget 40, study stop
    asked(store)                       # "it is 10:00"
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from study.store import Store
from trainables import storage
from trainables.errors import CheckpointError, SpecError

GRACE_SECONDS = 60.0
"""How long work in flight has to write its state; what takes longer (a large scoring cell) is done again."""


class Stopped(Exception):
    """The run has ended before its plan, as it was told to. The message says why."""


@dataclass(frozen=True)
class Limits:
    """Where a run ends at the latest."""

    until: datetime | None = None
    budget: float | None = None
    """Device-hours of all finished phases of the study, those of earlier runs included, and of what is in flight."""

    def reached(self, now: datetime, hours: float) -> str:
        """Why the run has to end; empty while it may go on."""
        if self.until and now >= self.until:
            return f"it is {self.until:%Y-%m-%d %H:%M}"
        if self.budget is not None and hours >= self.budget:
            return f"{hours:.2f} device-hours are spent, the budget is {self.budget:g}"
        return ""


def moment(text: str, now: datetime) -> datetime:
    """ "10:00": the next such time of day; "2026-11-30 10:00" or ISO 8601: that moment. Raises `SpecError`."""
    try:
        if len(text) <= 5:
            clock = datetime.strptime(text, "%H:%M").time()
            at = datetime.combine(now.date(), clock)
            return at if at > now else at + timedelta(days=1)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise SpecError(f"--until: found {text[:40]!r}, allowed: a time such as 10:00 or 2026-11-30T10:00") from None
    at = at.astimezone().replace(tzinfo=None) if at.tzinfo else at
    if at <= now:
        raise SpecError(f"--until: found {text[:40]!r}, allowed: a moment after now ({now:%Y-%m-%d %H:%M})")
    return at


def ask(store: Store, why: str) -> None:
    """Ask every run of this study to end. Raises `StorageError`."""
    storage.write_json(_file(store), {"why": why})


def asked(store: Store) -> str:
    """Why the runs of this study are to end; empty when nobody asked."""
    try:
        return str(storage.read_json(_file(store))["why"])
    except FileNotFoundError:
        return ""
    except (CheckpointError, KeyError, TypeError):
        return "a stop was asked for"


def clear(store: Store) -> None:
    """A new run begins."""
    storage.remove(_file(store))


def _file(store: Store) -> str:
    return store.join("stop.json")

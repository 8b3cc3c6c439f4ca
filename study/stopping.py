"""When does a run end before its plan does? At a time, when its budget is spent, or when somebody asks it to.

A stop is a file in the study's folder, so that whoever can write there can ask for it, from any machine. The driver
then starts nothing more; every process at work sees the file when it reports, writes its state and goes. Nothing is
lost: the same command goes on where it was.

A stop is for the runs that are there when it is asked for. The file stays; a run that begins remembers what it says,
and obeys when it says something else: no two stops are the same, and nobody's clock is asked.

    before = last(store)               # a run begins
    ask(store, "it is 10:00")          # study run --until 10:00, study run --budget 40, study stop
    asked(store, before)               # "it is 10:00"
    asked(store, last(store))          # "": for a run that begins now
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from study.store import Store
from trainables import storage
from trainables.errors import SpecError

GRACE_SECONDS = 60.0
"""How long work in flight has to write its state; what takes longer (a large scoring cell) is done again."""


class Stopped(Exception):
    """The run has ended before its plan, as it was told to. The message says why."""


@dataclass(frozen=True)
class Limits:
    """Where a run ends at the latest."""

    until: datetime | None = None
    budget: float | None = None
    """Device-hours: of all phases of the study that earlier runs finished, and of all that this one has held."""
    stopped: str | None = None
    """`last` when the run began, before it was planned; None: it begins now."""

    def begun(self, store: Store) -> Limits:
        """The same, for a run that has begun."""
        return self if self.stopped is not None else replace(self, stopped=last(store))

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
    """Ask every run of this study to end that has begun. Raises `StorageError`."""
    storage.write_json(_file(store), {"why": why, "id": uuid.uuid4().hex})


def last(store: Store) -> str:
    """The stop that was last asked for, as it is written; empty before the first one. Raises `StorageError`."""
    try:
        return storage.read_bytes(_file(store)).decode(errors="replace")
    except FileNotFoundError:
        return ""


def asked(store: Store, before: str) -> str:
    """Why a run is to end; empty when nobody asked since it began. `before`: what was `last` then."""
    stop = last(store)
    if stop in ("", before):
        return ""
    try:
        return str(json.loads(stop)["why"])
    except (ValueError, KeyError, TypeError):
        return "a stop was asked for"


def _file(store: Store) -> str:
    return store.join("stop.json")

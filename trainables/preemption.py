"""How does a run learn that its process has to go, while there is still time to write its state?

A node that is taken away gives notice: SIGTERM to the processes on it, or a drain notice that its cluster knows of
and a host passes on (`trainables.hosts`). A user may stop the whole study, which comes in with a report. Each raises
one flag of this process, which the training loop reads after every step: it then writes its state at once and raises
`Preempted`, or `Halted` when it is not to be started again.

    with listening() as noticed:
        for step in ...:
            if noticed(): ...

Signals reach the main thread only. A run in another thread (a trial of Ray Tune, a worker of Ray Train) hears drain
notices and no SIGTERM.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_NOTICE = threading.Event()
_FOR_GOOD = threading.Event()


def give_notice(for_good: bool = False) -> None:
    """Tell the run in this process to go, or the next one, if none is running yet. `for_good`: not to start again."""
    if for_good:
        _FOR_GOOD.set()
    _NOTICE.set()


def for_good() -> bool:
    """Whether whoever told the run to go does not want it started again elsewhere."""
    return _FOR_GOOD.is_set()


@contextmanager
def listening() -> Iterator[Callable[[], bool]]:
    """A function that says whether notice was given. On leaving SIGTERM does again what it did before."""
    ours = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, lambda number, frame: give_notice()) if ours else None
    try:
        yield _NOTICE.is_set
    finally:
        if ours:
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
        _NOTICE.clear()
        _FOR_GOOD.clear()

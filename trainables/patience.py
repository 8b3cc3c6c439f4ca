"""Is an error of the storage the end, or will it pass? What passes is tried again: a network file system that stumbles,
an object store that asks to slow down. A full or a read-only one is the end.

How long depends on what is at stake. A command at a terminal answers within some seconds. Work that took hours waits
five minutes, in which a file server starts again. A report that is followed by another waits for nothing.

    @patient
    def read_bytes(path): ...

    read_bytes(path)                   # gives up after 4 s
    with long(): read_bytes(path)      # after five minutes; says in the log what it waits for
    with once(): read_bytes(path)      # at once
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from filelock import Timeout

from trainables.errors import StorageError

LOG = logging.getLogger("study.storage")
WAITS = (0.2, 0.5, 1.0, 2.0)
"""Seconds before the second try, the third, and so on."""
LONG_WAITS = (5.0, 10.0, *(20.0,) * 14)
"""And after those, where it is worth it: five minutes in all."""
PASSING = {
    getattr(errno, name)
    for name in (
        *("EIO", "ESTALE", "EREMOTEIO", "EAGAIN", "EBUSY", "EINTR", "ETIMEDOUT", "EPIPE", "ENETDOWN", "ENETUNREACH"),
        *("EHOSTDOWN", "EHOSTUNREACH", "ECONNRESET", "ECONNREFUSED", "ECONNABORTED", "ENOTCONN"),
    )
    if hasattr(errno, name)
}
BUSY = frozenset(("408", "429", "500", "502", "503", "504"))
"""Status codes of HTTP by which a server says that it cannot now."""
NO_ANSWER = frozenset(
    ("ConnectionError", "ClientConnectionError", "HTTPClientError", "TransportError", "ClientPayloadError")
) | {"Timeout", "TimeoutError"}
"""What clients of object stores (s3fs, gcsfs) raise where nobody answers, by name: few of them are installed."""
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

_long = 0
"""How many blocks of `long` this process is in."""
_in_vain = False
"""In one of them somebody has waited to the end, and nothing has gone well since."""
_change = threading.Lock()
_here = threading.local()


@contextmanager
def long() -> Iterator[None]:
    """Meanwhile the whole process waits for minutes: threads of its own write for it. Once it has done so in vain it
    waits for seconds, until something goes well: the end of a phase that failed asks the storage many times."""
    global _long, _in_vain
    with _change:
        _long += 1
    try:
        yield
    finally:
        with _change:
            _long -= 1
            _in_vain = _in_vain and _long > 0


@contextmanager
def once() -> Iterator[None]:
    """Meanwhile this thread waits for nothing."""
    before, _here.once = getattr(_here, "once", False), True
    try:
        yield
    finally:
        _here.once = before


def passes(error: BaseException) -> bool:
    """Whether to try again: by the error itself, or by what a `StorageError` was raised from.

    Clients of object stores have tried for a while by themselves: their errors pass for those who wait `long`.
    """
    cause = error.__cause__ if isinstance(error, StorageError) else error
    if isinstance(cause, OSError) and cause.errno in PASSING:
        return True
    if not _long or isinstance(cause, Timeout):  # a lock that is held is no matter of the storage
        return False
    return str(getattr(cause, "code", "")) in BUSY or not NO_ANSWER.isdisjoint(
        one.__name__ for one in type(cause).mro()
    )


def _waits() -> tuple[float, ...]:
    if getattr(_here, "once", False):
        return ()
    return (*WAITS, *LONG_WAITS) if _long and not _in_vain else WAITS


def patient(operation: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """An operation that may be done twice, tried again while its error is one that passes; raises the last one."""

    @wraps(operation)
    def tried(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        global _in_vain
        waited = 0
        while True:
            try:
                answer = operation(*arguments, **named)
                _in_vain = False
                return answer
            except Exception as error:
                waits = _waits()
                if waited >= len(waits) or not passes(error):
                    _in_vain |= waited > len(WAITS)
                    raise
                if waited == len(WAITS):
                    LOG.warning("%s; trying again for up to %.0f minutes", error, sum(LONG_WAITS) / 60)
            time.sleep(waits[waited])
            waited += 1

    return tried

"""Is an error of the storage the end, or will it pass? A network file system that stumbles is tried again for some
seconds; a full or read-only one is not.

    @patient
    def read_bytes(path): ...

(Clients of object stores do the same for the errors of their own.)
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

WAITS = (0.2, 0.5, 1.0, 2.0)
"""Seconds before the second try, the third, and so on."""
PASSING = {
    getattr(errno, name)
    for name in (
        *("EIO", "ESTALE", "EREMOTEIO", "EAGAIN", "EBUSY", "EINTR", "ETIMEDOUT", "EPIPE", "ENETDOWN", "ENETUNREACH"),
        *("EHOSTDOWN", "EHOSTUNREACH", "ECONNRESET", "ECONNREFUSED", "ECONNABORTED", "ENOTCONN"),
    )
    if hasattr(errno, name)
}
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def passes(error: BaseException) -> bool:
    """Whether to try again: by the error number of the error itself, or of what it was raised from."""
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and cause.errno in PASSING


def patient(operation: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """An operation that may be done twice, tried again while its error is one that passes; raises the last one."""

    @wraps(operation)
    def tried(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        for seconds in (*WAITS, None):
            try:
                return operation(*arguments, **named)
            except Exception as error:
                if seconds is None or not passes(error):
                    raise
            time.sleep(seconds)
        raise AssertionError("the last try returns or raises")

    return tried

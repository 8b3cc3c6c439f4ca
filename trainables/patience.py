"""Is an error of the storage the end, or will it pass? A network file system that stumbles is tried again for some
seconds; a full or read-only one is not.

    @patient
    def read_bytes(path): ...

(Clients of object stores do the same for the errors of their own.)
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_chain, wait_fixed

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
        attempts = Retrying(
            retry=retry_if_exception(passes),
            wait=wait_chain(*(wait_fixed(seconds) for seconds in WAITS)),
            stop=stop_after_attempt(len(WAITS) + 1),
            reraise=True,
        )
        return attempts(operation, *arguments, **named)

    return tried

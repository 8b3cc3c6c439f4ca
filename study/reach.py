"""Does anybody listen at an address? Asked first, because Ray itself would try for minutes."""

from __future__ import annotations

import socket

from trainables.errors import StudyError

CONNECT_SECONDS = 10.0


def check_answers(address: str) -> None:
    """Raise `StudyError` at once when nobody listens at host:port."""
    host, colon, port = address.rpartition("://")[2].partition("/")[0].rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, UnicodeError) as error:  # of a name that cannot be one
        reason = getattr(error, "strerror", None) or str(error)
        raise StudyError(f"no Ray cluster answers at {address} ({reason}); check --address, or leave it out") from error

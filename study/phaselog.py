"""Where do a phase's log lines and tracebacks go? Into its log.txt on the storage, whatever the storage is."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from trainables import patience, storage
from trainables.errors import StorageError

LOG = logging.getLogger("study.phase")


@contextmanager
def to(path: str) -> Iterator[logging.Logger]:
    """Append all log records and warnings of this process (level INFO and up) to a file while inside.

    The text is appended when the block is left, and after a warning or an error at once: object stores know no
    appending, so a line at a time would be a file at a time.
    """
    handler = _Appender(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    level = LOG.level
    LOG.setLevel(logging.INFO)
    logging.captureWarnings(True)
    root.addHandler(handler)
    try:
        yield LOG
    finally:
        root.removeHandler(handler)
        LOG.setLevel(level)
        handler.flush()


class _Appender(logging.Handler):
    def __init__(self, path: str) -> None:
        super().__init__(logging.INFO)
        self.path = path
        self.text = io.StringIO()

    def emit(self, record: logging.LogRecord) -> None:
        self.text.write(self.format(record) + "\n")
        if record.levelno >= logging.WARNING:
            self.flush()

    def flush(self) -> None:
        text = self.text.getvalue()
        if not text:
            return
        self.text = io.StringIO()
        try:
            with patience.once():
                before = storage.read_bytes(self.path) if storage.exists(self.path) else b""
                storage.write_bytes(self.path, before + text.encode())
        except (StorageError, OSError):
            # A log that cannot be written must not end the phase, nor keep it waiting. It is written with the next.
            text, self.text = text + self.text.getvalue(), io.StringIO()
            self.text.write(text)

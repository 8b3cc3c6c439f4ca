"""Who keeps MLflow up to date while a study runs? One thread of the driver that may fail without any harm.

    mirror = Mirror(Store("runs/lab"))      # starts a server of its own; or Mirror(store, uri="http://tracker:5000")
    mirror.start()
    ...                                     # the study runs
    mirror.stop()                           # writes the rest, ends the server

Nothing that trains talks to MLflow. A server that is dead or out of reach costs one warning; what it missed is
written in a later round, by the next run, or by `study ui`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from study.mirror_views import address as address_of
from study.store import Store
from study.tracking import Counts, Experiment, connect, mirror
from study.tracking_server import Server, serve
from trainables.errors import StudyError

if TYPE_CHECKING:
    from study.plan import Phase
    from study.tracking import MlflowClient

INTERVAL_SECONDS = 10.0
REST = 9.0
"""Pause after a round, in processor seconds of the round. It looks at every record, 3 ms each, while the driver waits:
with ten thousand of them it would leave the driver nothing."""
FLUSH_SECONDS = 60.0
ABANDON_SECONDS = 5.0


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)


class Mirror(threading.Thread):
    """Mirrors the store every few seconds until stopped. `counts` says what it has written so far."""

    def __init__(
        self,
        store: Store,
        uri: str | None = None,
        phases: Sequence[Phase] = (),
        warn: Callable[[str], None] = _to_stderr,
        interval: float = INTERVAL_SECONDS,
    ) -> None:
        super().__init__(name="mlflow-mirror", daemon=True)
        self.counts = Counts()
        self.url = uri
        """Address of the server, None until the own server has been started."""
        self._store, self._uri, self._phases, self._interval, self._say = store, uri, phases, interval, warn
        self._wake, self._stopping, self._abandoned = threading.Event(), threading.Event(), threading.Event()
        self._server: Server | None = None
        self._client: MlflowClient | None = None
        self._experiment: Experiment | None = None
        self._warned = False
        self._busy = 0.0
        """Processor seconds of the last round."""

    def stop(self, flush_seconds: float = FLUSH_SECONDS) -> bool:
        """Write what is left within the time, then end the own server. True when all was written.

        When the time is not enough the rest stays for the next run.
        """
        self._stopping.set()
        self._wake.set()
        if self.ident is not None:
            self.join(flush_seconds)
        if self.is_alive():
            self._abandoned.set()
            self.join(ABANDON_SECONDS)
            self._warn("not everything was written in time")
        if self._server is not None:
            self._server.stop()
        return not self._warned

    def run(self) -> None:
        while not self._abandoned.is_set():
            last = self._stopping.is_set()
            try:
                self._round()
                self._warned = False
            except Exception as error:  # whatever a client raises: the study goes on without it
                self._client = self._experiment = None
                self._warn(" ".join(str(error).split())[:300])
            if last:
                return
            self._wake.wait(max(self._interval, REST * self._busy))
            self._wake.clear()

    def _round(self) -> None:
        if self._uri is None and (self._server is None or self._server.ended()):
            self._client = self._experiment = None
            if self._server is not None:
                self._server.stop()  # a part of it may live on, and write
            self._server = serve(self._store)
            self.url = self._server.url
        if self._server is not None:
            self._server.wait(stopped=self._abandoned.is_set)
        if self._client is None and self.url is not None:
            self._client = connect(self.url)
        if self._client is not None:
            began = time.thread_time()
            written, self._experiment = mirror(
                self._store, self._client, self._phases, self._experiment, self._abandoned.is_set
            )
            self.counts = self.counts + written
            self._busy = time.thread_time() - began
            if written.refused:
                raise StudyError(f"the server refused {written.refused} phases")

    def _warn(self, reason: str) -> None:
        """One line per outage, not per round."""
        if not self._warned:
            place = self.url or "its own server"
            self._say(f"MLflow ({place}) is behind: {reason}; the study goes on, `study ui` or the next run catches up")
        self._warned = True


def ui(store: Store, port: int | None = None, uri: str | None = None, say: Callable[[str], None] = print) -> None:
    """Start the server, write what is missing, say the address, wait until Ctrl-C. For `study ui`.

    With a `uri` no server is started and the call returns at once. Raises `StudyError` when there is no server.
    """
    server = None if uri else serve(store, port)
    try:
        if server is not None:
            say("starting MLflow ...")
            server.wait()
        address = server.url if server else str(uri)
        counts, experiment = _catch_up(store, address)
        page = f"{address}/#/experiments/{experiment.id}/runs" if experiment else address
        say(f"MLflow: {page} ({counts.runs} runs and {counts.models} adapters added)")
        if experiment:
            say(f"scaling curves: {address_of(page, 'scaling')}")
            say(f"sizes compared: {address_of(page, 'sizes')}")
        if server is not None:
            say("Ctrl-C ends it.")
            while not server.ended():
                time.sleep(0.5)
            raise StudyError(f"the MLflow server ended by itself; see {server.log}")
    except KeyboardInterrupt:
        pass
    finally:
        if server is not None:
            server.stop()


def _catch_up(store: Store, address: str) -> tuple[Counts, Experiment | None]:
    try:
        return mirror(store, connect(address))
    except StudyError:
        raise
    except Exception as error:  # MLflow's own and those of what it stands on have no common root
        reason = " ".join(str(error).split())[:200]
        raise StudyError(f"tracking.uri: MLflow at {address} cannot be used ({reason})") from error

"""Who serves MLflow when the spec names no server? One quiet process on loopback, with its files in the study.

    server = serve(store)
    server.wait()               # raises StudyError when it does not answer in time
    server.url                  # "http://127.0.0.1:40123"
    server.stop()               # also happens when this process dies, however it dies

The database is a projection of the store: `mlflow/` can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from study import watch
from study.store import Store
from trainables import storage
from trainables.errors import StudyError

HOST = "127.0.0.1"
START_SECONDS = 90.0
"""Importing MLflow and making a database takes 10 s on an idle machine and most of a minute on a busy one."""

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # else eight more processes, 1 GB, that outlive the server
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "PYTHONWARNINGS": "ignore",
    "OMP_NUM_THREADS": "1",
}


@dataclass
class Server:
    """A server process and its address."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def healthy(self) -> bool:
        return not self.ended() and answers(self.url)

    def ended(self) -> bool:
        """Whether `watch` is gone. It is left a zombie until `stop`: so long its number is that of its group."""
        if self.process.returncode is not None:
            return True
        return psutil.Process(self.process.pid).status() == psutil.STATUS_ZOMBIE

    def wait(self, seconds: float = START_SECONDS, stopped: Callable[[], bool] = lambda: False) -> None:
        """Return once the server answers, or `stopped`. Raises `StudyError` when it ended or was too slow."""
        deadline = time.monotonic() + seconds
        while not stopped() and not answers(self.url):
            if self.ended():
                raise StudyError(f"the MLflow server ended at its start ({_last_line(self.log)}); see {self.log}")
            if time.monotonic() > deadline:
                raise StudyError(f"the MLflow server at {self.url} did not answer in {seconds:.0f} s; see {self.log}")
            time.sleep(0.3)

    def stop(self) -> None:
        """End the server and everything it started, also where `watch` was killed. Safe to call twice."""
        if self.process.returncode is not None:
            return
        if self.process.stdin:
            self.process.stdin.close()  # `watch` ends the group
        deadline = time.monotonic() + watch.GRACE_SECONDS + 5
        while not self.ended() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def serve(store: Store, port: int | None = None) -> Server:
    """Start `mlflow server` (sqlite, artifacts proxied, one worker) and return at once; `wait` for its answer.

    Raises `StudyError` when the port is taken or the folder cannot be written.
    """
    _no_proxy()
    folder = server_folder(store)
    port = port or free_port()
    if _taken(port):
        raise StudyError(f"port {port} on {HOST} is taken; choose another --port")
    try:
        (folder / "artifacts").mkdir(parents=True, exist_ok=True)
        log = folder / "server.log"
        output = log.open("wb")
    except OSError as error:
        raise StudyError(
            f"cannot write {folder}: {error.strerror}; MLflow's database needs a writable folder"
        ) from error
    command = [sys.executable, "-P", watch.__file__, sys.executable, "-P", "-m", "mlflow", "server"]
    command += ["--host", HOST, "--port", str(port), "--workers", "1", "--uvicorn-opts", "--log-level warning"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        f"{folder}/artifacts",
    ]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    with output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=inherited | QUIET,
            cwd=folder,
            start_new_session=True,  # Ctrl-C reaches the study, which flushes and then stops the server
        )
    return Server(f"http://{HOST}:{port}", process, log)


def server_folder(store: Store) -> Path:
    """Local folder of database and artifacts: `mlflow/` of the study, or a cache when the study is not local."""
    if storage.is_local(store.path):
        return Path(storage.filesystem(store.path)[1]) / "mlflow"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "study" / hashlib.sha256(store.path.encode()).hexdigest()[:16] / "mlflow"


def answers(url: str, seconds: float = 3.0) -> bool:
    """True when an MLflow server at this http(s) address says it is well."""
    if not url.startswith(("http://", "https://")):
        return False
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=seconds) as reply:  # noqa: S310 (http only)
            return bool(reply.status == 200)
    except (OSError, ValueError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _no_proxy() -> None:
    """Keep a configured proxy out of the way to loopback, for this process and its children."""
    for name in ("no_proxy", "NO_PROXY"):
        if HOST not in os.environ.get(name, ""):
            os.environ[name] = ",".join(filter(None, [os.environ.get(name, ""), HOST]))


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"

"""How does one start a Ray head beside any other, and end it and nothing else? For tests and demonstrations.

    with running(["--num-cpus=2"], {"RAY_AUTH_MODE": "token"}) as head:
        head.env            # what a client needs: address of the dashboard, token

Every port is a free one and every file lies in a folder of its own; dashboard and job server listen on loopback, and
ask for a token made for this head. (`ray stop` would end every Ray of the machine.)
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

START_SECONDS = 90.0
STOP_SECONDS = 3.0
RAY = str(Path(sys.executable).with_name("ray"))


@dataclass(frozen=True)
class OwnHead:
    """A running head."""

    pid: int
    port: int
    """Of Ray itself (GCS)."""
    folder: Path
    """All that Ray writes."""
    env: dict[str, str]
    """The environment of a client: RAY_API_SERVER_ADDRESS and the token."""


@contextmanager
def running(
    options: Sequence[str], environment: Mapping[str, str], files: Callable[[Path, int], Sequence[str]] | None = None
) -> Iterator[OwnHead]:
    """Start a head and wait until its dashboard answers.

    `files(folder, port)` writes what further options name, where port and folder are known. Raises `RuntimeError` with
    the head's log when it does not come up.
    """
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # short: a socket's path has at most 107 characters
    token, log = folder / "token", folder / "head.log"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32))
    gcs, dashboard, client = free_ports(3)
    env = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    env |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "PYTHONUNBUFFERED": "1"}
    command = [
        *(RAY, "start", "--head", "--block", "--disable-usage-stats"),
        *(f"--port={gcs}", f"--ray-client-server-port={client}"),
        *("--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}", "--dashboard-agent-listen-port=0"),
        *("--min-worker-port=0", "--max-worker-port=0"),
        *("--object-store-memory=150000000", f"--temp-dir={folder / 't'}"),
        *options,
        *(files(folder, gcs) if files else ()),
    ]
    with log.open("w") as out:
        process = subprocess.Popen(
            command, env={**env, **environment}, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_until_up(process, dashboard, log)
        client_env = {**env, "RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{dashboard}"}
        yield OwnHead(process.pid, gcs, folder / "t", client_env)
    finally:
        _end(process, folder)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def family(pid: int) -> list[psutil.Process]:
    """The head, its daemons, its workers, and the drivers of its jobs."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"the head did not come up:\n{log.read_text()}")


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    all_of_it = family(process.pid)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    for one in all_of_it + [other for other in psutil.process_iter() if _mentions(other, f"{folder}/")]:
        with suppress(psutil.NoSuchProcess):  # a process number that was given again counts as no such process
            one.kill()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _mentions(process: psutil.Process, text: str) -> bool:
    """Does its command line name this folder? Finds a daemon whose parent ended before it."""
    try:
        return any(text in part for part in process.cmdline())
    except psutil.Error:
        return False

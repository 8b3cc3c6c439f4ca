"""How does a study run on a cluster without a terminal of its own? As a Ray job; this is Ray's job interface, no more.

    job = Job("http://127.0.0.1:8265", "lab-1", entrypoint(["python", "-m", "study", "run", "lab"], []), Path("."))
    job.line(follow=True)           # the `ray job submit` command that does the same
    submit(job); follow(job.address, job.id)        # its exit code

A job that was submitted goes on without us. Submitting the same study again resumes: that is the store's doing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clusters.upload import EXCLUDES
from study import passwords
from trainables.errors import StudyError

if TYPE_CHECKING:
    from ray.job_submission import JobDetails, JobSubmissionClient

ADDRESS = "RAY_API_SERVER_ADDRESS"
STOP_SECONDS = 60.0
"""How long a job may take to end after it was told to: Ray kills it after some seconds."""
ENDED = {"SUCCEEDED", "FAILED", "STOPPED"}
FAILED, TERMINATED = 1, 143


@dataclass(frozen=True)
class Job:
    """What is sent."""

    address: str
    id: str
    entrypoint: str
    folder: Path
    """Uploaded; the job's working directory is a copy of it."""

    @property
    def runtime_env(self) -> dict[str, object]:
        """No variables: what a job needs to know stands in its command, and secrets are on the cluster already."""
        return {"working_dir": str(self.folder), "excludes": list(EXCLUDES)}

    def line(self, follow: bool) -> str:
        """The plain command that does the same."""
        options = ["--address", self.address, "--submission-id", self.id, "--working-dir", str(self.folder)]
        options += ["--runtime-env-json", json.dumps({"excludes": list(EXCLUDES)})]
        options += [] if follow else ["--no-wait"]
        return f"{shlex.join(['ray', 'job', 'submit', *options])} -- {self.entrypoint}"


def entrypoint(command: Sequence[str], secrets: Sequence[str]) -> str:
    """The command of a job; with secrets it first finds their values where it runs."""
    if not secrets:
        return shlex.join(command)
    return shlex.join([command[0], "-m", "clusters.secret_names", *secrets, "--", *command])


def address_of(given: str | None) -> str:
    """The job server's address. Raises `StudyError` when there is none, or not of the form that it has."""
    found = given or os.environ.get(ADDRESS, "")
    if not found:
        raise StudyError(f"--address: not given, and {ADDRESS} is not set; give http://HOST:8265")
    passwords.check("--address", found)
    if not found.startswith(("http://", "https://")):
        raise StudyError(f"--address: found {found!r}, a job server's begins with http:// (port 8265, not Ray's own)")
    return found.rstrip("/")


@contextmanager
def client(address: str) -> Iterator[JobSubmissionClient]:
    """A connection to the job server; what can go wrong there becomes a `StudyError`."""
    # Ray's client notes every step of an upload; what matters is said by us.
    logging.getLogger("ray").setLevel(logging.ERROR)
    from ray.exceptions import AuthenticationError
    from ray.job_submission import JobSubmissionClient

    try:
        yield JobSubmissionClient(address)
    except AuthenticationError as error:
        raise StudyError(
            f"{address}: asks for the cluster's token; set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH"
        ) from error
    except ConnectionError as error:
        raise StudyError(f"{address}: no job server answers; is the tunnel open? (`ray dashboard FILE`)") from error
    except RuntimeError as error:
        raise StudyError(f"{address}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """The last line that says something: the server sends whole tracebacks."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1][:300]


def submit(job: Job) -> None:
    """Upload and start. Raises `StudyError`."""
    with client(job.address) as found:
        found.submit_job(entrypoint=job.entrypoint, submission_id=job.id, runtime_env=dict(job.runtime_env))


def details(address: str, job: str) -> JobDetails:
    """What the cluster knows of a job. Raises `StudyError` when it knows none of this name."""
    with client(address) as found:
        return found.get_job_info(job)


def logs(address: str, job: str) -> str:
    """All that it has printed."""
    with client(address) as found:
        return found.get_job_logs(job)


def follow(address: str, job: str, echo: Callable[[str], None]) -> int:
    """Pass on what a job prints until it ends; returns its exit code. Interrupted, it goes on without us."""

    async def tail(found: JobSubmissionClient) -> None:
        async for text in found.tail_job_logs(job):
            echo(text)

    with client(address) as found:
        asyncio.run(tail(found))
    return exit_code(_ended(address, job))


def stop(address: str, job: str) -> JobDetails:
    """Tell a job to end and wait until it has. Raises `StudyError`."""
    with client(address) as found:
        found.stop_job(job)
    return _ended(address, job)


def _ended(address: str, job: str) -> JobDetails:
    """The end is noted a moment after it happened."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        known = details(address, job)
        if known.status in ENDED:
            return known
        time.sleep(0.2)
    raise StudyError(f"{job}: still {known.status} after {STOP_SECONDS:.0f} s; see `study job status {job}`")


def exit_code(known: JobDetails) -> int:
    """Of the job's command, as far as it had one."""
    if known.status == "SUCCEEDED":
        return 0
    if known.status == "STOPPED":
        return TERMINATED
    return known.driver_exit_code or FAILED

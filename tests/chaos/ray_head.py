"""How does a test get a Ray cluster of its own? A head on loopback with token authentication, beside any other.

    with head() as cluster:
        cluster.ray("job", "submit", "--", "true")          # the real command line, with the cluster's token

`clusters.own_head` starts it, and ends what it started and nothing else.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from clusters.own_head import RAY, family, running

CLIENT_SECONDS = 300.0
"""A client that follows its job stays as long as the job: a minute on two idle cores."""
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Head:
    """A running head."""

    pid: int
    folder: Path
    """All that Ray writes."""
    env: dict[str, str]
    """What a client needs: the dashboard's address and the token."""

    def ray(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """One call of the `ray` command from the repository's root; both streams are in its `stdout`."""
        return subprocess.run(
            [RAY, *arguments],
            cwd=REPOSITORY,
            env=self.env if env is None else env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=CLIENT_SECONDS,
        )

    def busy(self) -> list[str]:
        """What runs on it now: titles of workers that have something to do (`ray::_warm`), drivers of jobs."""
        titles = []
        for process in family(self.pid):
            with suppress(psutil.Error):
                titles.append(" ".join(process.cmdline()).strip())
        return sorted(title for title in titles if _works(title))


@contextmanager
def head(cpus: int = 2) -> Iterator[Head]:
    """Start a head and wait until its dashboard answers. Raises `RuntimeError` with its log when it does not."""
    with running([f"--num-cpus={cpus}", "--num-gpus=0", '--resources={"driver": 1}'], {}) as found:
        yield Head(found.pid, found.folder, found.env)


def _works(title: str) -> bool:
    idle = ("ray::IDLE", "ray::DashboardAgent", "ray::RuntimeEnvAgent")
    return " -m study " in title or (title.startswith("ray::") and not title.startswith(idle))

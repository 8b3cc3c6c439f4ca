"""How does a benchmark get into Ray's worker processes, without a word of it in the code that runs there?

    with hooked("tests.benchmarks.idle.replace", IDLE_SECONDS="0"):
        execute.run(spec, store, rows, echo=print)

Ray calls what RAY_RUNTIME_ENV_HOOK names when it is initialised, and in every process that it starts the runtime
environment's `worker_process_setup_hook`, before any task.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).parents[2]
SETUP, VARIABLES = "HOOKED_SETUP", "HOOKED_VARIABLES"


@contextmanager
def hooked(setup: str, **variables: str) -> Iterator[None]:
    """Processes of a Ray that is initialised inside call `setup` first, and have these environment variables."""
    variables = {"PYTHONPATH": os.pathsep.join(filter(None, [str(HOUSE), os.environ.get("PYTHONPATH")])), **variables}
    ours = {
        "RAY_RUNTIME_ENV_HOOK": f"{__name__}.environment",
        SETUP: setup,
        VARIABLES: json.dumps(variables),
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:  # these alone: Ray's token was set meanwhile, and has to stay what Ray has read
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def environment(asked: dict[str, Any] | None) -> dict[str, Any]:
    """The runtime environment of the whole job; that of a task is added to it."""
    found = asked or {}
    return {
        **found,
        "env_vars": {**found.get("env_vars", {}), **json.loads(os.environ[VARIABLES])},
        "worker_process_setup_hook": os.environ[SETUP],
    }

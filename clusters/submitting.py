"""Which command does a job run for a study, and can it work there at all?

    command(Order("my/study.yaml", storage="s3://bucket/runs"), Path("."))
    # ["python", "-m", "study", "run", "my/study.yaml", "--storage", "s3://bucket/runs"]

The job runs in a copy of the uploaded folder on another machine: what it names must be in that copy, or on a storage
that every node reaches.
"""

from __future__ import annotations

import re
import secrets as random
from dataclasses import dataclass
from pathlib import Path

from study.specfile import load
from study.store import check_shared
from trainables.errors import SpecError


@dataclass(frozen=True)
class Order:
    """What was asked for."""

    spec: str
    storage: str | None = None
    data_root: str | None = None
    smoke: bool = False
    only: str | None = None
    fetch: bool = False
    """Bring data and models instead of running."""
    python: str = "python"


def command(order: Order, folder: Path) -> list[str]:
    """The job's command. Raises `SpecError` for a study that cannot be read there, or would be lost."""
    spec = load(order.spec, smoke=order.smoke, changes={"storage": order.storage} if order.storage else None)
    check_shared("storage", spec.storage, "in a job")
    if order.data_root is not None:
        check_shared("--data-root", order.data_root, "in a job")
    found = [order.python, "-m", "study", "fetch" if order.fetch else "run", _inside(order.spec, folder)]
    found += ["--storage", spec.storage]
    found += ["--data-root", order.data_root] if order.data_root else []
    found += ["--smoke"] if order.smoke else []
    return found + (["--only", order.only] if order.only and not order.fetch else [])


def _inside(spec: str, folder: Path) -> str:
    """The study as the job names it: relative to the folder that is uploaded."""
    if not Path(spec).is_file():
        return spec  # the name of a shipped one
    path, top = Path(spec).resolve(), folder.resolve()
    if not path.is_relative_to(top):
        raise SpecError(
            f"{spec}: lies outside of {folder}, which is what the job gets; move it there, or --working-dir"
        )
    return str(path.relative_to(top))


def new_id(name: str) -> str:
    """An id for a job of the study of this name; every submission has its own."""
    return f"{re.sub(r'[^A-Za-z0-9_-]', '-', name)}-{random.token_hex(4)}"

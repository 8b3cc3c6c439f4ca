"""Is a password written into a study? Then it would be in its records, its report and MLflow for ever.

    list(found({"tracking": {"uri": "http://me:hunter2@tracker"}}))     # ["tracking.uri: ..."], without the password

An address with a password or a signed query is refused; who serves it is told who asks by the environment instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from trainables.errors import SpecError

PASSWORD = re.compile(r"://[^/\s@]*:[^/\s@]+@")
SIGNED = re.compile(r"://\S*[?&][^=\s]*(signature|sig|token|secret|password|credential)[^=\s]*=[^&\s]", re.IGNORECASE)
FIX = "allowed: one without; credentials belong into the environment (AWS_..., HF_TOKEN, MLFLOW_TRACKING_PASSWORD)"


def found(value: Any, path: str = "") -> Iterator[str]:
    """A line per text of plain data that has a password in it, which is not repeated."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from found(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from found(item, f"{path}.{place}")
    elif isinstance(value, str) and (PASSWORD.search(value) or SIGNED.search(value)):
        yield f"{path}: found an address with a password or token in it, {FIX}"


def check(path: str, value: str) -> None:
    """Raises `SpecError` for a single address."""
    for line in found(value, path):
        raise SpecError(line)

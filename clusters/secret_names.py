"""How does a job get a secret whose value must not travel with it? By its name; the value is already on the cluster.

    python -m clusters.secret_names HF_TOKEN -- python -m study fetch my/study.yaml

runs the command with HF_TOKEN in its environment: from the environment of the cluster's own processes (a Kubernetes
secret, the shell that started Ray), else from `~/.study/env`, lines of NAME=value readable by their owner only, which
`ray up` copies to every machine beside the token. A name without a value is one line and exit code 2.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from trainables.errors import StudyError

FILE = Path("~/.study/env")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
BAD_INPUT = 2


def check_names(names: Sequence[str]) -> None:
    """Raises `StudyError` for what cannot be the name of a variable; above all for NAME=value, without repeating it."""
    for name in names:
        if not NAME.fullmatch(name):
            shown = name.partition("=")[0]
            shown = shown if NAME.fullmatch(shown) else "(not a name)"
            raise StudyError(f"--secret {shown}: give the name alone; its value belongs on the cluster, in {FILE}")


def resolve(names: Sequence[str], environment: Mapping[str, str], file: Path) -> dict[str, str]:
    """{name: value}. Raises `StudyError` that names what has no value, or a file that others can read."""
    kept: dict[str, str] = {}
    if file.is_file():
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise StudyError(f"{file}: others can read it; chmod 600 {file}")
        lines = (line.partition("=") for line in file.read_text().splitlines() if not line.lstrip().startswith("#"))
        kept = {name.strip(): value.strip() for name, equals, value in lines if equals}
    found = {name: environment.get(name) or kept.get(name, "") for name in names}
    missing = [name for name, value in found.items() if not value]
    if missing:
        raise StudyError(f"secrets: {', '.join(missing)} not set on the cluster; add a line NAME=value to {file}")
    return found


def main(arguments: Sequence[str]) -> None:
    """NAME ... -- COMMAND ...: becomes the command."""
    cut = arguments.index("--")
    names, command = arguments[:cut], arguments[cut + 1 :]
    try:
        check_names(names)
        secrets = resolve(names, os.environ, FILE.expanduser())
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(BAD_INPUT) from None
    os.execvpe(command[0], list(command), {**os.environ, **secrets})  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])

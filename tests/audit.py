"""Do the pinned versions have known holes? pip-audit says, against PyPI's database; `make lint` asks it.

    python -m tests.audit       # exit code 1 for a hole that audit_accepted.yaml does not list, else 0

Where the database cannot be asked, one line says `not audited: ...` and nothing fails: linting needs no network. A hole
that does not concern us is accepted in that file by its id, with the date and the reason; the line goes when the pin is
raised past it.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path
from typing import Any

import yaml

HOUSE = Path(__file__).parents[1]
PINS = HOUSE / "constraints.txt"
ACCEPTED = Path(__file__).with_name("audit_accepted.yaml")
TOOL = "pip-audit==2.10.1"
FOLDER = HOUSE / "build" / "audit"
"""Its own environment: its dependencies are none of ours."""
PROBE = "https://pypi.org/pypi/ray/2.60.0/json"
PROBE_SECONDS, TOOL_SECONDS = 5.0, 300.0


class NotAudited(Exception):
    """The database, or the tool, cannot be had here."""


def main() -> int:
    accepted = read_accepted(ACCEPTED.read_text())
    try:
        probe()
        report = ask()
        lines = judge(report, accepted)
    except NotAudited as why:
        print(f"not audited: {why}")
        return 0
    print("\n".join(lines) or f"audited: no known hole in {PINS.name} but {len(accepted)} accepted ones")
    return bool(lines)


def read_accepted(text: str) -> dict[str, dict[str, Any]]:
    """{id: package, date, why} of the accepted holes. Raises `ValueError` for an entry without one of these."""
    found = yaml.safe_load(text) or {}
    for name, entry in found.items():
        if set(entry) != {"package", "date", "why"} or not isinstance(entry["date"], datetime.date):
            raise ValueError(f"{ACCEPTED.name}: {name}: needs package, date (2026-01-31) and why, and nothing else")
        if len(str(entry["why"]).split()) < 4:
            raise ValueError(f"{ACCEPTED.name}: {name}: say why it does not apply here")
    return found


def probe() -> None:
    """Raises `NotAudited` soon where the database is out of reach: the tool would try every package."""
    try:
        with urllib.request.urlopen(PROBE, timeout=PROBE_SECONDS) as reply:
            known = json.load(reply)
    except (OSError, ValueError) as error:
        raise NotAudited(f"{PROBE} cannot be read ({error})") from error
    if "vulnerabilities" not in known:
        raise NotAudited(f"{PROBE} says nothing about vulnerabilities")


def ask() -> dict[str, Any]:
    """The tool's report on all pins. Raises `NotAudited` when it cannot be installed or makes none."""
    tool = FOLDER / "bin" / "pip-audit"
    try:
        if not tool.exists():
            venv.create(FOLDER, with_pip=True)
            _run([str(FOLDER / "bin" / "pip"), "install", "--quiet", TOOL])
        options = ["--no-deps", "--disable-pip", "--format", "json", "--desc", "off", "--progress-spinner", "off"]
        done = _run([str(tool), "--requirement", str(PINS), *options], fine=(0, 1))
        return json.loads(done)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotAudited(f"{TOOL} does not run ({' '.join(str(error).split())[:200]})") from error
    except ValueError as error:
        raise NotAudited(f"{TOOL} made no report; the database may be out of reach") from error


def _run(command: list[str], fine: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TOOL_SECONDS)
    if done.returncode not in fine:
        raise subprocess.SubprocessError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return done.stdout


def judge(report: dict[str, Any], accepted: dict[str, dict[str, Any]]) -> list[str]:
    """A line per hole that nobody accepted, and per accepted one that is gone.

    Raises `NotAudited` when there is none, but the database does not know all packages: they are not known to be safe.
    """
    lines, used = [], set()
    for one in report["dependencies"]:
        for hole in one.get("vulns", ()):
            names = [hole["id"], *hole["aliases"]]
            entry = next((name for name in names if accepted.get(name, {}).get("package") == one["name"]), None)
            if entry:
                used.add(entry)
                continue
            fix = f"raise the pin to {hole['fix_versions'][0]}" if hole["fix_versions"] else "no version mends it yet"
            fix += f", or accept it in tests/{ACCEPTED.name}"
            lines.append(f"{one['name']} {one['version']}: {' '.join(names)}; {fix}")
    skipped = [one["name"] for one in report["dependencies"] if "skip_reason" in one]
    if skipped and not lines:
        raise NotAudited(f"the database does not know {len(skipped)} of the packages ({', '.join(skipped[:3])})")
    gone = [] if skipped else sorted(set(accepted) - used)
    return lines + [f"{name}: accepted in tests/{ACCEPTED.name}, and no longer there; take it out" for name in gone]


if __name__ == "__main__":
    sys.exit(main())

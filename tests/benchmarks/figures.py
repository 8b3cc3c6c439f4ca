"""Where do figures go that compare nothing, such as seconds a phase? To the screen, and into a file with the load.

keep(Path("scale.json"), "overhead", {"phases": 24, "wall [s]": 123.4})
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.benchmarks.side_by_side import machine

Figures = dict[str, float]
"""Name with its unit -> value."""


def keep(file: Path | None, name: str, found: Figures) -> None:
    """Print the figures; put them into a results file, in the place of earlier ones of this name."""
    print(f"{name}, at a load of {os.getloadavg()[0]:.1f} at the end (means of 1, 5, 15 minutes: {_loads()})")
    for one, value in found.items():
        print(f"{value:12,.3g}  {one}" if isinstance(value, float) else f"{value:12,}  {one}")
    if file is None:
        return
    known = json.loads(file.read_text()) if file.exists() else {}
    known[name] = {"figures": found, "machine": {**machine(), "loads": os.getloadavg()}}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def _loads() -> str:
    return ", ".join(f"{load:.1f}" for load in os.getloadavg())

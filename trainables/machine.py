"""Which machine is this, since when? Where the answer is the same, locks and process numbers mean the same things.

Names do not tell: containers have their own, and machines that were cloned share theirs.
"""

from __future__ import annotations

from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
"""Another text on every machine and after each of its starts; the same in all of its containers (Linux)."""


def start() -> str:
    """Of this start of this machine; empty where the system does not say."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return ""

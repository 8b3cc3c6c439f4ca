"""Which cards can be planned for, and what is known of each? The table is `gpus.yaml`.

card("a100-80").memory          # bytes that a program sees
recognised("NVIDIA H200")       # the card of that device name, or None
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files

import yaml
from pydantic import Field

from trainables.config import Frozen
from trainables.errors import SpecError

GIB = 2**30


class Card(Frozen):
    """One kind of GPU (or another device that was calibrated)."""

    name: str
    memory: float = Field(gt=0)
    """Bytes that a program sees."""
    tflops: float = Field(gt=0)
    """Dense bf16 matrix products, 10^12 operations per second."""
    share: float = Field(gt=0, le=1)
    """Part of `tflops` that a training step is assumed to reach."""
    names: tuple[str, ...] = ()
    """Parts of the names by which torch knows it."""
    source: str = ""

    @property
    def speed(self) -> float:
        """FLOP per second that are assumed until something is measured."""
        return self.tflops * 1e12 * self.share


@lru_cache(maxsize=1)
def cards() -> dict[str, Card]:
    """The table, by name, from the smallest memory to the largest."""
    table = yaml.safe_load((files("study") / "gpus.yaml").read_text())
    found = [Card(name=name, **{**facts, "memory": facts["memory"] * GIB}) for name, facts in table.items()]
    return {one.name: one for one in sorted(found, key=lambda one: (one.memory, one.tflops))}


def card(name: str) -> Card:
    """Raises `SpecError` with the nearest name when there is no such card."""
    if name not in cards():
        near = get_close_matches(name.lower(), cards(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(cards())}"
        raise SpecError(f"gpu: {name[:60]!r} is not known; {hint}")
    return cards()[name]


def recognised(device: str) -> Card | None:
    """The card of a device as torch names it, e.g. "NVIDIA A100-SXM4-80GB"."""
    for one in cards().values():
        # Whole words: "NVIDIA L4" is no part of "NVIDIA L40S".
        if any(re.search(rf"(?<!\w){re.escape(part)}(?!\w)", device, re.IGNORECASE) for part in one.names):
            return one
    return None

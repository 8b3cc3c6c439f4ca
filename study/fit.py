"""What is the largest micro-batch of a size on a card, and what does it take to train it there at all?

    fit(Demand(shape, ...), card("a100-40"))
    # Fit(micro_tokens=11008, recompute=False, accumulation=1, gpus=1, peak=3.4e10)

A pass should have FLOOR tokens: below some 1,100 launching its kernels takes longer than the arithmetic. Recompute,
which makes a step half as expensive again (6 instead of 4 operations per weight and token), is planned only where
without it a pass would be smaller than both FLOOR and the whole step; sharding only where a single card holds not even
one example with recompute.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from study import memory
from study.activations import Precision
from study.gpus import Card, cards
from study.memory import Memory
from trainables.config import Adapter, Architecture, Quantization
from trainables.errors import StudyError

FULL_PASS = 1100
"""Tokens. A pass of fewer takes about as long as one of this many: 0.37 s with 256 as with 512 tokens, 0.44 s with
1,024, for a 7B in 4 bits on an A100 (Qwen's published Q-LoRA profile)."""
FLOOR = 2048
"""Tokens: so that also the smaller passes of a step are full."""
CEILING = 65_536
"""Tokens beyond which a pass gains nothing."""
STEP = 64
"""Micro-batches are multiples of this."""
USABLE = 0.92
"""Part of a card's memory that is planned with; the rest is lost to fragments."""
MOST_GPUS = 8
Stretch = Mapping[bool, float]
"""Measured / computed activations, without and with recompute."""
NO_STRETCH: Stretch = {False: 1.0, True: 1.0}


@dataclass(frozen=True)
class Demand:
    """What is to be trained."""

    name: str
    """Of the size, for messages."""
    shape: Architecture
    quantization: Quantization
    adapter: Adapter
    longest: int
    """Tokens of the longest row."""
    rows: int
    """Rows of the example with most of them; they share a pass."""
    batch_size: int
    projects: bool
    """Whether a head projects on the vocabulary (language modelling, choosing by the language model)."""

    @property
    def example(self) -> int:
        """Padded tokens of the largest example."""
        return self.rows * self.longest

    @property
    def step(self) -> int:
        """Padded tokens of the largest step."""
        return self.batch_size * self.example


@dataclass(frozen=True)
class Fit:
    """How a size is trained on a card."""

    micro_tokens: int
    """Padded tokens of a pass at most."""
    recompute: bool
    accumulation: int
    """Passes of the largest step, on one worker."""
    gpus: int
    """Cards of one trial; above 1 the base is spread over them."""
    peak: float
    """Bytes per card at the fullest moment of the largest pass."""


def fit(demand: Demand, where: Card, gpus: int | None = None, stretch: Stretch = NO_STRETCH) -> Fit:
    """The largest micro-batch of a demand on `gpus` cards that share the base; None: as few cards as hold it.

    Raises `StudyError` that says what is needed, what is there, and the nearest that would do.
    """
    for count in [gpus] if gpus else [1, 2, 4, MOST_GPUS]:
        found = _on(demand, where, count, stretch)
        if found is not None:
            return found
    raise StudyError(_refusal(demand, where, gpus or MOST_GPUS, stretch))


def room(where: Card) -> float:
    """Bytes of a card that are planned with."""
    return where.memory * USABLE


def precision(device: str) -> Precision:
    """Of a device by its name or kind: a CPU computes in fp32."""
    return "fp32" if device.startswith("cpu") else "bf16"


def _memory(demand: Demand, where: Card, gpus: int, stretch: float) -> Memory:
    return memory.of(
        demand.shape, demand.quantization, demand.adapter, precision(where.name), demand.projects, gpus, stretch
    )


def _on(demand: Demand, where: Card, gpus: int, stretch: Stretch) -> Fit | None:
    """None where not one example fits."""
    enough = max(demand.example, min(FLOOR, demand.step))
    for recompute, least in ((False, enough), (True, demand.example)):
        need = _memory(demand, where, gpus, stretch[recompute])
        tokens = largest(need, room(where), demand.longest, recompute)
        if tokens >= least:
            # What is more than a step needs is not planned with, but left to scoring, whose passes are as large.
            used = min(tokens, max(demand.step, demand.example))
            passes = math.ceil(demand.step / gpus / tokens)
            return Fit(tokens, recompute, max(1, passes), gpus, need.peak(used, demand.longest, recompute))
    return None


def largest(need: Memory, room: float, width: int, recompute: bool) -> int:
    """Tokens of the largest pass within `room` bytes, a multiple of STEP; 0 when there is none."""
    counts = range(CEILING // STEP + 1)
    fits = bisect_right(counts, room, key=lambda count: need.peak(count * STEP, width, recompute))
    return max(0, fits - 1) * STEP


def _refusal(demand: Demand, where: Card, gpus: int, stretch: Stretch) -> str:
    lacking = _memory(demand, where, gpus, stretch[True]).peak(demand.example, demand.longest, recompute=True)
    each = "" if gpus == 1 else f" on each of {gpus}"
    said = (
        f"{demand.name}: an example of {demand.example} tokens needs {lacking / 1e9:.1f} GB{each}, {where.name} has"
        f" {room(where) / 1e9:.1f} to plan with"
    )
    ways = list(_ways(demand, where, gpus, stretch)) or [f"no card of the table holds it, {MOST_GPUS} of them neither"]
    return f"{said}; {' or '.join(ways)}"


def _ways(demand: Demand, where: Card, gpus: int, stretch: Stretch) -> Iterator[str]:
    """The nearest that fits: shorter rows, more cards, a larger card."""
    length = demand.longest // 2
    while length >= 16:
        if _on(replace(demand, longest=length), where, gpus, stretch):
            yield f"training.max_length {length}"
            break
        length //= 2
    for count in (2, 4, MOST_GPUS):
        if count > gpus and _on(demand, where, count, stretch):
            yield f"{count} of them with compute.shard"
            break
    for other in cards().values():
        if other.memory > where.memory and _on(demand, other, gpus, NO_STRETCH):
            yield f"gpu {other.name}"
            break

"""What does a calibration say? On which device, which shape of pass, and what it took. Plain data.

`trainables.calibration` makes these; planning reads them without loading torch.
"""

from __future__ import annotations

from typing import Literal

from trainables.config import Adapter, Architecture, Frozen, Quantization


class Device(Frozen):
    """What is measured on."""

    name: str
    """As torch calls it; a CPU by its processor type and the number of threads."""
    kind: Literal["cuda", "cpu"]
    memory: int
    """Bytes."""


class Shape(Frozen):
    """One forward and backward pass."""

    rows: int
    width: int
    """Tokens of a row, of which as good as none is padding."""
    recompute: bool

    @property
    def tokens(self) -> int:
        return self.rows * self.width


class Measured(Frozen):
    """What one shape took."""

    size: str
    architecture: Architecture
    quantization: Quantization
    adapter: Adapter
    shape: Shape
    seconds: float
    """Of an optimiser step of one pass, median."""
    spread: float
    """Between the quartiles of the steps, as a part of the median."""
    steps: int
    peak_bytes: int
    """Of all tensors at the fullest moment of a step."""
    base_bytes: int
    """Of the frozen base alone."""

    @property
    def tokens_per_second(self) -> float:
        return self.shape.tokens / self.seconds


class Calibration(Frozen):
    """Everything that was measured on one device."""

    device: Device
    made: str
    """ISO 8601, UTC."""
    versions: dict[str, str]
    points: tuple[Measured, ...]

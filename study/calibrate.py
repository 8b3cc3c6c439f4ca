"""Which passes are worth measuring on the device at hand, and where is the result kept?

    path, found = calibrate(ladder("qwen3"), ("1.7b",), "nf4", Adapter(), "runs", seconds=60)

Every size that fits is made with random weights and measured with two sizes of pass, without and with recompute: from
the two the bytes per token follow, from the larger one the speed. Sizes that do not fit are named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import metadata

from study import calibrations, memory
from study.fit import NO_STRETCH, largest, precision, room
from study.gpus import Card
from study.shapes import size_of
from trainables.config import Adapter, Quantization, Size
from trainables.errors import StudyError
from trainables.measured import Calibration, Measured, Shape
from trainables.models.ladders import ladder

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes")
WIDTH, MOST = {"cuda": 256, "cpu": 64}, {"cuda": 16_384, "cpu": 512}
"""Tokens of a row, and of the largest pass measured."""


def usual(kind: str) -> list[Size]:
    """Sizes measured where no study is named: what such a device is likely to be used for."""
    name, sizes = ("qwen3", ("1.7b", "8b", "14b")) if kind == "cuda" else ("lab", tuple(ladder("lab").sizes))
    return [size_of(ladder(name), size) for size in sizes]


def calibrate(
    sizes: Sequence[Size] | None,
    quantization: Quantization,
    adapter: Adapter,
    store: str,
    seconds: float,
    echo: Callable[[str], None],
) -> tuple[str, Calibration]:
    """Measure sizes (None: the usual ones) for about `seconds` and keep the result below the storage.

    Raises `StudyError` when no size fits.
    """
    from trainables import calibration as measuring

    device = measuring.device()
    card = calibrations.as_card(device)
    sizes = usual(device.kind) if sizes is None else sizes
    chosen = [(size, passes) for size in sizes if (passes := worth(size, quantization, adapter, card, device.kind))]
    if not chosen:
        raise StudyError(f"{device.name}: none of {', '.join(size.name for size in sizes)} fits; name a smaller size")
    points: list[Measured] = []
    for size, passes in chosen:
        echo(f"{size.name}: {len(passes)} passes on {device.name}")
        points += measuring.calibrate(size, quantization, adapter, passes, seconds / len(chosen))
    if not points:
        raise StudyError(f"{device.name}: memory ran out in every pass; another program may hold it")
    versions = {name: metadata.version(name) for name in PACKAGES}
    made = datetime.now(UTC).isoformat(timespec="seconds")
    found = Calibration(device=device, made=made, versions=versions, points=tuple(points))
    return calibrations.write(store, found), found


def worth(size: Size, quantization: Quantization, adapter: Adapter, card: Card, kind: str) -> list[Shape]:
    """Passes of a size to measure: half as large and as large as fits, without and with recompute."""
    shape = size.architecture
    width = min(WIDTH[kind], shape.positions or WIDTH[kind])
    need = memory.of(shape, quantization, adapter, precision(kind))
    found = []
    for recompute in NO_STRETCH:
        rows = min(MOST[kind], largest(need, room(card), width, recompute)) // width
        found += [Shape(rows=count, width=width, recompute=recompute) for count in (rows // 2, rows) if count]
    return found

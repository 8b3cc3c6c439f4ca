"""What has been measured on which device, and what does it change about a plan?

    found = load(store)                            # {"NVIDIA H200": Calibration(...)}
    of_card(found, card("h200-141"))               # its calibration, or None
    speed(calibration, shape, recompute=False, tokens=8192)

One file per device, `calibrations/<device>.json` below the storage, shared by its studies. From the points of
the nearest size come the speed, and, for a network of the same type, how far the measured activations differ from the
formula's; everything else of a plan stays computed.
"""

from __future__ import annotations

import math
import re

from pydantic import ValidationError

from study import memory
from study.fit import NO_STRETCH, Stretch, precision
from study.gpus import Card, recognised
from study.store import Store
from trainables import storage
from trainables.config import Architecture
from trainables.errors import CheckpointError
from trainables.flops import FROZEN_BASE, RECOMPUTED_BASE, flops
from trainables.measured import Calibration, Device, Measured
from trainables.models.shape import linear

FOLDER = "calibrations"
CPU_TFLOPS = 0.05
"""Of a calibrated CPU, until its points say better."""


def path(below: str, device: str) -> str:
    """File of a device below a storage."""
    return storage.join(below, FOLDER, re.sub(r"[^A-Za-z0-9.]+", "-", device).strip("-").lower() + ".json")


def write(below: str, calibration: Calibration) -> str:
    """Keep a calibration in place of an older one of the same device; returns its path. Raises `StorageError`."""
    target = path(below, calibration.device.name)
    storage.write_bytes(target, calibration.model_dump_json(indent=1).encode())
    return target


def load(store: Store) -> dict[str, Calibration]:
    """Calibrations on the storage of a study, by device name. Raises `CheckpointError` for a damaged file."""
    found = {}
    # A worker's folder is not the driver's, so the storage is where the study's folder is, not what its spec says.
    folder = store.shared(FOLDER)
    for name in storage.names(folder):
        place = storage.join(folder, name)
        try:
            one = Calibration.model_validate_json(storage.read_bytes(place))
        except ValidationError as error:
            raise CheckpointError(f"{place}: not a calibration of this version; calibrate again") from error
        found[one.device.name] = one
    return found


def as_card(device: Device) -> Card:
    """A device as a card to plan for: the table's, with the memory that it really has; else one of its own."""
    known = recognised(device.name)
    if known is not None:
        return known.model_copy(update={"memory": float(device.memory)})
    return Card(name=device.name, memory=float(device.memory), tflops=CPU_TFLOPS, share=1.0, source="calibrated")


def of_card(found: dict[str, Calibration], card: Card) -> Calibration | None:
    """The calibration of a card: one made on a device of that kind."""
    return next((one for one in found.values() if as_card(one.device).name == card.name), None)


def speed(calibration: Calibration, shape: Architecture, recompute: bool, tokens: int) -> float:
    """FLOP per second of the nearest size and pass that was measured."""
    points = [one for one in calibration.points if one.shape.recompute == recompute] or list(calibration.points)
    best = min(points, key=lambda one: (_distance(one, shape), abs(math.log(one.shape.tokens / max(1, tokens)))))
    return operations(best) / best.seconds


def operations(point: Measured) -> float:
    """FLOPs of a measured step."""
    shape, one = point.architecture, point.shape
    passes = RECOMPUTED_BASE if one.recompute else FROZEN_BASE
    return flops(linear(shape), shape.hidden, shape.layers, one.tokens, one.width, passes)


def stretch(calibration: Calibration, shape: Architecture) -> Stretch:
    """Measured / computed activations of networks of this type; 1 where none was measured with two sizes of pass."""
    return {recompute: _stretch(calibration, shape, recompute) for recompute in NO_STRETCH}


def _stretch(calibration: Calibration, shape: Architecture, recompute: bool) -> float:
    points = [
        one
        for one in calibration.points
        if one.shape.recompute == recompute and one.architecture.model_type == shape.model_type
    ]
    nearest = min((_distance(one, shape) for one in points), default=0.0)
    points = sorted((one for one in points if _distance(one, shape) == nearest), key=lambda one: one.shape.tokens)
    more = points[-1].shape.tokens - points[0].shape.tokens if points else 0
    if not more:
        return 1.0
    small, large = points[0], points[-1]
    need = memory.of(large.architecture, large.quantization, large.adapter, precision(calibration.device.kind))
    return (large.peak_bytes - small.peak_bytes) / (more * need.per_token(large.shape.width, recompute))


def _distance(one: Measured, shape: Architecture) -> float:
    return abs(math.log(linear(one.architecture) / linear(shape)))

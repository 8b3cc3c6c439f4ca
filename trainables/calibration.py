"""How fast is a training step on the device at hand, and how much memory does it take? Measured, not computed.

    base = random_base(size, "nf4", device)
    measure(base, "decoder", Adapter(), Shape(rows=8, width=512, recompute=False), seconds=10)
    # Measured(seconds=0.41, peak_bytes=7.9e9, ...)

The step is that of a phase: the same network with adapter and head, fused AdamW, bf16 autocast on a GPU; only text and
weights are random. Nothing is downloaded and nothing is learned. Without a GPU the same is measured on the CPU.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil
import torch
from torch import nn

from trainables.config import Adapter, Quantization, Size
from trainables.encoding import Batch, Family, Item, collate
from trainables.livebytes import LiveBytes
from trainables.measured import Device, Measured, Shape
from trainables.models.backbone import Backbone
from trainables.models.heads import HeadSpec
from trainables.models.network import Network, network
from trainables.models.randombase import random_base
from trainables.models.shape import resolved

TASK = "calibration"
LEAST_STEPS = 3


def device() -> Device:
    """The first GPU that torch sees, else the CPU."""
    if torch.cuda.is_available():
        facts = torch.cuda.get_device_properties(0)
        return Device(name=facts.name, kind="cuda", memory=facts.total_memory)
    name = f"cpu-{platform.machine()}-{torch.get_num_threads()}t"
    return Device(name=name, kind="cpu", memory=psutil.virtual_memory().total)


def calibrate(
    size: Size, quantization: Quantization, adapter: Adapter, shapes: Sequence[Shape], seconds: float
) -> list[Measured]:
    """Measure one size in several shapes, `seconds` in all; shapes that do not fit the device are left out."""
    where = torch.device(device().kind)
    base = random_base(size, quantization, where)
    found = []
    for shape in shapes:
        try:
            found.append(measure(base, size, quantization, adapter, shape, seconds / len(shapes)))
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
    return found


def measure(
    base: Backbone, size: Size, quantization: Quantization, adapter: Adapter, shape: Shape, seconds: float
) -> Measured:
    """Steps of one shape for about `seconds`, three at least. Raises `torch.OutOfMemoryError`."""
    batch = random_batch(base, shape.rows, shape.width)
    with training(base, size.family, adapter, shape.recompute) as (net, optimizer):
        step(net, optimizer, batch)
        times: list[float] = []
        started = time.perf_counter()
        if net.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        while len(times) < LEAST_STEPS or time.perf_counter() - started < seconds:
            times.append(timed(net, optimizer, batch))
        peak = _peak(net, optimizer, batch)
    low, _, high = statistics.quantiles(times, n=4)
    median = statistics.median(times)
    return Measured(
        size=size.name,
        architecture=resolved(size),
        quantization=quantization,
        adapter=adapter,
        shape=shape,
        seconds=median,
        spread=(high - low) / median,
        steps=len(times),
        peak_bytes=peak,
        base_bytes=resident(base.model),
    )


def random_batch(base: Backbone, rows: int, width: int) -> Batch:
    """(rows, width) random tokens, the same at every call, with labels of two classes.

    The last row is one token short: padding, which nearly every real pass has, takes attention another way.
    """
    embedding: Any = base.model.get_input_embeddings()
    drawn = np.random.default_rng(0).integers(4, embedding.weight.shape[0], size=(rows, width), dtype=np.int32)
    kept = [*drawn[:-1], drawn[-1][: max(1, width - 1)]] if rows > 1 else list(drawn)
    return collate([Item((row,), label=number % 2) for number, row in enumerate(kept)], pad_id=0)


@contextmanager
def training(
    base: Backbone, family: Family, adapter: Adapter, recompute: bool
) -> Iterator[tuple[Network, torch.optim.Optimizer]]:
    """A network that classifies, as a phase would train it; the base is as before afterwards."""
    wanted = {TASK: HeadSpec("classify", ("no", "yes"))}
    with network(base, adapter, None, wanted, family, trainable=True) as net:
        net.model.train()
        base.recompute(recompute)
        trained = [value for value in (*net.model.parameters(), *net.heads.parameters()) if value.requires_grad]
        try:
            yield net, torch.optim.AdamW(trained, lr=1e-4, fused=True)
        finally:
            base.recompute(False)


def step(net: Network, optimizer: torch.optim.Optimizer, batch: Batch) -> None:
    """One optimiser step of one pass."""
    optimizer.zero_grad(set_to_none=True)
    net.loss(batch, TASK).mean().backward()
    optimizer.step()


def timed(net: Network, optimizer: torch.optim.Optimizer, batch: Batch) -> float:
    """Seconds of one step, the device's work included."""
    started = time.perf_counter()
    step(net, optimizer, batch)
    if net.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _peak(net: Network, optimizer: torch.optim.Optimizer, batch: Batch) -> int:
    """Bytes at the fullest moment of a step; on a CPU of one more, watched step."""
    if net.device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    optimizer.zero_grad(set_to_none=True)
    standing = resident(net.model) + resident(net.heads) + optimizer_bytes(optimizer)
    with LiveBytes() as live:
        step(net, optimizer, batch)
    return standing + live.peak


def optimizer_bytes(optimizer: torch.optim.Optimizer) -> int:
    values = [value for state in optimizer.state.values() for value in state.values()]
    return sum(value.nbytes for value in values if isinstance(value, torch.Tensor))


def resident(model: nn.Module) -> int:
    """Bytes of all tensors of a model, those beside 4-bit weights (scales, their scales, code books) included."""
    found: dict[int, int] = {}
    for tensor in tensors(model):
        storage = tensor.untyped_storage()
        found[storage.data_ptr()] = storage.nbytes()
    return sum(found.values())


def tensors(model: nn.Module) -> Iterator[torch.Tensor]:
    yield from model.buffers()
    for parameter in model.parameters():
        yield parameter.data
        # bitsandbytes keeps these as attributes: of a 4-bit weight in its state, of an 8-bit one beside it.
        state = getattr(parameter, "quant_state", None)
        parts = [state, getattr(state, "state2", None)]
        beside = [getattr(part, name, None) for part in parts for name in ("absmax", "code", "offset")]
        beside += [getattr(parameter, name, None) for name in ("CB", "SCB")]
        yield from (one for one in beside if isinstance(one, torch.Tensor))

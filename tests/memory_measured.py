"""What a training step of a small network really keeps, counted tensor by tensor, on a CPU.

    count(base, size, Adapter(), rows=4, width=32, recompute=False, precision="bf16").kept

`bf16` is what a GPU does (bf16 base, fp32 adapter, bf16 autocast), `fp32` what a CPU does.
"""

from dataclasses import dataclass

import torch

from study.memory import Precision
from trainables import calibration
from trainables.config import Adapter, Architecture, Size
from trainables.livebytes import LiveBytes
from trainables.models.backbone import Backbone
from trainables.models.randombase import random_base

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Counted:
    """Bytes of one step."""

    kept: int
    """Of tensors saved for the backward pass (`torch.autograd.graph.saved_tensors_hooks`), each storage once."""
    peak: int
    """Of all tensors that were made, at the fullest moment of forward and backward pass."""


def small(model_type: str, **changes: int) -> Size:
    """A small network of a type; its widths all differ, so that no two can be mixed up."""
    values = {
        "hidden": 96, "layers": 3, "heads": 6, "intermediate": 224, "vocabulary": 256, "positions": 256, **changes,
    }  # fmt: skip
    decoder = model_type not in {"xlm-roberta", "xlm-roberta-xl", "mt5"}
    if model_type in {"llama", "qwen2", "qwen3", "gemma3_text"}:
        values = {"kv_heads": 2, "head_dim": 24, **values}
    if model_type == "bloom":
        values["intermediate"] = 4 * values["hidden"]
    shape = Architecture(model_type=model_type, **values)
    return Size(name=model_type, family="decoder" if decoder else "encoder", architecture=shape)


def base_of(size: Size, precision: Precision) -> Backbone:
    """A random NF4 base, without dropout, in the dtype of the precision."""
    base = random_base(size, "nf4", CPU, {"bf16": torch.bfloat16, "fp32": torch.float32}[precision])
    for module in base.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return base


def count(
    base: Backbone, size: Size, adapter: Adapter, rows: int, width: int, recompute: bool, precision: Precision
) -> Counted:
    """One forward and backward pass, watched."""
    batch = calibration.random_batch(base, rows, width)
    saved: dict[int, int] = {}
    with calibration.training(base, size.family, adapter, recompute) as (net, _):
        standing = {value.untyped_storage().data_ptr() for value in calibration.tensors(net.model)}
        standing |= {value.untyped_storage().data_ptr() for value in calibration.tensors(net.heads)}

        def note(value: torch.Tensor) -> torch.Tensor:
            storage = value.untyped_storage()
            if storage.data_ptr() not in standing:
                saved[storage.data_ptr()] = storage.nbytes()
            return value

        autocast = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")
        with LiveBytes() as live:
            with torch.autograd.graph.saved_tensors_hooks(note, lambda value: value), autocast:
                loss = net.loss(batch, calibration.TASK).mean()
            loss.backward()
    return Counted(sum(saved.values()), live.peak)

"""What a training step of a small network really keeps, counted tensor by tensor, on a CPU.

    count(base, size, Adapter(), rows=4, width=32, recompute=False, precision="bf16").kept

`bf16` is what a GPU does (bf16 base, fp32 adapter, bf16 autocast), `fp32` what a CPU does.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import torch
from torch.nn import functional

from study.activations import Precision
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
    if model_type in {"llama", "mistral", "qwen2", "qwen3", "gemma3_text"}:
        values = {"kv_heads": 2, "head_dim": 24, **values}
    if model_type == "bloom":
        values["intermediate"] = 4 * values["hidden"]
    shape = Architecture(model_type=model_type, **values)
    return Size(name=model_type, family="decoder" if decoder else "encoder", architecture=shape)


def base_of(size: Size, precision: Precision) -> Backbone:
    """A random NF4 base in the dtype of the precision."""
    return random_base(size, "nf4", CPU, {"bf16": torch.bfloat16, "fp32": torch.float32}[precision])


def count(
    base: Backbone, size: Size, adapter: Adapter, rows: int, width: int, recompute: bool, precision: Precision
) -> Counted:
    """One forward and backward pass, watched."""
    batch = calibration.random_batch(base, rows, width)
    saved: dict[int, int] = {}
    with _rules(precision), calibration.training(base, size.family, adapter, recompute) as (net, _):
        standing = {value.untyped_storage().data_ptr() for value in calibration.tensors(net.model)}
        standing |= {value.untyped_storage().data_ptr() for value in calibration.tensors(net.heads)}

        def note(value: torch.Tensor) -> torch.Tensor:
            storage = value.untyped_storage()
            if storage.data_ptr() not in standing:
                saved[storage.data_ptr()] = storage.nbytes()
            return value

        with LiveBytes() as live:
            with torch.autograd.graph.saved_tensors_hooks(note, lambda value: value):
                loss = net.loss(batch, calibration.TASK).mean()
            loss.backward()
    return Counted(sum(saved.values()), live.peak)


@contextmanager
def _rules(precision: Precision) -> Iterator[None]:
    """How operations behave: as on a CPU without dropout, or (`bf16`) as CUDA's kernels and autocast rules have it.

    CUDA autocast runs layer norms in fp32, and PEFT asks whether CUDA's is on before it casts inputs; dropout keeps a
    mask of one byte per element, and inside attention nothing. A CPU does neither.
    """
    whole, attend, enabled = (
        functional.layer_norm,
        functional.scaled_dot_product_attention,
        torch.is_autocast_enabled,
    )

    def norm(x, shape, weight=None, bias=None, eps=1e-5):
        with torch.autocast("cpu", enabled=False):
            return whole(x.float(), shape, *(one if one is None else one.float() for one in (weight, bias)), eps)

    def attention(*args, dropout_p=0.0, **options):
        return attend(*args, **options)

    def dropout(x, p=0.5, training=True, inplace=False):
        return torch.native_dropout(x, p, True)[0] if training and p and precision == "bf16" else x

    with ExitStack() as stack:
        stack.enter_context(patch.object(functional, "scaled_dot_product_attention", attention))
        stack.enter_context(patch.object(functional, "dropout", dropout))
        if precision == "bf16":
            stack.enter_context(patch.object(functional, "layer_norm", norm))
            stack.enter_context(patch.object(torch, "is_autocast_enabled", lambda *of: enabled(*of) if of else True))
            stack.enter_context(torch.autocast("cpu", torch.bfloat16))
        yield

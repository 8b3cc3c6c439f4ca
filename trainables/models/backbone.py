"""What does every phase stand on? The bare network, frozen, as loaded from its snapshot.

Heads live outside it (`trainables.models.heads`): loading would quantise them too. On a GPU everything that is not
quantised is bfloat16, on a CPU float32, whatever the checkpoint's own dtype: CPUs without bfloat16 arithmetic take
three times as long with it.

A process keeps the last backbone loaded: the trials of a search share it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from bitsandbytes.nn import Linear4bit
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from trainables.config import Attention, Quantization
from trainables.errors import ModelError
from trainables.flops import linear_weights
from trainables.models import families, nearby, snapshots
from trainables.models.families import ModelFamily, Pooling


@dataclass(frozen=True)
class Backbone:
    """A frozen base and what belongs to it."""

    model: PreTrainedModel
    tokenizer: Any
    parameters: int
    linear: int
    """Weights in linear layers (see `trainables.flops`)."""
    hidden: int
    layers: int
    sha256: str
    """Of the files it was loaded from: equal for every phase of a size, or something is wrong."""
    pooling: Pooling
    """What stands for a row, for heads that are made anew."""
    longest: int | None
    """Tokens of the longest row the network can read; None: any."""
    output: Tensor | None
    """See `output_embedding`; None: the network has none."""

    @property
    def device(self) -> torch.device:
        embedding: Any = self.model.get_input_embeddings()
        return embedding.weight.device

    @property
    def output_embedding(self) -> Tensor:
        """(V, H) weights that turn a hidden state into token scores: the input embedding where they are tied.

        Raises `ModelError` for a network that has none.
        """
        if self.output is None:
            name = self.model.config.model_type
            raise ModelError(f"{name} has no language model output; leave out running text, or choose another model")
        return self.output

    def recompute(self, on: bool) -> None:
        """Gradient checkpointing: activations inside a layer are computed again in the backward pass, or kept."""
        if on:
            self.model.activation_checkpointing_enable({"use_reentrant": False})
        else:
            self.model.activation_checkpointing_disable()
            self.model.disable_input_require_grads()  # what enabling has done besides


_loaded: dict[tuple[str, str, Quantization, Attention, bool, tuple[tuple[str, str], ...]], Backbone] = {}


def load(
    folder: str,
    store: str,
    quantization: Quantization,
    attention: Attention,
    whole: bool = True,
    checksums: Mapping[str, str] = MappingProxyType({}),
) -> Backbone:
    """The frozen backbone of a pretrained model; `store` is the folder of snapshots, `checksums` are of the model's
    files.

    It is on the GPU when there is one and it is to be there as a `whole`, else in main memory.
    Raises `ModelError` for a family that is not known or an attention mode it cannot run, `CheckpointError` for
    damaged files.
    """
    key = (folder, store, quantization, attention, whole, tuple(sorted(checksums.items())))
    if key not in _loaded:
        forget()  # before the next one is there: two models need not fit
        _loaded[key] = _load(*key)
    return _loaded[key]


def forget() -> None:
    """Load anew what is asked for next."""
    _loaded.clear()


def _load(
    folder: str,
    store: str,
    quantization: Quantization,
    attention: Attention,
    whole: bool,
    checksums: tuple[tuple[str, str], ...],
) -> Backbone:
    base = snapshots.base(folder, store, quantization, dict(checksums))
    device = f"cuda:{torch.cuda.current_device()}" if whole and torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    with nearby.files(base) as here:
        config, family = families.read(here)
        families.check_attention(config.model_type, attention)
        model = families.load(here, device, dtype)
        tokenizer = snapshots.tokenizer(here)
        output = _output(here, model, config, family)
        parameters = sum(value.numel() for value in families.empty(here).parameters())
    _prepare(model, family, attention, dtype)
    return Backbone(
        model=model,
        tokenizer=tokenizer,
        parameters=parameters,
        linear=linear_weights(model),
        hidden=config.hidden_size,
        layers=config.num_hidden_layers,
        sha256=base.sha256,
        pooling=families.pooling(family, attention),
        longest=families.longest(config, family),
        output=output,
    )


def _output(folder: str, model: PreTrainedModel, config: PreTrainedConfig, family: ModelFamily) -> Tensor | None:
    embedding: Any = model.get_input_embeddings()
    if config.tie_word_embeddings and family.output:
        return embedding.weight
    weights = snapshots.output_weights(folder, family.output)
    return None if weights is None else weights.to(embedding.weight)


def _prepare(model: nn.Module, family: ModelFamily, attention: Attention, dtype: torch.dtype) -> None:
    config: Any = model.config
    if family.kind == "decoder":
        config.use_cache = False
        if attention == "bidirectional":
            config.is_causal = False
    for module in model.modules():
        if isinstance(module, Linear4bit):
            # What the snapshot's config says of it cannot be overruled on loading.
            module.compute_dtype = dtype
            # On CPUs with avx512_bf16 a layer that was once in eval() would lose its autograd path.
            module.support_avx512bf16_for_cpu = False
    model.requires_grad_(False)
    model.eval()

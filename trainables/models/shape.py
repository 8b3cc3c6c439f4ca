"""How many weights does a backbone of a given shape have? Arithmetic on `Architecture`; no weights, no torch.

    shape = ladder("qwen3").size("0.6b").architecture
    matrices(shape)          # ((1024, 2048), (1024, 1024), (1024, 1024), (2048, 1024), (1024, 3072), ...)
    linear(shape)            # 440401920      what a token is multiplied with, and what is quantised
    parameters(shape)        # 596049920      all of the bare backbone: no pooler, no output weights of its own

The formulas are those of the networks in transformers; a test holds every one against the instantiated network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from trainables.config import Architecture, Size
from trainables.errors import ModelError

SCRATCH: dict[Literal["encoder", "decoder"], str] = {"decoder": "llama", "encoder": "xlm-roberta"}
"""Networks of the ladders that are pretrained on the spot (see `trainables.pretrain`)."""
FAIRSEQ_OFFSET = 2
"""Rows of XLM-R's position table that no token uses: positions are counted from the padding id + 1."""
MT5_BUCKETS = 32
"""Relative distances that mT5 tells apart (Raffel et al. 2020), one weight per head, shared by all layers."""


@dataclass(frozen=True)
class _Network:
    """What sets a kind of network apart, in numbers of weights."""

    gated: bool
    """Two matrices into the feed-forward part instead of one."""
    biases: Literal["all", "qkv", "none"]
    norm: int
    """Weights of a norm per hidden unit: 2 with an offset, 1 without."""
    norms: int
    """Norms per layer."""
    outer_norms: int
    """Norms outside the layers."""
    head_norms: int = 0
    """Norms of a head's width per layer."""
    tables: Callable[[Architecture], int] = lambda _: 0
    """Position tables and the like."""


def _fairseq_tables(shape: Architecture) -> int:
    if shape.positions is None:
        raise ModelError(f"{shape.model_type}: its position table counts, so the ladder must say `positions`")
    return (shape.positions + FAIRSEQ_OFFSET + 1) * shape.hidden  # and one row of segment types


_LLAMA = _Network(gated=True, biases="none", norm=1, norms=2, outer_norms=1)
_NETWORKS = {
    "xlm-roberta": _Network(gated=False, biases="all", norm=2, norms=2, outer_norms=1, tables=_fairseq_tables),
    "xlm-roberta-xl": _Network(gated=False, biases="all", norm=2, norms=2, outer_norms=1, tables=_fairseq_tables),
    "bloom": _Network(gated=False, biases="all", norm=2, norms=2, outer_norms=2),
    "xglm": _Network(gated=False, biases="all", norm=2, norms=2, outer_norms=1),
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": _Network(gated=True, biases="qkv", norm=1, norms=2, outer_norms=1),
    "qwen3": _Network(gated=True, biases="none", norm=1, norms=2, outer_norms=1, head_norms=2),
    "gemma3_text": _Network(gated=True, biases="none", norm=1, norms=4, outer_norms=1, head_norms=2),
    "mt5": _Network(
        gated=True, biases="none", norm=1, norms=2, outer_norms=1, tables=lambda shape: MT5_BUCKETS * shape.heads
    ),
}
MODEL_TYPES = tuple(_NETWORKS)
"""Networks a published ladder may be made of."""


def resolved(size: Size) -> Architecture:
    """The shape with its network named, also for a size that is pretrained on the spot."""
    shape = size.architecture
    return shape if shape.model_type else shape.model_copy(update={"model_type": SCRATCH[size.family]})


def head_width(shape: Architecture) -> int:
    return shape.head_dim or shape.hidden // shape.heads


def matrices(shape: Architecture) -> tuple[tuple[int, int], ...]:
    """(inputs, outputs) of the linear layers of one layer: query, key, value, output, then feed-forward.

    BLOOM keeps the first three in one; the numbers of weights are the same. Raises `ModelError` for an unknown network.
    """
    network = _network(shape)
    queries, keys = shape.heads * head_width(shape), (shape.kv_heads or shape.heads) * head_width(shape)
    attention = ((shape.hidden, queries), (shape.hidden, keys), (shape.hidden, keys), (queries, shape.hidden))
    into = ((shape.hidden, shape.intermediate),) * (1 + network.gated)
    return (*attention, *into, (shape.intermediate, shape.hidden))


def linear(shape: Architecture) -> int:
    """Weights in linear layers, biases left out: what `trainables.flops.linear_weights` counts."""
    return shape.layers * sum(inputs * outputs for inputs, outputs in matrices(shape))


def embeddings(shape: Architecture) -> int:
    """Weights of the token embedding. Raises `ModelError` where the vocabulary is not known beforehand."""
    if shape.vocabulary is None:
        raise ModelError("vocabulary: not known before pretraining, so the embedding's weights cannot be counted")
    return shape.vocabulary * shape.hidden


def parameters(shape: Architecture) -> int:
    """All weights of the bare backbone. Raises `ModelError` for an unknown network, vocabulary or position table."""
    network, made = _network(shape), matrices(shape)
    biased = {"all": made, "qkv": made[:3], "none": ()}[network.biases]
    layer = sum(inputs * outputs for inputs, outputs in made) + sum(outputs for _, outputs in biased)
    layer += network.norms * network.norm * shape.hidden + network.head_norms * head_width(shape)
    outside = network.outer_norms * network.norm * shape.hidden + network.tables(shape)
    return embeddings(shape) + shape.layers * layer + outside


def _network(shape: Architecture) -> _Network:
    if shape.model_type not in _NETWORKS:
        raise ModelError(f"model_type: {shape.model_type!r} is not known; there are {', '.join(MODEL_TYPES)}")
    return _NETWORKS[shape.model_type]

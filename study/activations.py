"""How much does a network keep for its backward pass? Bytes per token, by the widths of its layers.

    found = network(shape, "bf16")
    found.kept.per_token(shape, rank=16, width=512)      # one layer, in rows of 512 tokens

The numbers were counted, tensor by tensor, on small networks whose widths all differ (`tests/memory_measured.py` does
it again): first what autograd saved, then what stood beside it at the fullest moment. Rows are taken as padded, as
nearly all passes are: then grouped keys and values are repeated for every head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trainables.config import Architecture
from trainables.errors import ModelError
from trainables.models.shape import head_width

Precision = Literal["bf16", "fp32"]
"""bf16: a GPU (bf16 base, fp32 adapter, autocast). fp32: a CPU."""


@dataclass(frozen=True)
class Kept:
    """Bytes per token that one layer keeps for its backward pass, by the widths they are multiples of."""

    hidden: float
    query: float
    """Of heads x head width; keys and values repeated for every head of a group are in here."""
    inner: float
    """Of the feed-forward part."""
    rank: float
    """Of the adapter's rank."""
    heads: float
    mask: float
    """Of the row length: the mask of padding, as the attention kernel takes it."""
    key: float = 0.0
    """Of key and value heads x head width."""
    scores: float = 0.0
    """Of heads x row length: attention scores, where attention is eager."""

    def per_token(self, shape: Architecture, rank: int, width: int) -> float:
        queries, keys = shape.heads * head_width(shape), (shape.kv_heads or shape.heads) * head_width(shape)
        return (
            self.hidden * shape.hidden
            + self.query * queries
            + self.key * keys
            + self.inner * shape.intermediate
            + self.rank * rank
            + self.heads * shape.heads
            + (self.mask + self.scores * shape.heads) * width
        )


@dataclass(frozen=True)
class Working:
    """Bytes per token that stand beside what is kept, at the fullest moment of a backward pass."""

    inner: float
    """Of the feed-forward part: its gradients."""
    hidden: float
    """What else is there then, when a layer is computed again."""
    norms: float
    """Of the hidden width: when a layer is computed again, at its norms, which work in fp32."""
    last: float
    """Of the hidden width: at the last norm, before the backward pass has reached the layers."""
    entry: float
    """Of the hidden width: what goes into a layer, which is all that is kept where it is computed again."""


@dataclass(frozen=True)
class Network:
    """Activations of one kind of network, in one precision."""

    kept: Kept
    working: Working


_LLAMA: dict[Precision, Network] = {
    "bf16": Network(
        Kept(hidden=12, query=8, inner=8, rank=14, heads=4, mask=2),
        Working(inner=4, hidden=2, norms=11, last=20, entry=2),
    ),
    "fp32": Network(
        Kept(hidden=16, query=16, inner=16, rank=28, heads=4, mask=4),
        Working(inner=8, hidden=0.5, norms=12, last=20, entry=4),
    ),
}
# Where heads are as wide as the layer, `hidden` holds what is of either width. XLM-R, XGLM and mT5 are counted with the
# dropout of their published configurations on a GPU (a byte per element), and without on a CPU.
NETWORKS: dict[str, dict[Precision, Network]] = {
    "xlm-roberta": {
        "bf16": Network(
            Kept(hidden=26, query=0, inner=6, rank=12, heads=4, mask=2),
            Working(inner=10, hidden=7, norms=33, last=30, entry=4),
        ),
        "fp32": Network(
            Kept(hidden=32, query=0, inner=8, rank=24, heads=4, mask=4),
            Working(inner=8, hidden=4.5, norms=0, last=18, entry=4),
        ),
    },
    "xlm-roberta-xl": {
        "bf16": Network(
            Kept(hidden=25, query=0, inner=6, rank=12, heads=4, mask=2),
            Working(inner=10, hidden=2, norms=24, last=20, entry=4),
        ),
        "fp32": Network(
            Kept(hidden=32, query=0, inner=8, rank=24, heads=4, mask=4),
            Working(inner=8, hidden=4.5, norms=0, last=18, entry=4),
        ),
    },
    "bloom": {
        # The feed-forward part is always four times as wide as the layer, and what it keeps is counted with that.
        "bf16": Network(
            Kept(hidden=44, query=0, inner=0, rank=8, heads=0, mask=0, scores=6),
            Working(inner=22, hidden=8, norms=0, last=20, entry=4),
        ),
        "fp32": Network(
            Kept(hidden=64, query=0, inner=0, rank=16, heads=0, mask=0, scores=4),
            Working(inner=20, hidden=7, norms=0, last=20, entry=4),
        ),
    },
    "xglm": {
        "bf16": Network(
            Kept(hidden=26, query=0, inner=6, rank=12, heads=0, mask=0, scores=7),
            Working(inner=10, hidden=1.5, norms=24, last=20, entry=4),
        ),
        "fp32": Network(
            Kept(hidden=32, query=0, inner=8, rank=24, heads=0, mask=0, scores=8),
            Working(inner=8, hidden=6.5, norms=0, last=18, entry=4),
        ),
    },
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": _LLAMA,
    "qwen3": {
        "bf16": Network(Kept(hidden=12, query=12, key=4, inner=8, rank=14, heads=8, mask=2), _LLAMA["bf16"].working),
        "fp32": Network(Kept(hidden=16, query=20, key=4, inner=16, rank=28, heads=8, mask=4), _LLAMA["fp32"].working),
    },
    "gemma3_text": {
        "bf16": Network(
            Kept(hidden=20, query=12, key=4, inner=8, rank=14, heads=8, mask=2),
            Working(inner=4, hidden=3, norms=22.5, last=21, entry=2),
        ),
        "fp32": Network(
            Kept(hidden=24, query=20, key=4, inner=16, rank=28, heads=8, mask=4),
            Working(inner=7, hidden=1, norms=21, last=21, entry=4),
        ),
    },
    # The relative distances of a row are added to its mask, one for every head.
    "mt5": {
        "bf16": Network(
            Kept(hidden=26, query=0, inner=15, rank=14, heads=4, mask=0, scores=2),
            Working(inner=6.5, hidden=7, norms=0, last=15, entry=2),
        ),
        "fp32": Network(
            Kept(hidden=32, query=0, inner=28, rank=28, heads=4, mask=0, scores=4),
            Working(inner=8, hidden=0.5, norms=0, last=20, entry=4),
        ),
    },
}


def network(shape: Architecture, precision: Precision) -> Network:
    """What is known of a kind of network. Raises `ModelError` for an unknown one."""
    if shape.model_type not in NETWORKS:
        raise ModelError(f"model_type: {shape.model_type!r} is not known; there are {', '.join(NETWORKS)}")
    return NETWORKS[shape.model_type][precision]

"""How many bytes does a training step of a given shape need? Pure arithmetic on `Architecture`, no torch.

    need = of(shape, "nf4", Adapter(rank=16), "bf16")
    need.fixed                                   # weights, adapter with its optimiser, one dequantised matrix
    need.per_token(512, recompute=False)         # what every token of a forward pass adds, in rows of 512
    need.peak(8192, 512, recompute=False)

Weights: NF4 takes half a byte per weight, one byte per 64 weights (their scale) and four per 16,384 (the scales'
scale), 0.5159 in all (Dettmers et al. 2023); what is not a linear layer stays in 16 (on a CPU 32) bits. A trained
weight takes 16 bytes: itself, its gradient and AdamW's two means in fp32.

Activations: every layer keeps what its backward pass will read (`study.activations`). With recompute it keeps its input
alone, and one layer at a time is computed again. Where attention is eager its scores are kept too, which grows with the
length of the rows. A calibration (`study calibrate`) replaces these counts by measurements.
"""

from __future__ import annotations

from dataclasses import dataclass

from study.activations import Precision, network
from trainables.config import Adapter, Architecture, Quantization
from trainables.models.shape import embeddings, linear, matrices, parameters

BYTES: dict[Precision, int] = {"bf16": 2, "fp32": 4}
TRAINED_BYTES = 16
"""fp32 weight, gradient and AdamW's two means."""
CONTEXT_BYTES = 1.2e9
"""What CUDA, its libraries and the allocator's rounding take before the first tensor."""
CHUNK_TOKENS = 1024
"""Places that are projected on the vocabulary at a time (`trainables.models.heads.projection.AT_ONCE`)."""
PROJECTED_BYTES = 12
"""Per place and vocabulary entry: scores, their log-softmax and the gradient of these, in fp32."""
NF4_BLOCK, NF4_OUTER_BLOCK, NF4_BOOKS = 64, 256, 4 * 16 + 4 * 256 + 4
"""Weights per scale, scales per scale of scales, bytes of code books and offset per matrix (bitsandbytes)."""


@dataclass(frozen=True)
class Memory:
    """Bytes of a training step on one card."""

    weights: float
    """The frozen base, or this card's part of it."""
    adapter: float
    """Trained weights with gradients and optimiser state."""
    matrix: float
    """The largest matrix dequantised (and one layer gathered from other cards), for the product it takes part in."""
    context: float
    shape: Architecture
    rank: int
    precision: Precision
    projects: bool
    """Whether a head projects on the vocabulary."""
    stretch: float = 1.0
    """Measured / computed activations, after a calibration."""

    @property
    def fixed(self) -> float:
        """Bytes before the first token."""
        return self.context + self.weights + self.adapter + self.matrix

    def per_token(self, width: int, recompute: bool) -> float:
        """Activations per token of a pass in rows of `width`, at the fullest moment of the backward pass."""
        shape, found = self.shape, network(self.shape, self.precision)
        layer, work = found.kept.per_token(shape, self.rank, width), found.working
        last = work.last * shape.hidden
        if not recompute:
            return self.stretch * (shape.layers * layer + max(work.inner * shape.intermediate, last))
        entries = shape.layers * work.entry * shape.hidden
        inside = layer + max(work.inner * shape.intermediate + work.hidden * shape.hidden, work.norms * shape.hidden)
        return self.stretch * (entries + max(inside, last))

    def head(self, tokens: int) -> float:
        """What projecting on the vocabulary takes: a chunk at a time."""
        if not self.projects or self.shape.vocabulary is None:
            return 0.0
        return PROJECTED_BYTES * min(tokens, CHUNK_TOKENS) * self.shape.vocabulary

    def peak(self, tokens: int, width: int, recompute: bool) -> float:
        """Bytes at the fullest moment of a pass over `tokens` padded tokens in rows of `width`."""
        # The head is done with before the backward pass reaches the layers: its memory is there beside what they
        # keep, not beside what they work with, so this is an upper bound.
        return self.fixed + tokens * self.per_token(width, recompute) + self.head(tokens)


def of(
    shape: Architecture,
    quantization: Quantization,
    adapter: Adapter,
    precision: Precision,
    projects: bool = False,
    cards: int = 1,
    stretch: float = 1.0,
) -> Memory:
    """The memory of a size, its base spread over `cards`. Raises `ModelError` for an unknown network."""
    whole = weights(shape, quantization, precision)
    if not shape.tied and shape.model_type != "mt5":  # the output weights; mT5's encoder has none
        whole += BYTES[precision] * embeddings(shape)
    layer = whole * linear(shape) / parameters(shape) / shape.layers if cards > 1 else 0.0
    largest = max(inputs * outputs for inputs, outputs in adapted(shape))
    return Memory(
        weights=whole / cards,
        adapter=TRAINED_BYTES * adapter_weights(shape, adapter),
        matrix=(BYTES[precision] * largest if quantization != "none" else 0.0) + 2 * layer,
        context=CONTEXT_BYTES if precision == "bf16" else 0.0,
        shape=shape,
        rank=adapter.rank,
        precision=precision,
        projects=projects,
        stretch=stretch,
    )


def weights(shape: Architecture, quantization: Quantization, precision: Precision) -> float:
    """Bytes of the frozen base in memory, exact for NF4."""
    size = BYTES[precision]
    if quantization == "none":
        return size * parameters(shape)
    made = adapted(shape)
    # transformers leaves mT5's last feed-forward matrix as it is.
    whole = made[-1:] if shape.model_type == "mt5" else ()
    quantised = made[: len(made) - len(whole)]
    count = {"nf4": _nf4_bytes, "int8": _int8_bytes}[quantization]
    layer = sum(count(inputs, outputs) for inputs, outputs in quantised)
    layer += sum(size * inputs * outputs for inputs, outputs in whole)
    return shape.layers * layer + size * (parameters(shape) - linear(shape))


def _nf4_bytes(inputs: int, outputs: int) -> int:
    count = inputs * outputs
    scales = -(-count // NF4_BLOCK)
    return -(-count // 2) + scales + 4 * -(-scales // NF4_OUTER_BLOCK) + NF4_BOOKS


def _int8_bytes(inputs: int, outputs: int) -> int:
    """One byte per weight and a scale per row (LLM.int8)."""
    return inputs * outputs + 4 * outputs


def adapted(shape: Architecture) -> tuple[tuple[int, int], ...]:
    """(inputs, outputs) of the linear layers of one layer as they are in the network, where BLOOM has fewer."""
    made = matrices(shape)
    if shape.model_type == "bloom":
        return ((shape.hidden, 3 * shape.hidden), *made[3:])
    return made


def adapter_weights(shape: Architecture, adapter: Adapter) -> int:
    """Trained weights of LoRA on every linear layer; DoRA adds a magnitude per output."""
    made = adapted(shape)
    each = sum(adapter.rank * (inputs + outputs) + adapter.dora * outputs for inputs, outputs in made)
    return shape.layers * each

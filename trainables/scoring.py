"""What does a network answer to many examples, without wasting a pass on padding?

Examples are sorted by length and cut into passes under a token budget; answers come back in the given order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.batching import within_budget
from trainables.encoding import Batch, Items, collate
from trainables.models.network import Network

TOKENS = {"cpu": 4096, "cuda": 16384}
"""Padded tokens per pass without gradients. A CPU is fastest while the states of a pass stay in its caches
(`tests.benchmarks.scoring --budgets` measures it); a GPU wants large products."""


def budget(device: torch.device) -> int:
    """Padded tokens of a forward pass on this device."""
    return TOKENS.get(device.type, TOKENS["cpu"])


def passes(items: Items, pad_id: int, tokens: int) -> Iterator[tuple[list[int], Batch]]:
    """(indices, batch) pairs that cover all items under a budget of padded tokens."""
    for indices in within_budget(items.lengths.tolist(), items.counts.tolist(), tokens):
        yield indices, collate([items[index] for index in indices], pad_id)


def predict(net: Network, task: str, items: Items, pad_id: int, tokens: int) -> list[Any]:
    """One prediction per item, in order."""
    return priced(net, task, items, pad_id, tokens)[0]


def priced(net: Network, task: str, items: Items, pad_id: int, tokens: int) -> tuple[list[Any], NDArray[np.float64]]:
    """One prediction per item, in order, and what each cost: (N,) FLOPs, by its rows' share of its pass."""
    training = net.model.training
    net.model.eval()
    answers: list[Any] = [None] * len(items)
    flops = np.zeros(len(items))
    for indices, batch in passes(items, pad_id, tokens):
        before = net.spent
        for index, answer in zip(indices, net.predict(batch, task), strict=True):
            answers[index] = answer
        flops[indices] = (net.spent - before) * items.counts[indices] / len(batch.input_ids)
    net.model.train(training)
    return answers, flops


@torch.no_grad()
def embed(net: Network, items: Items, pad_id: int, tokens: int, special: bool) -> Tensor:
    """Mean-pooled states of every layer, the embedding first: (layers + 1, N, H) float32.

    `special`: whether the first and last token take part. XTREME-R's script averages over all tokens of an encoder;
    a decoder's first token is an attention sink whose huge norm would drown the others, so there they are left out.
    """
    net.model.eval()
    found: Tensor | None = None
    for indices, batch in passes(items, pad_id, tokens):
        mask = batch.attention_mask.to(net.device).clone()
        if not special:
            _drop_ends(mask)
        weights = (mask / mask.sum(1, keepdim=True).clamp(min=1)).float()[:, None]
        layers = torch.stack([(weights @ state.float())[:, 0].cpu() for state in net.layers(batch)])
        if found is None:
            found = layers.new_empty(len(layers), len(items), layers.shape[-1])
        found[:, indices] = layers
    assert found is not None, "embed() of no texts"
    return found


def _drop_ends(mask: Tensor) -> None:
    """Take the first and the last real token out of a mask, where anything is left between them."""
    last = mask.sum(1) - 1
    long = last >= 2
    rows = torch.arange(len(mask), device=mask.device)[long]
    mask[rows, 0] = 0
    mask[rows, last[long]] = 0

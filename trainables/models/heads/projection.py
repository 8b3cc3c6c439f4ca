"""How likely is a token after a state? Without ever holding the scores of many states over a large vocabulary."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

AT_ONCE = 1024
"""States projected on the vocabulary at a time: at 250,000 pieces one gibibyte of scores."""


def token_losses(states: Tensor, tokens: Tensor, embedding: Tensor, transform: nn.Module | None = None) -> Tensor:
    """(K, H) states, the (K,) tokens to be told, (V, H) output weights -> (K,) cross-entropies, float32.

    Scores are made AT_ONCE states at a time, and again in the backward pass instead of being kept. `transform` is
    applied to the states first.
    """
    parts = [
        checkpoint(_losses, some, wanted, embedding, transform, use_reentrant=False)
        for some, wanted in zip(states.split(AT_ONCE), tokens.split(AT_ONCE), strict=True)
    ]
    return torch.cat(parts)


def _losses(states: Tensor, tokens: Tensor, embedding: Tensor, transform: nn.Module | None) -> Tensor:
    if transform is not None:
        states = transform(states.float())
    logits = functional.linear(states.to(embedding.dtype), embedding)
    return functional.cross_entropy(logits.float(), tokens, reduction="none")

"""How many floating-point operations does a pass over some tokens take?

Per token a forward pass costs 2 per weight of every linear layer plus 4 * T * hidden * layers for attention
(Kaplan et al. 2020). Training a frozen base costs one more pass's worth, for the input gradients (4N), and with
gradient checkpointing another, for the second forward pass (6N); full training costs two more (6N). Embedding
look-ups are free; a language-model head is counted where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

FORWARD, FROZEN_BASE, RECOMPUTED_BASE, FULL_TRAINING = 1, 2, 3, 3


def linear_weights(model: nn.Module) -> int:
    """Weights in linear layers, quantised or not, adapters left out."""
    from torch import nn  # planning counts operations without loading it

    total = 0
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and "lora_" not in name:
            total += module.in_features * module.out_features
    return total


def flops(linear: int, hidden: int, layers: int, tokens: int, width: int, passes: int) -> float:
    """FLOPs of `passes` (see above) over `tokens` padded tokens in rows of `width`."""
    return float(passes) * tokens * (2 * linear + 4 * width * hidden * layers)

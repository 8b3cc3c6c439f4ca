"""How close are a query and a passage?

XTREME-R's dual encoder: one tower for both, the pooled state through a linear layer and tanh, rows of length one,
a learnt scale that starts at 100, and a softmax over the passages of the other examples.

The loss of an example therefore depends on its company. To make it the same however a step is cut into passes or
over workers, examples of a step are compared in groups of at most GROUP neighbours, and a cut never goes through a
group.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainables.encoding import Batch
from trainables.models.families import Pooling
from trainables.models.heads.pooling import pooled

GROUP = 8
SCALE = 100.0


class Match(nn.Module):
    """Embeds queries and passages; items have two rows, the query and its passage."""

    kind = "match"

    def __init__(self, hidden: int, pooling: Pooling) -> None:
        super().__init__()
        self.pooling: Pooling = pooling
        self.dense = nn.Linear(hidden, hidden)
        self.scale = nn.Parameter(torch.tensor(SCALE))

    def embed(self, hidden: Tensor, batch: Batch) -> Tensor:
        """(R, T, H) -> (R, H) float32 rows of length one, of any items."""
        states = pooled(hidden, batch.attention_mask.to(hidden.device), self.pooling)
        return functional.normalize(torch.tanh(self.dense(states.float())), dim=-1)

    def loss(self, hidden: Tensor, batch: Batch) -> Tensor:
        """(N,) cross-entropy of the right passage among those of the group.

        A passage that is the same as the right one, as it happens with several questions about one sentence, is
        not counted as wrong.
        """
        rows = self.embed(hidden, batch)
        logits = self.scale * rows[::2] @ rows[1::2].T
        gold = torch.arange(len(logits), device=hidden.device)
        return functional.cross_entropy(
            logits.masked_fill(~_company(batch).to(hidden.device), float("-inf")), gold, reduction="none"
        )


def _company(batch: Batch) -> Tensor:
    """(N, N) bool: whose passages a query is compared with, its own among them."""
    groups = torch.repeat_interleave(torch.arange(len(batch.groups)), torch.tensor(batch.groups))
    names: dict[bytes, int] = {}
    passages = torch.tensor([names.setdefault(item.rows[1].tobytes(), len(names)) for item in batch.items])
    same = passages[:, None] == passages[None]
    return (groups[:, None] == groups[None]) & (~same | torch.eye(len(passages), dtype=torch.bool))

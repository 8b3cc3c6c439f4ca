"""Which state stands for a whole row?"""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.encoding import Batch
from trainables.models.families import Pooling


def pooled(hidden: Tensor, mask: Tensor, pooling: Pooling) -> Tensor:
    """(R, T, H) -> (R, H): the state of the first token, of the last real token, or the mean of the real ones.

    What is real is told by the mask, never by the pad id: some tokenizers pad with the end-of-text token.
    """
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "mean":
        weights = mask[..., None].float()
        return (hidden.float() * weights).sum(1) / weights.sum(1)
    last = mask.sum(1) - 1
    return hidden[torch.arange(len(hidden), device=hidden.device), last]


def labels_of(batch: Batch, hidden: Tensor) -> Tensor:
    """(N,) gold labels, where the hidden states are."""
    return torch.tensor([item.label for item in batch.items], device=hidden.device)


def mean_of_items(values: Tensor, items: Tensor, count: int) -> Tensor:
    """(K,) values and the item (0 to count - 1) of each -> (count,) means; 0 for an item without values."""
    sums = torch.zeros(count, dtype=values.dtype, device=values.device).index_add(0, items, values)
    return sums / torch.bincount(items, minlength=count).clamp(min=1)


def targets_of(batch: Batch, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """States (K, H) at the places where something is to be told, what it is (K,), and whose item (K,)."""
    rows: list[int] = []
    items: list[int] = []
    for item, span in enumerate(batch.rows_of):
        for row, targets in zip(span, batch.items[item].targets, strict=True):
            rows += [row] * len(targets)
            items += [item] * len(targets)
    pairs = [torch.from_numpy(targets.astype("int64")) for item in batch.items for targets in item.targets]
    places, gold = torch.cat(pairs).to(hidden.device).unbind(1)
    return hidden[torch.tensor(rows, device=hidden.device), places], gold, torch.tensor(items, device=hidden.device)

"""Which label has a text, or a pair of texts?"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from trainables.encoding import Batch
from trainables.models.families import Pooling
from trainables.models.heads.pooling import labels_of, pooled


class Classify(nn.Module):
    """One of C labels from the pooled state."""

    kind = "classify"

    def __init__(self, hidden: int, labels: Sequence[str], pooling: Pooling) -> None:
        super().__init__()
        self.pooling: Pooling = pooling
        self.labels = tuple(labels)
        self.score = nn.Linear(hidden, len(labels))

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """(R, T, H) -> (N, C) logits."""
        return self.score(pooled(hidden, batch.attention_mask.to(hidden.device), self.pooling).float())

    def loss(self, hidden: Tensor, batch: Batch) -> Tensor:
        """(N,) cross-entropy."""
        return functional.cross_entropy(self(hidden, batch), labels_of(batch, hidden), reduction="none")

    def predict(self, hidden: Tensor, batch: Batch) -> list[str]:
        return [self.labels[index] for index in self(hidden, batch).argmax(1).tolist()]

"""Which option follows a context? Told by the language model itself, or by a score of the pooled state."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainables.encoding import Batch
from trainables.models.families import Pooling
from trainables.models.heads.pooling import labels_of, pooled
from trainables.models.heads.projection import token_losses


def per_item(rows: Tensor, batch: Batch) -> Tensor:
    """(R,) row scores -> (N, most options), absent options at -inf."""
    spans = batch.rows_of
    table = rows.new_full((len(spans), max(map(len, spans))), float("-inf"))
    items = torch.tensor([item for item, span in enumerate(spans) for _ in span])
    places = torch.tensor([place for span in spans for place in range(len(span))])
    return table.index_put((items.to(rows.device), places.to(rows.device)), rows)


class ChooseByLM(nn.Module):
    """Options scored by the model's own summed log-probability of their tokens, end token included."""

    kind = "lm"

    def __init__(self, output_embedding: Tensor) -> None:
        super().__init__()
        self._embedding = (output_embedding,)  # in a tuple: frozen, not a parameter of this module

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """(R, T, H) -> (N, options) log-probabilities."""
        starts = torch.tensor([start for item in batch.items for start in item.starts], device=hidden.device)
        place = torch.arange(hidden.shape[1] - 1, device=hidden.device)[None]
        ids, mask = batch.input_ids.to(hidden.device), batch.attention_mask.to(hidden.device)
        # Position t predicts token t + 1; only option tokens are projected on the vocabulary.
        wanted = (place >= starts[:, None] - 1) & mask[:, 1:].bool()
        token_scores = -token_losses(hidden[:, :-1][wanted], ids[:, 1:][wanted], self._embedding[0])
        row = wanted.nonzero()[:, 0]
        sums = torch.zeros(len(ids), dtype=token_scores.dtype, device=hidden.device)
        return per_item(sums.index_add(0, row, token_scores), batch)

    def loss(self, hidden: Tensor, batch: Batch) -> Tensor:
        """(N,) cross-entropy over the options."""
        return functional.cross_entropy(self(hidden, batch), labels_of(batch, hidden), reduction="none")

    def predict(self, hidden: Tensor, batch: Batch) -> list[int]:
        return self(hidden, batch).argmax(1).tolist()


class ChooseByPool(nn.Module):
    """Options scored by one linear unit on the pooled state of context + option (multiple choice of BERT)."""

    kind = "pooled"

    def __init__(self, hidden: int, pooling: Pooling) -> None:
        super().__init__()
        self.pooling: Pooling = pooling
        self.score = nn.Linear(hidden, 1)

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        states = pooled(hidden, batch.attention_mask.to(hidden.device), self.pooling)
        return per_item(self.score(states.float())[:, 0], batch)

    def loss(self, hidden: Tensor, batch: Batch) -> Tensor:
        """(N,) cross-entropy over the options."""
        return functional.cross_entropy(self(hidden, batch), labels_of(batch, hidden), reduction="none")

    def predict(self, hidden: Tensor, batch: Batch) -> list[int]:
        return self(hidden, batch).argmax(1).tolist()

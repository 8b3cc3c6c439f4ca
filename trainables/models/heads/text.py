"""How does a phase go on learning its language? By predicting tokens of running text.

A left-to-right model predicts the next token with its own frozen output embedding. A model that sees both sides
restores masked tokens, through a small trained transform (linear, GELU, layer norm, as XLM-R's own, which is not
part of the bare backbone) and the same embedding. Which tokens are to be told stands in the items
(`trainables.runningtext`).
"""

from __future__ import annotations

from torch import Tensor, nn

from trainables.encoding import Batch
from trainables.models.heads.pooling import mean_of_items, targets_of
from trainables.models.heads.projection import token_losses


class RunningText(nn.Module):
    """Cross-entropy of the tokens at the items' targets."""

    def __init__(self, output_embedding: Tensor, transform: nn.Module | None) -> None:
        super().__init__()
        self._embedding = (output_embedding,)  # in a tuple: frozen, not a parameter of this module
        self.transform = transform

    def loss(self, hidden: Tensor, batch: Batch) -> Tensor:
        """(N,) mean cross-entropy over the targets of each item."""
        states, gold, items = targets_of(batch, hidden)
        losses = token_losses(states, gold, self._embedding[0], self.transform)
        return mean_of_items(losses, items, len(batch.items))


class CausalText(RunningText):
    """The next token, by the model as it is."""

    kind = "clm"

    def __init__(self, output_embedding: Tensor) -> None:
        super().__init__(output_embedding, None)


class MaskedText(RunningText):
    """Masked tokens, through a trained transform."""

    kind = "mlm"

    def __init__(self, output_embedding: Tensor) -> None:
        hidden = output_embedding.shape[1]
        transform = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.LayerNorm(hidden))
        super().__init__(output_embedding, transform)

"""What is the whole shape of a size, also of one whose vocabulary is only found in pretraining?

size_of(ladder("lab"), "xs").architecture.vocabulary        # 2000: the most that it may find
"""

from __future__ import annotations

from trainables.config import Size
from trainables.models.ladders import Ladder
from trainables.models.shape import resolved


def size_of(family: Ladder, name: str) -> Size:
    """A size with its network named and, on a scratch ladder, the largest vocabulary. Raises `SpecError`."""
    size = family.size(name)
    shape = resolved(size)
    if family.pretrain is not None:
        found = {"vocabulary": family.pretrain.vocabulary, "positions": 2 * family.pretrain.max_length}
        shape = shape.model_copy(update=found)
    return size.model_copy(update={"architecture": shape})

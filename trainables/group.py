"""Who else trains this step? A group of data-parallel workers, or nobody.

ALONE.sum_([gradient])          # nothing to do
Group(rank=0, size=2).sum_(...) # every tensor becomes the sum over both workers
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Group:
    """One worker's place in a group; `torch.distributed` is initialised by whoever made the group."""

    rank: int
    size: int
    lockstep: bool = False
    """Every worker must make as many passes as the others: each pass gathers parts of the base from all of them."""

    def sum_(self, tensors: Sequence[Tensor]) -> None:
        """Replace every tensor by its sum over the group. Tensors of one kind travel together: a message per tensor
        would cost more than what is in it."""
        if self.size == 1:
            return
        kinds: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
        for tensor in tensors:
            kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor)
        for alike in kinds.values():
            together = torch.cat([tensor.reshape(-1) for tensor in alike])
            torch.distributed.all_reduce(together)
            for tensor, part in zip(alike, together.split([tensor.numel() for tensor in alike]), strict=True):
                tensor.copy_(part.view_as(tensor))

    def most(self, value: int) -> int:
        """The largest of the workers' values."""
        if self.size == 1:
            return value
        found = torch.tensor(value)
        torch.distributed.all_reduce(found, torch.distributed.ReduceOp.MAX)
        return int(found)

    def wait(self) -> None:
        """Until every worker has come this far."""
        self.most(0)


ALONE = Group(0, 1)

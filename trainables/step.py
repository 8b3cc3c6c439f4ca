"""What is the gradient of one step, over any number of passes and workers, when memory may run out?

An `Objective` says which passes make up a step; they are summed, and with several workers summed again, so that any
cut into passes and any number of workers gives the gradient of the whole step. When a pass does not fit into the
memory, all workers forget what they have summed, and the step starts again from its beginning, with the same random
numbers and passes of half the size, from then on. When the pass was a single example, nothing can help, and
`ModelError` says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from trainables.errors import ModelError
from trainables.group import ALONE, Group

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pass:
    """One forward pass: its share of the step's loss, and what it cost with its backward pass."""

    loss: Tensor
    """Scalar: sum over the pass's examples, divided by the examples of the whole step."""
    tokens: int
    flops: float


@dataclass(frozen=True)
class Planned:
    """A pass that is still to be made, by calling it."""

    make: Callable[[], Pass]
    whole: str = ""
    """Of a pass that cannot be cut smaller: what it holds, for the line that says it does not fit."""

    def __call__(self) -> Pass:
        return self.make()


class Objective(Protocol):
    """What a run minimises."""

    def passes(self, step: int, group: Group, halvings: int = 0) -> Sequence[Planned]:
        """The passes of one step, for one worker of a group, the smallest last. A function of its arguments alone.

        `halvings`: how often the size of a pass is to be halved, compared with what was planned.
        """


@dataclass(frozen=True)
class Step:
    """What the passes of a step came to, over all workers; the gradients are in the tensors."""

    loss: float
    tokens: int
    flops: float
    halvings: int
    noticed: bool
    """Whether any of the workers was told to go."""


@dataclass
class _Part:
    """One worker's part of a step, as far as it came."""

    loss: float = 0.0
    tokens: int = 0
    flops: float = 0.0
    full: bool = False
    """Its memory ran out."""
    whole: str = ""
    """What the pass held that did not fit and cannot be cut smaller."""


def gradient(
    objective: Objective,
    step: int,
    seed: int,
    trained: Sequence[Tensor],
    group: Group,
    halvings: int,
    noticed: Callable[[], bool],
) -> Step:
    """Leave the gradient of one step in `trained`, the same on all workers.

    Raises `ModelError` when a single example does not fit into the memory.
    """
    while True:
        for tensor in trained:
            tensor.grad = None
        torch.manual_seed(seed)
        part = _made(_passes(objective, step, group, halvings))
        if part.full and group.lockstep:  # the others wait for this worker's share of the base and cannot be asked
            raise ModelError("out of memory with a sharded base; halve compute.micro_tokens, or take more workers")
        mine = [part.loss, part.tokens, part.flops, part.full, bool(part.whole), noticed()]
        shared = torch.tensor(mine, dtype=torch.float64)
        group.sum_([shared])
        loss, tokens, flops, full, hopeless, told = shared.tolist()
        if not full:
            break
        if hopeless:
            what = part.whole or "one example of another worker"
            raise ModelError(
                f"out of memory: {what} does not fit; lower training.max_length, or take a larger GPU or a smaller size"
            )
        halvings += 1
        LOG.warning("step %d does not fit into the memory: passes of half the size from here on", step + 1)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    if group.size > 1:
        for tensor in trained:
            if tensor.grad is None:
                tensor.grad = torch.zeros_like(tensor)
        group.sum_([tensor.grad for tensor in trained if tensor.grad is not None])
    return Step(loss, int(tokens), flops, halvings, bool(told))


def _made(passes: Sequence[Planned]) -> _Part:
    """Make the passes, forward and backward, until one does not fit."""
    part, losses = _Part(), []
    for planned in passes:
        try:
            one = planned()
            one.loss.backward()
        except torch.OutOfMemoryError:
            part.full, part.whole = True, planned.whole
            return part
        losses.append(one.loss.detach())
        part.tokens += one.tokens
        part.flops += one.flops
    part.loss = sum(torch.stack(losses).tolist()) if losses else 0.0  # one wait for the device, not one per pass
    return part


def _passes(objective: Objective, step: int, group: Group, halvings: int) -> list[Planned]:
    """This worker's passes; in lockstep filled up with passes that count for nothing."""
    mine = list(objective.passes(step, group, halvings))
    if group.lockstep:
        missing = group.most(len(mine)) - len(mine)
        smallest = objective.passes(step, ALONE, halvings)[-1]
        mine += [Planned(partial(_idle, smallest))] * missing
    return mine


def _idle(planned: Planned) -> Pass:
    return Pass(planned().loss * 0.0, 0, 0.0)

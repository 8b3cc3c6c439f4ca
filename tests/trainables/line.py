"""The smallest real run: a line through noisy points, cut into passes, with what can go wrong in a pass."""

import math

import torch
from torch import nn

from trainables import loop
from trainables.group import Group
from trainables.step import Pass, Planned

EXAMPLES = 8


class Line:
    """Fit a line; `EXAMPLES` a step, cut into `cuts` passes.

    `capacity`: step -> examples of a pass that fit into the memory, where there is a limit. `poison`: the step whose
    loss is no number.
    """

    def __init__(self, model, cuts=1, dropout=0.0, poison=None, capacity=None):
        self.model, self.cuts, self.dropout, self.poison = model, cuts, nn.Dropout(dropout), poison
        self.capacity = capacity or (lambda step: EXAMPLES)

    def passes(self, step: int, group: Group, halvings: int = 0):
        generator = torch.Generator().manual_seed(step)
        x = torch.randn(EXAMPLES, 3, generator=generator)
        y = x @ torch.tensor([1.0, -2.0, 0.5]) + 0.1 * torch.randn(EXAMPLES, generator=generator)
        mine = list(range(EXAMPLES))[group.rank :: group.size]
        width = max(1, math.ceil(len(mine) / self.cuts) >> halvings)
        parts = [mine[i : i + width] for i in range(0, len(mine), width)]
        return [
            Planned(lambda part=part: self._pass(x[part], y[part], step), "one point" if len(part) == 1 else "")
            for part in parts
        ]

    def _pass(self, x, y, step):
        shown = self.dropout(x)  # draws random numbers before the memory runs out
        if len(x) > self.capacity(step):
            raise torch.OutOfMemoryError(f"no room for {len(x)} points")
        loss = ((self.model(shown)[:, 0] - y) ** 2).sum() / EXAMPLES
        return Pass(loss * math.nan if step == self.poison else loss, tokens=len(x), flops=2.0 * len(x))


def make(tmp_path, steps=20, checkpoint_seconds=1e9, rate=0.05, evaluate=None, evaluations=0, **line):
    """(run, objective, model) of a line; the same arguments give the same run."""
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    tensors = dict(model.named_parameters())
    run = loop.Run(
        steps=steps, seed=5, clip=1.0, schedule=loop.Schedule(steps, 0.1), tensors=tensors,
        optimizers=(torch.optim.AdamW(tensors.values(), lr=rate),), resume=str(tmp_path / "resume"),
        checkpoint_seconds=checkpoint_seconds, evaluate=evaluate, evaluations=evaluations,
    )  # fmt: skip
    return run, Line(model, **line), model


class Killed(Exception):
    pass


def kill_at(step):
    """A report that ends the run at a step, after that step."""

    def kill(event):
        if event["step"] == step:
            raise Killed

    return kill


def quietly(event):
    """A report to nobody."""

"""What does a step of a phase minimise? The mean loss of its batch: of one task, or of running text.

A step is cut into passes by the budget of this machine and shared out to the workers; the loss and the gradient of
the whole step are the same for any cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from trainables.batching import Stream, companies, within_budget
from trainables.encoding import Item, Items, collate
from trainables.flops import FROZEN_BASE, RECOMPUTED_BASE, flops
from trainables.group import Group
from trainables.mixture import TEXT
from trainables.models.backbone import Backbone
from trainables.models.heads.match import GROUP
from trainables.models.network import Network
from trainables.runningtext import TextSteps
from trainables.step import Pass, Planned


@dataclass
class Tuning:
    """The objective of a phase: every step is a batch of one task, or some blocks of text."""

    net: Network
    backbone: Backbone
    items: Mapping[str, Items]
    streams: Mapping[str, Stream]
    text: TextSteps | None
    turns: list[tuple[str, int]]
    """For every step, the task (or "text") and the number of its batch."""
    micro_tokens: int
    recompute: bool = False
    """Whether activations are computed again in the backward pass, which costs another forward pass."""

    def budget(self, halvings: int) -> int:
        """Padded tokens per pass, after so many halvings."""
        return max(1, self.micro_tokens >> halvings)

    def passes(self, step: int, group: Group, halvings: int = 0) -> list[Planned]:
        source, number = self.turns[step]
        batch = self._batch(source, number)
        together = GROUP if self.net.specs[source].kind == "match" else 1
        mine = [[batch[place] for place in run] for run in companies(len(batch), together)][group.rank :: group.size]
        lengths = [max(item.length for item in run) for run in mine]
        rows = [sum(len(item.rows) for item in run) for run in mine]
        cuts = within_budget(lengths, rows, self.budget(halvings))
        return [
            Planned(
                partial(self._pass, [mine[i] for i in cut], source, len(batch)),
                _whole(source, mine[cut[0]]) if len(cut) == 1 else "",
            )
            for cut in cuts
        ]

    def tokens(self, steps: int) -> dict[str, int]:
        """Tokens of the first `steps` steps, by task (running text: "text")."""
        found = dict.fromkeys(sorted({source for source, _ in self.turns}), 0)
        for source, number in self.turns[:steps]:
            if source == TEXT and self.text:
                found[source] += int(self.text.blocks.items.tokens[self.text.indices(number)].sum())
            else:
                found[source] += int(self.items[source].tokens[self.streams[source].batch(number)].sum())
        return found

    def _batch(self, source: str, number: int) -> list[Item]:
        if source == TEXT and self.text:
            return self.text.items(number)
        return [self.items[source][index] for index in self.streams[source].batch(number)]

    def _pass(self, runs: list[list[Item]], source: str, total: int) -> Pass:
        items = [item for run in runs for item in run]
        batch = collate(items, self.backbone.tokenizer.pad_token_id, [len(run) for run in runs])
        loss = self.net.loss(batch, source).sum() / total
        rows, width = batch.input_ids.shape
        base = self.backbone
        times = RECOMPUTED_BASE if self.recompute else FROZEN_BASE
        cost = flops(base.linear, base.hidden, base.layers, rows * width, width, times)
        if source == TEXT:
            told = sum(len(targets) for item in items for targets in item.targets)
            cost += flops(base.output_embedding.numel(), 0, 0, told, 0, FROZEN_BASE)
        return Pass(loss, batch.tokens, cost)


def _whole(source: str, run: list[Item]) -> str:
    """What a pass holds that cannot be cut smaller."""
    rows, longest = sum(len(item.rows) for item in run), max(item.length for item in run)
    examples = "one example" if len(run) == 1 else f"{len(run)} examples that are compared with one another"
    return f"{source}: {examples} of {rows * longest} padded tokens"

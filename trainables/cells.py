"""How are the (task, language) cells of a task predicted, several in one pass?

    for one in predictions(Evaluation(config, places, root, backbone, net, missing), task):
        one.cell, one.examples, one.answers

Languages share their passes: the items of a bundle of cells are sorted by length as one list, and the answers split
back afterwards, so that small cells do not each end in a nearly empty pass. Bundles are made of all cells of the
evaluation, in their order, whether they are missing or not: so an answer comes from the same pass, down to the last
bit, whatever an earlier, interrupted run had scored. A bundle is closed once its items fill `PASSES` passes; so much
is held in memory, and so much is done again after a kill.

Retrieval goes cell by cell: what its cells share is the embedded pool (see `trainables.retrieval`).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainables import retrieval, scoring
from trainables.config import Cell, EvaluationConfig, Places
from trainables.data.root import Root
from trainables.encoded import Encoded, Source, encoded
from trainables.encoding import Encoder, Items
from trainables.models.backbone import Backbone
from trainables.models.network import Network
from trainables.tasks.base import Task
from trainables.tasks.retrieving import RetrieveTask

PASSES = 32
"""With so many passes the last, partly filled one costs no more than 3 %."""


@dataclass(frozen=True)
class Predicted:
    """What a network answers to the examples of one cell, and what that took."""

    cell: Cell
    examples: Sequence[Any]
    answers: Sequence[Any]
    """One per example."""
    tokens: int
    flops: float
    seconds: float
    details: dict[str, Any]
    """Protocol facts."""


@dataclass(frozen=True)
class Evaluation:
    """A checkpoint, ready to answer, and the cells it has not answered yet."""

    config: EvaluationConfig
    places: Places
    root: Root
    backbone: Backbone
    net: Network
    missing: Collection[Cell]

    def cells(self, task: Task) -> list[Cell]:
        return [cell for cell in self.config.cells if cell.task == task.name]


def predictions(evaluation: Evaluation, task: Task) -> Iterator[Predicted]:
    """Every missing cell of a task, in order, as soon as it is answered. Raises `DataError` and `ModelError`."""
    if isinstance(task, RetrieveTask):
        return _one_by_one(evaluation, task)
    return _together(evaluation, task)


def _one_by_one(evaluation: Evaluation, task: RetrieveTask) -> Iterator[Predicted]:
    net = evaluation.net
    # Choosing the layer is no cell's cost: it is done again after a kill, and a cell's cost may not depend on that.
    predict = retrieval.predictor(evaluation.config, evaluation.places, evaluation.backbone, net, task)
    for cell in evaluation.cells(task):
        if cell in evaluation.missing:
            started, spent = time.perf_counter(), net.spent
            queries, rankings, details = predict(cell)
            tokens, seconds = details.pop("tokens"), time.perf_counter() - started
            yield Predicted(cell, queries, rankings, tokens, net.spent - spent, seconds, details)


def _together(evaluation: Evaluation, task: Task) -> Iterator[Predicted]:
    net, budget = evaluation.net, scoring.budget(evaluation.net.device)
    pad_id = evaluation.backbone.tokenizer.pad_token_id
    details = {"scorer": net.specs[task.name].kind}
    started = time.perf_counter()
    for bundle in _bundles(evaluation, task, PASSES * budget):
        if any(cell in evaluation.missing for cell, _ in bundle):
            items = Items.joined([split.items for _, split in bundle])
            answers, flops = scoring.priced(net, task.name, items, pad_id, budget)
            seconds = time.perf_counter() - started
            edges = np.cumsum([0, *(len(split.items) for _, split in bundle)]).tolist()
            for (cell, split), part in zip(bundle, map(slice, edges, edges[1:]), strict=False):
                if cell in evaluation.missing:
                    tokens, spent = int(split.items.tokens.sum()), float(flops[part].sum())
                    share = seconds * spent / max(flops.sum(), 1.0)
                    yield Predicted(cell, split.examples, answers[part], tokens, spent, share, dict(details))
        started = time.perf_counter()


def _bundles(evaluation: Evaluation, task: Task, tokens: int) -> Iterator[list[tuple[Cell, Encoded]]]:
    """The cells of a task, so many at a time that they hold `tokens` tokens; the last ones may hold fewer."""
    config, places = evaluation.config, evaluation.places
    encoder = Encoder(evaluation.backbone.tokenizer, config.size.family, config.max_length[task.name])
    bundle: list[tuple[Cell, Encoded]] = []
    held = 0
    for cell in evaluation.cells(task):
        split = encoded(Source(task.name, evaluation.root, cell.split, cell.language), encoder, places.snapshots)
        if cell in evaluation.missing:
            _ = split.examples  # encoding has just read them; once other cells were read they would be read again
        bundle.append((cell, split))
        held += int(split.items.tokens.sum())
        if held >= tokens:
            yield bundle
            bundle, held = [], 0
    if bundle:
        yield bundle

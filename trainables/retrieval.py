"""How is something found among candidates? Texts become vectors in one of two ways, and the nearest by cosine win.

* Trained: the checkpoint has a head for the task (a dual encoder, `trainables.models.heads`), which embeds queries and
  candidates alike.
* Direct: it has none. A text is the mean of one layer's states. XTREME-R's script fixes a layer per model it knows
  (`third_party/evaluate_retrieval.py`: mean pooling, the 14th layer of XLM-R large); that index means nothing for
  another model. Here the layer, and whether the mean of the queries and that of the candidates are taken off first,
  are chosen per checkpoint by accuracy on development queries, each set looking among its own right answers, never
  on the test set. Without development queries it is the middle layer, as it comes.

Which way it was, and what was chosen, stands in every cell's details. A pool that several cells share is embedded
once; a large one is kept in files below `places.output`/pool until `clear` (see `trainables.index`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from trainables import scoring, storage
from trainables.config import Cell, EvaluationConfig, Places
from trainables.data.root import Root
from trainables.encoding import Encoder, Items
from trainables.errors import DataError, ModelError
from trainables.index import SHARD, Shards, Vectors, search
from trainables.metrics.retrieval import mine, nearest, threshold
from trainables.models.backbone import Backbone
from trainables.models.network import Network
from trainables.tasks.examples import Pool, Query
from trainables.tasks.retrieving import RetrieveTask

CHOOSING = 1000
"""Development queries of a language that the layer is chosen on."""
CHUNK = 1024
"""Texts that are encoded, and whose states of every layer are held, at a time."""
NEIGHBOURS = 4
"""Of a sentence, in bitext mining (XTREME's run_bucc2018.sh)."""

Ranking = tuple[int, ...]
Predicted = tuple[Sequence[Query], list[Ranking], dict[str, Any]]


@dataclass
class Embedder:
    """Texts -> vectors, for one checkpoint and one task."""

    net: Network
    encoder: Encoder
    task: str
    budget: int
    """Padded tokens per forward pass."""
    layer: int = 0
    """From 1, after the embedding; 0: the task's head."""
    used: int = 0
    """Tokens embedded so far."""

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """(N, H) float32. Raises `ModelError` when a number is not finite."""
        parts = []
        for start in range(0, len(texts), CHUNK):
            items = self.encoder.texts(texts[start : start + CHUNK])
            self.used += int(items.tokens.sum())
            parts.append(self._pooled(items)[self.layer].numpy() if self.layer else self._by_head(items))
        vectors = np.concatenate(parts)
        if not np.isfinite(vectors).all():
            raise ModelError(f"{self.task}: the checkpoint gives vectors that are not finite; train it again")
        return vectors

    def layers(self, texts: Sequence[str]) -> torch.Tensor:
        """(layers + 1, N, H) states of every layer, the embedding first."""
        return self._pooled(self.encoder.texts(texts))

    @property
    def special(self) -> bool:
        """Whether special tokens take part in the mean."""
        return self.encoder.family == "encoder"

    def _pooled(self, items: Items) -> torch.Tensor:
        return scoring.embed(self.net, items, self.encoder.tokenizer.pad_token_id, self.budget, self.special)

    @torch.no_grad()
    def _by_head(self, items: Items) -> Vectors:
        training = self.net.model.training
        self.net.model.eval()
        head = self.net.heads[self.task]
        found: torch.Tensor | None = None
        for indices, batch in scoring.passes(items, self.encoder.tokenizer.pad_token_id, self.budget):
            rows = head.embed(self.net.hidden(batch), batch).float().cpu()
            if found is None:
                found = rows.new_empty(len(items), rows.shape[1])
            found[indices] = rows
        self.net.model.train(training)
        assert found is not None, "no texts"
        return found.numpy()


def predictor(
    config: EvaluationConfig, places: Places, backbone: Backbone, net: Network, task: RetrieveTask
) -> Callable[[Cell], Predicted]:
    """A function from a cell to (queries, rankings of candidate numbers, protocol facts).

    It raises `DataError` where the data of a cell is not there, and `ModelError` for a checkpoint that is no good.
    """
    root = Root(places.root)
    encoder = Encoder(backbone.tokenizer, config.size.family, config.max_length[task.name])
    embed = Embedder(net, encoder, task.name, scoring.budget(net.device))
    centred, facts = False, {"scorer": "match"}
    if task.name not in net.heads:
        embed.layer, centred, facts = _chosen(root, task, embed, backbone.layers)
    pools: dict[str, Shards] = {}
    thresholds: dict[str, float] = {}

    def candidates(pool: Pool) -> Shards:
        if pool.key not in pools:
            pools.clear()
            way = f"layer-{embed.layer}" if embed.layer else "head"
            folder = storage.join(places.output, "pool", f"{pool.key}.{way}")
            pools[pool.key] = Shards(folder, len(pool.texts), lambda start, stop: embed(pool.texts[start:stop]))
        return pools[pool.key]

    def mined(split: Any, language: str) -> tuple[Sequence[Query], Any, Any]:
        queries, pool = task.read(root, split, language), task.pool(root, split, language)
        return queries, *_pairs(queries, pool, embed([query.text for query in queries]), candidates(pool), centred)

    def predict(cell: Cell) -> Predicted:
        before = embed.used
        details: dict[str, Any] = dict(facts)
        if task.mines:
            if cell.language not in thresholds:
                thresholds[cell.language] = _threshold(*mined("dev", cell.language))
            least = thresholds[cell.language]
            queries, pairs, scores = mined(cell.split, cell.language)
            rankings = _kept(len(queries), pairs[scores >= least])
            details |= {"margin": "ratio", "neighbours": NEIGHBOURS, "threshold": least, "threshold_from": "dev"}
        else:
            queries, pool = task.read(root, cell.split, cell.language), task.pool(root, cell.split, cell.language)
            rankings = _ranked(embed([query.text for query in queries]), candidates(pool), centred, task.depth)
            details |= {"candidates": len(pool.texts), "depth": task.depth}
        return queries, rankings, {**details, "tokens": embed.used - before}

    return predict


def dev_rankings(net: Network, encoder: Encoder, task: RetrieveTask, root: Root) -> tuple[list[Query], list[Ranking]]:
    """English development queries and what the head in training finds for them.

    A head whose vectors are not finite finds nothing: the run has diverged, which its losses show.
    """
    queries, pool = task.read(root, "dev"), task.pool(root, "dev")
    embed = Embedder(net, encoder, task.name, scoring.budget(net.device))
    try:
        found, texts = embed([query.text for query in queries]), embed(pool.texts)
    except ModelError:
        return queries, [()] * len(queries)
    return queries, _ranked(found, _cut(texts), False, task.depth)


def clear(places: Places) -> None:
    """Remove the vectors of large pools, once every cell of an evaluation is scored: they are only good for it."""
    storage.remove(storage.join(places.output, "pool"))


def _chosen(root: Root, task: RetrieveTask, embed: Embedder, layers: int) -> tuple[int, bool, dict[str, Any]]:
    """(layer, centred, protocol facts); layers count from 1, after the embedding."""
    totals: dict[tuple[int, bool], float] = {}
    languages = 0
    for language in task.languages(root):
        try:
            task.files(root, "dev", language)
        except DataError:
            continue  # There are none in this language. Damaged ones are an error.
        queries, pool = task.read(root, "dev", language), task.pool(root, "dev", language)
        languages += 1
        queries = [query for query in queries if query.gold][:CHOOSING]
        answers = sorted({number for query in queries for number in query.gold})
        left = embed.layers([query.text for query in queries])
        right = embed.layers([pool.texts[number] for number in answers])
        # Layer 0, the embedding, is left out: no phase changes it, so it could not show what a phase did.
        for layer in range(1, layers + 1):
            for centred in (False, True):
                found = nearest(*(_moved(side[layer].numpy(), centred) for side in (left, right)))
                hits = sum(answers[place] in query.gold for place, query in zip(found, queries, strict=True))
                totals[layer, centred] = totals.get((layer, centred), 0.0) + 100 * hits / len(queries)
    pooling = "mean of all tokens" if embed.special else "mean of text tokens"
    if not totals:
        layer, centred, how = layers // 2 + 1, False, "no development pairs: the layer past the middle"
    else:
        layer, centred = max(totals, key=lambda key: (totals[key], -key[0], not key[1]))
        how = f"on development pairs in {languages} languages, {totals[layer, centred] / languages:.1f} points"
    return layer, centred, {"pooling": pooling, "layer": layer, "centred": centred, "chosen": how}


def _moved(vectors: Vectors, centred: bool) -> Vectors:
    return vectors - vectors.mean(0) if centred and len(vectors) else vectors


def _ranked(queries: Vectors, pool: Any, centred: bool, depth: int) -> list[Ranking]:
    """The nearest candidates of every query; `pool` is walked through in shards."""
    _, numbers = search(_moved(queries, centred), _shifted(pool, centred), depth)
    return [tuple(row) for row in numbers.tolist()]


def _shifted(pool: Any, centred: bool) -> Iterator[Vectors]:
    mean: Any = np.float32(0)
    if centred:
        parts = [(shard.sum(0, dtype=np.float64), len(shard)) for shard in pool]
        mean = (sum(total for total, _ in parts) / sum(rows for _, rows in parts)).astype(np.float32)
    return (shard - mean for shard in pool)


def _cut(vectors: Vectors) -> list[Vectors]:
    return [vectors[start : start + SHARD] for start in range(0, len(vectors), SHARD)]


def _pairs(queries: Sequence[Query], pool: Pool, left: Vectors, shards: Shards, centred: bool) -> tuple[Any, Any]:
    """Mined pairs (query, candidate) and their scores, best first.

    As XTREME's `third_party/utils_retrieve.py`: equal sentences are mined as one, and a pair with a sentence that
    stands more than once is dropped afterwards, because nobody can say which of them is meant.
    """
    source, source_once = _first([query.text for query in queries])
    target, target_once = _first(pool.texts)
    foreign = _moved(left, centred)[source]
    english = np.concatenate(list(_shifted(shards, centred)))[target]
    forward = search(foreign, _cut(english), NEIGHBOURS)
    backward = search(english, _cut(foreign), NEIGHBOURS)
    pairs, scores = mine(forward, backward)
    once = source_once[pairs[:, 0]] & target_once[pairs[:, 1]]
    return np.stack([source[pairs[once, 0]], target[pairs[once, 1]]], axis=1), scores[once]


def _first(texts: Sequence[str]) -> tuple[Any, Any]:
    """Where every distinct text first stands, and whether it stands nowhere else."""
    counts: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        counts.setdefault(text, []).append(place)
    return np.array([one[0] for one in counts.values()]), np.array([len(one) == 1 for one in counts.values()])


def _threshold(queries: Sequence[Query], pairs: Any, scores: Any) -> float:
    """The score from which on development pairs are kept for the best F1."""
    right = [candidate in queries[query].gold for query, candidate in pairs.tolist()]
    return threshold(scores.tolist(), right, sum(len(query.gold) for query in queries))


def _kept(queries: int, pairs: Any) -> list[Ranking]:
    found: list[Ranking] = [()] * queries
    for query, candidate in pairs.tolist():
        found[query] = (candidate,)
    return found

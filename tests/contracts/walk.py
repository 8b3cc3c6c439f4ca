"""The walk that every network has to survive: open it on a task, fit it, ask it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from trainables import scoring
from trainables.config import Adapter, Attention, Quantization
from trainables.encoding import Encoder, Family, Items, collate
from trainables.models import backbone as backbones
from trainables.models import network as networks
from trainables.models.backbone import Backbone
from trainables.models.heads import HeadSpec
from trainables.models.network import Network
from trainables.runningtext import LanguageModelling
from trainables.tasks.examples import Answer, Choice, Match, Pair, Question, Tagged

CHOICES = [
    Choice(
        str(i),
        "the cat sat " + "on the mat " * (i % 3),
        ("it was warm", "because the mat", "a b c")[: 2 + i % 2],
        i % 2,
    )
    for i in range(12)
]
PAIRS = [
    Pair(str(i), "the cat sat", ("on the mat", "it was warm")[i % 2] + " a b" * (i % 3), ("no", "yes")[i % 2])
    for i in range(12)
]
SENTENCES = [
    Tagged(str(i), ("the", "cat", "sat", "on")[: 2 + i % 3], ("X", "NOUN", "VERB", "X")[: 2 + i % 3]) for i in range(12)
]
CONTEXT = "the cat sat on the mat because it was warm der Hund läuft aber die Katze schläft so ruhig " * 2
QUESTIONS = [
    Question(
        str(i),
        ("a b c", "x y z", "a b c", "der Hund")[i % 4],
        ("a b c " * (i % 3) + CONTEXT)[: 60 + 12 * i],
        () if i % 4 == 3 else (Answer("mat", 6 * (i % 3) + CONTEXT.index("mat")),),
    )
    for i in range(12)
]
MATCHES = [
    Match(str(i), f"{a} {b}", f"it was {a} because {b}")
    for i, (a, b) in enumerate(zip("abcdefghijkl", "mnopqrstuvwx", strict=True))
]
TEXT = ["the cat sat on the mat because it was warm " * (1 + i % 2) for i in range(12)]
HEADS = {
    "choose": ("picking", CHOICES, None),
    "classify": ("sorting", PAIRS, HeadSpec("classify", ("no", "yes"))),
    "tag": ("tagging", SENTENCES, HeadSpec("tag", ("NOUN", "VERB", "X"))),
    "span": ("asking", QUESTIONS, HeadSpec("span", unanswerable=True)),
    "match": ("finding", MATCHES, HeadSpec("match")),
    "text": ("text", TEXT, None),
}
PREDICTING = ["choose", "classify", "tag", "span"]


@dataclass(frozen=True)
class Place:
    """A model on disk and how it is to be run."""

    family: Family
    attention: Attention
    source: str
    snapshots: str

    def load(self, quantization: Quantization = "nf4") -> Backbone:
        return backbones.load(self.source, self.snapshots, quantization, self.attention)

    def spec(self, head: str) -> HeadSpec:
        """The kinds of two heads depend on what the model sees."""
        kinds = {"choose": ("pooled", "lm"), "text": ("mlm", "clm")}
        return HEADS[head][2] or HeadSpec(kinds[head][self.attention == "causal"])

    def encode(self, head: str, tokenizer) -> Items:
        """The examples of a head as items."""
        encoder = Encoder(tokenizer, self.family, 32 if head == "span" else 64)
        if head != "text":
            return encoder.encode(HEADS[head][1], self.spec(head).labels)
        asked = LanguageModelling.of(tokenizer, causal=self.attention == "causal")
        return Items.of([asked.about(item, np.random.default_rng(n)) for n, item in enumerate(encoder.texts(TEXT))])

    @contextmanager
    def opened(
        self, head: str, parent: str | None = None, trainable: bool = True,
        quantization: Quantization = "nf4", **adapter,
    ) -> Iterator[tuple[Network, str, Items]]:  # fmt: skip
        """(network, task, items) of a head."""
        task = HEADS[head][0]
        base = self.load(quantization)
        torch.manual_seed(1)
        how = Adapter(rank=4, **adapter)
        with networks.network(base, how, parent, {task: self.spec(head)}, self.family, trainable) as net:
            yield net, task, self.encode(head, base.tokenizer)


def pad_of(net: Network) -> int:
    return net.backbone.tokenizer.pad_token_id


def batch_of(net: Network, items: Items):
    return collate(items, pad_of(net))


def answers_of(net: Network, task: str, items: Items, tokens: int) -> list:
    """What the network says about every item: a prediction, or where there is none the rows' embeddings or losses."""
    if net.specs[task].kind == "match":
        net.model.eval()
        passes = scoring.passes(items, pad_of(net), tokens)
        rows = {i: net.heads[task].embed(net.hidden(batch), batch).split(2) for [i, *_], batch in passes}
        return [rows[i][0].tolist() for i in sorted(rows)]
    if task == "text":
        net.model.eval()
        return net.loss(batch_of(net, items), task).tolist()
    return scoring.predict(net, task, items, pad_of(net), tokens)


def hidden_of(net: Network, items: Items) -> Tensor:
    """Of all items in one pass, without dropout."""
    net.model.eval()
    with torch.no_grad():
        return net.hidden(batch_of(net, items))


def fit(net: Network, task: str, items: Items, steps: int = 12) -> list[float]:
    """Losses of a few steps on all items."""
    tensors = [value for value in [*net.model.parameters(), *net.heads.parameters()] if value.requires_grad]
    optimizer = torch.optim.AdamW(tensors, lr=1e-2)
    losses = []
    net.model.train()
    for _ in range(steps):
        loss = net.loss(batch_of(net, items), task).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def digest(model: nn.Module) -> str:
    """Of every tensor of the base, adapters left out."""
    total = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        if "lora_" not in name:
            # an attached adapter renames what it wraps, not the bytes
            total.update(value.cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()

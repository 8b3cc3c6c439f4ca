"""On what do training and scoring race? A small encoder with random weights, and rows as unlike in length as in life.

Lengths are lognormal, 10 to 256 tokens with a median of 57 and a mean of about 72: sentence pairs and passages in one
set. Tokens are random; how fast a net runs does not depend on what it reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

from tests import tokenizers
from trainables.config import Adapter
from trainables.encoding import Item, Items
from trainables.models.backbone import Backbone, load
from trainables.models.heads import HeadSpec
from trainables.models.network import Network, network

TASK, LABELS = "sorting", ("a", "b", "c")
FIXED = 384
"""Width that XTREME-R's scripts pad questions to."""
SHAPE = {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024}
VOCABULARY = 8192
MEDIAN, SIGMA, SHORTEST, LONGEST = 57, 0.74, 10, 256
FACTS = {"net": "XLM-R type, random weights, NF4, LoRA r=8 on all linear layers", **SHAPE, "vocabulary": VOCABULARY}


def write_net(folder: Path, shape: dict[str, int] = SHAPE) -> Path:
    """A model folder as a pretraining phase leaves it."""
    words = tokenizers.make("words")
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=VOCABULARY, max_position_embeddings=FIXED + words.pad_token_id + 1, type_vocab_size=1,
        pad_token_id=words.pad_token_id, bos_token_id=words.bos_token_id, eos_token_id=words.eos_token_id, **shape,
    )  # fmt: skip
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def base(folder: Path) -> Backbone:
    """The frozen backbone of the model in `folder`/model, in NF4."""
    return load(str(folder / "model"), str(folder / "snapshots"), "nf4", "bidirectional")


@contextmanager
def trainable(backbone: Backbone) -> Iterator[Network]:
    """A fresh adapter and a fresh head on the base, in training mode; the same weights every time."""
    torch.manual_seed(0)
    with network(backbone, Adapter(), None, {TASK: HeadSpec("classify", LABELS)}, "encoder", trainable=True) as net:
        net.model.train()
        yield net


def lengths(number: int, seed: int = 0) -> Any:
    """(N,) tokens per row, special tokens included."""
    drawn = np.random.default_rng(seed).lognormal(math.log(MEDIAN), SIGMA, number)
    return np.clip(drawn.round(), SHORTEST, LONGEST).astype(int)


def items(number: int, seed: int = 0) -> Items:
    """Rows of random tokens between the two special ones, with random labels."""
    draw = np.random.default_rng([seed, 1])
    found = []
    for length in lengths(number, seed):
        ids = draw.integers(5, VOCABULARY, length).astype(np.int32)
        ids[0], ids[-1] = 0, 2
        found.append(Item((ids,), label=int(draw.integers(len(LABELS)))))
    return Items.of(found)

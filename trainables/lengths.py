"""How many tokens has an example of a task, on average, and how many examples are there? From a sample of the data.

    measured(Source("xnli", root, "test", "de"), encoder)       # Lengths(examples=5010, tokens=48.3)

A cost is planned from this: reading all test sets in all languages would take longer than the plan is worth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import AutoTokenizer

from trainables import storage
from trainables.encoded import Source, labels, read
from trainables.encoding import Encoder, Family
from trainables.tasks import get
from trainables.tasks.retrieving import RetrieveTask

SAMPLE = 256
"""Examples looked at, evenly spread over the split: the mean is then good to a few per cent."""


@dataclass(frozen=True)
class Lengths:
    """What a split amounts to."""

    examples: int
    tokens: float
    """Per example, over all its rows, without padding."""


def encoders(folder: str, family: Family, longest: Iterable[int]) -> dict[int, Encoder]:
    """An encoder for every length of row, with the tokenizer in a model's folder."""
    with storage.local_copy(folder) as here:
        tokenizer = AutoTokenizer.from_pretrained(here, trust_remote_code=False)
    return {length: Encoder(tokenizer, family, length) for length in longest}


def measured(source: Source, encoder: Encoder) -> Lengths:
    """The examples of a split and their mean length. Raises `DataError` where there are none."""
    task = get(source.task)
    if isinstance(task, RetrieveTask) and source.split != "train":
        texts = [one.text for one in task.read(source.root, source.split, source.language)]
        texts += task.pool(source.root, source.split, source.language).texts
        return Lengths(len(texts), float(encoder.texts(_spread(texts)).tokens.mean()))
    examples = read(source)
    found = encoder.encode(_spread(examples), labels(source.task, source.root))
    return Lengths(len(examples), float(found.tokens.mean()))


def _spread(values: Sequence[Any]) -> Sequence[Any]:
    return values[:: max(1, len(values) // SAMPLE)][:SAMPLE]

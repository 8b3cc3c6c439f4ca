"""How many tokens has an example of a task, on average, and how many examples are there? From a sample of the data.

    measured(Source("xnli", root, "test", "de"), encoder)       # Lengths(examples=5010, tokens=48.3)

A cost is planned from this: reading all test sets in all languages would take longer than the plan is worth.
"""

from __future__ import annotations

from dataclasses import dataclass

from trainables.encoded import Source, labels, read
from trainables.encoding import Encoder
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


def _spread(values):
    return values[:: max(1, len(values) // SAMPLE)][:SAMPLE]

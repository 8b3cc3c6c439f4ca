"""What does an example of each kind of task look like, and how is one prediction judged?

    head       example            a prediction is
    choose     Choice             the index of an option
    classify   Pair               a label
    tag        Tagged             one tag per word
    span       Question           (start, end) in characters of the context, or None for "no answer"
    retrieve   Query (Match in    the numbers of candidates of the pool, best first; () for "none"
               training data)

Every metric of this project is a ratio of sums over examples, so a prediction is judged once, by three numbers,
and every score, interval and paired comparison follows from them:

    score = 200 * sum(hits) / (sum(predicted) + sum(possible))         # in points, 0-100

For accuracy an example has predicted = possible = 1 and hits in {0, 1}: the formula is the accuracy. For span F1
they are the counts of right, predicted and gold spans of the sentence: it is the micro F1. For question answering
hits is the mean of exact match and F1 of the question, for ranked retrieval its average precision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

HeadKind = Literal["choose", "classify", "tag", "span", "retrieve"]


@dataclass(frozen=True)
class Choice:
    """A context, options that may follow it, and the index of the right one."""

    id: str
    context: str
    options: tuple[str, ...]
    label: int


@dataclass(frozen=True)
class Pair:
    """Two texts and the name of their relation. `second` is empty for single texts."""

    id: str
    first: str
    second: str
    label: str


@dataclass(frozen=True)
class Tagged:
    """A sentence as words, and one tag per word."""

    id: str
    words: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """A gold answer: its text as published, and where it starts in the context (characters).

    -1 when the context does not hold the text: such an answer is scored against, but cannot be trained on.
    """

    text: str
    start: int


@dataclass(frozen=True)
class Question:
    """A question about a context. Without answers it cannot be answered from the context (SQuAD 2.0)."""

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...]
    language: str = ""
    """Whose rules the answer is compared by, where the metric has them by language (MLQA)."""


@dataclass(frozen=True)
class Match:
    """Training data of retrieval: a query and the passage that answers it."""

    id: str
    query: str
    passage: str


@dataclass(frozen=True)
class Query:
    """Something to look for in a pool of candidates; `gold` are the numbers (from 0) of the right ones."""

    id: str
    text: str
    gold: tuple[int, ...]
    candidates: int = 0
    """Size of the pool: what a random guess is worth."""


@dataclass(frozen=True)
class Pool:
    """Candidates of retrieval. Cells whose pools have the same `key` share one pool: it is embedded once."""

    key: str
    texts: Sequence[str]
    ids: Sequence[str]
    """What the data calls each candidate (an entity's QID, a sentence's id), one per text."""


Example = Choice | Pair | Tagged | Question | Match | Query


def shared_text(example: Example) -> str:
    """The text that other examples may be about too: a question's paragraph, a premise, a context; empty: none.

    Examples about one text are not independent (a paragraph that is hard is hard for all its questions), which their
    intervals must know.
    """
    match example:
        case Question() | Choice():
            return example.context
        case Pair():
            return example.first
        case _:
            return ""


@dataclass(frozen=True)
class Judgement:
    """One judged prediction; `prediction` and `gold` are text, for the predictions file."""

    prediction: str
    gold: str
    hits: float
    predicted: float
    possible: float
    parts: Mapping[str, float] = field(default_factory=dict)
    """What `hits` was made of, 0-1 each: {"exact": ..., "f1": ...} of a question. Kept beside it in the file."""


def score(judgements: Iterable[Judgement]) -> float:
    """Points (0-100) of many judgements; 0.0 when there was nothing to find and nothing was predicted."""
    hits = predicted = possible = 0.0
    for judgement in judgements:
        hits += judgement.hits
        predicted += judgement.predicted
        possible += judgement.possible
    return 200.0 * hits / (predicted + possible) if predicted + possible else 0.0

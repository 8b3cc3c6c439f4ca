"""How many tokens does a phase train on and score? From the data's own lengths where they can be had, else a bound.

    lengths = Bound(spec)                       # every example as long as rows may be: an upper bound
    lengths = Sampled(spec, root, tokenizer)    # what the data say
    work(phase, spec, lengths)                  # Work(trained=2.1e7, scored=4.0e6)

Trials of a search are counted in full, and so is the scoring of development sets during every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from study import narrowing
from study.plan import Phase
from study.spec import StudySpec
from trainables.config import EvaluationConfig, PretrainConfig, TuneConfig
from trainables.data.layouts import Split
from trainables.data.root import Root
from trainables.errors import DataError
from trainables.tasks import get
from trainables.tasks.base import Task

if TYPE_CHECKING:
    from trainables.encoding import Encoder

ROWS = {"choose": 5, "retrieve": 2}
"""Rows of an example by the task's head, at most; one for the others."""
UNKNOWN_EXAMPLES = 1000
"""Examples of a split whose size was not published, in a language."""
LANGUAGES = 3
"""Languages of a task whose test sets are looked into; the others are taken for their mean."""


@dataclass(frozen=True)
class Amount:
    """Examples of a split, and tokens per example over all its rows."""

    examples: float
    tokens: float


class Amounts(Protocol):
    """Where lengths come from."""

    @property
    def basis(self) -> str:
        """What the numbers rest on, in words for people."""

    def of(self, task: str, split: Split, language: str) -> Amount:
        """A split of a task in a language."""


@dataclass(frozen=True)
class Bound:
    """Every row as long as it may be, as many examples as were published."""

    spec: StudySpec
    basis = "an upper bound: every row as long as training.max_length, sizes of test sets as published"

    def of(self, task: str, split: Split, language: str) -> Amount:
        found = get(task)
        known = published(found, split, language)
        return Amount(known or UNKNOWN_EXAMPLES, ROWS.get(found.head, 1) * self.spec.max_length(task))


@dataclass
class Sampled:
    """What a sample of the data says; where a split is absent, the bound."""

    spec: StudySpec
    root: Root
    encoders: dict[int, Encoder]
    """By the longest row."""
    known: dict[tuple[str, Split, str], Amount] = field(default_factory=dict)
    bounded: set[str] = field(default_factory=set)
    """Tasks of which some split was absent."""

    def of(self, task: str, split: Split, language: str) -> Amount:
        key = (task, split, language)
        if key not in self.known:
            asked = [one for one in self.known if one[:2] == (task, split) and one[2] != "en"]
            if language != "en" and len(asked) >= LANGUAGES:
                return _mean([self.known[one] for one in asked])
            self.known[key] = self._look(task, split, language)
        return self.known[key]

    @property
    def basis(self) -> str:
        rest = (
            f"; an upper bound for {', '.join(sorted(self.bounded))}, of which data are absent" if self.bounded else ""
        )
        return f"from a sample of the data, without padding{rest}"

    def _look(self, task: str, split: Split, language: str) -> Amount:
        from trainables.encoded import Source
        from trainables.lengths import measured

        encoder = self.encoders[self.spec.max_length(task)]
        try:
            found = measured(Source(task, self.root, split, language), encoder)
        except DataError:
            self.bounded.add(task)
            return Bound(self.spec).of(task, split, language)
        return Amount(found.examples, found.tokens)


@dataclass(frozen=True)
class Work:
    """Tokens of a phase."""

    trained: float
    """In all trials together."""
    scored: float
    width: int
    """Longest row."""
    full: bool = False
    """Whether all weights are trained (pretraining), not an adapter."""


def work(phase: Phase, spec: StudySpec, lengths: Amounts) -> Work:
    """What a phase trains on and scores; an imported model neither."""
    config = phase.config
    if isinstance(config, PretrainConfig):
        return Work(float(config.steps * config.batch_size * config.max_length), 0.0, config.max_length, full=True)
    if isinstance(config, EvaluationConfig):
        found = [lengths.of(cell.task, cell.split, cell.language) for cell in config.cells]
        return Work(0.0, sum(one.examples * one.tokens for one in found), max(config.max_length.values()))
    if isinstance(config, TuneConfig):
        trials = narrowing.trials(phase, spec)
        example = _mean_example(config, lengths)
        dev = [lengths.of(task, "dev", "en") for task in config.tasks]
        return Work(
            trained=trials * config.steps * config.batch_size * example,
            scored=trials * config.evaluations * sum(one.examples * one.tokens for one in dev),
            width=max(config.max_length.values()),
        )
    return Work(0.0, 0.0, 1)


def _mean_example(config: TuneConfig, lengths: Amounts) -> float:
    """Tokens of an example, over the tasks by their shares. A step of running text has as many as an average one."""
    from trainables import mixture

    train = {task: lengths.of(task, "train", "en") for task in config.tasks}
    sizes = {task: int(one.examples) for task, one in train.items()}
    shares = mixture.shares(config.tasks, sizes, config.sampling)
    return sum(shares[task] * one.tokens for task, one in train.items())


def _mean(found: list[Amount]) -> Amount:
    return Amount(sum(one.examples for one in found) / len(found), sum(one.tokens for one in found) / len(found))


def published(task: Task, split: Split, language: str) -> int:
    """Published examples of a split in a language, its parts' or its lender's where they are those; 0: not known."""
    if task.parts:
        return sum(published(part, split, language) for part in task.parts)
    if split in task.borrows:
        return published(task.borrows[split], split, language)
    found = [
        entry.rows.get(f"{split}/{language}", entry.rows.get(split, 0)) for entry in task.hub if split in entry.splits
    ]
    return sum(found)

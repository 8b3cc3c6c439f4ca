"""Which head does a task get?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trainables.encoding import Family
from trainables.models.backbone import Backbone
from trainables.models.families import Pooling
from trainables.models.heads.choose import ChooseByLM, ChooseByPool
from trainables.models.heads.classify import Classify
from trainables.models.heads.match import Match
from trainables.models.heads.span import Span
from trainables.models.heads.tag import Tag
from trainables.models.heads.text import CausalText, MaskedText
from trainables.tasks.base import Task
from trainables.tasks.kinds import SpanTask

Head = ChooseByLM | ChooseByPool | Classify | Tag | Span | Match | CausalText | MaskedText
Kind = Literal["lm", "pooled", "classify", "tag", "span", "match", "clm", "mlm"]


@dataclass(frozen=True)
class HeadSpec:
    """All that is needed to build a head again; it is kept in the checkpoint, so that no data root is."""

    kind: Kind
    labels: tuple[str, ...] = ()
    unanswerable: bool = False
    """span: may answer that there is no answer."""
    pooling: Pooling | None = None
    """What stands for a row; None until the head is made, then what suits the backbone."""


def choose(task: Task, causal: bool, labels: Sequence[str] | None = None) -> HeadSpec:
    """The head of a task. Causal models choose by their own log-probabilities, others by a pooled score.

    `labels` are those of the data at hand, for tasks with an open label set.
    """
    if task.head == "choose":
        return HeadSpec("lm" if causal else "pooled")
    if task.head == "retrieve":
        return HeadSpec("match")
    if task.head == "span":
        return HeadSpec("span", unanswerable=isinstance(task, SpanTask) and task.unanswerable)
    return HeadSpec(task.head, tuple(task.labels if labels is None else labels))


def running_text(causal: bool) -> HeadSpec:
    """The head of running text."""
    return HeadSpec("clm" if causal else "mlm")


def build(spec: HeadSpec, backbone: Backbone, family: Family) -> Head:
    """A new head with random weights. Raises `ModelError` when it needs a language model and there is none."""
    hidden, pooling = backbone.hidden, spec.pooling or backbone.pooling
    if spec.kind == "lm":
        return ChooseByLM(backbone.output_embedding)
    if spec.kind == "pooled":
        return ChooseByPool(hidden, pooling)
    if spec.kind == "classify":
        return Classify(hidden, spec.labels, pooling)
    if spec.kind == "tag":
        return Tag(hidden, spec.labels)
    if spec.kind == "span":
        return Span(hidden, family, spec.unanswerable)
    if spec.kind == "match":
        return Match(hidden, pooling)
    return CausalText(backbone.output_embedding) if spec.kind == "clm" else MaskedText(backbone.output_embedding)

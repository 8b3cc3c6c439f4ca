"""What comes back from a worker? An outcome of training, and one score per (task, language) cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from trainables.config import Frozen

Report = Callable[[dict[str, Any]], bool | None]
"""Called with {"step": int, "steps": int, "loss": float} and, after a dev evaluation, also {"score": float}. True in
answer to a score: the run is not worth going on, and ends there.

An argument rather than an import: the trial's own process passes `ray.tune.report`, a Ray Train worker
`ray.train.report`, a unit test `list.append`.
"""


class Outcome(Frozen):
    """One finished training run (a trial, or a pretraining)."""

    status: Literal["finished", "diverged", "pruned"]
    """`pruned`: its `Report` asked to stop it before its last step."""
    score: float | None
    """English dev score in points after the last step; None for pretraining and for runs that did not finish."""
    dev: tuple[tuple[int, float], ...] = ()
    """(step, English dev score in points) of every scoring during the run."""
    steps: int
    tokens: int
    """Real (unpadded) tokens trained on."""
    flops: float
    seconds: float
    first_loss: float
    last_loss: float
    """Means over the first and last tenth of the run."""
    curve: tuple[tuple[int, float], ...]
    """(step, mean training loss since the previous point), at most 100 points."""
    peak_memory_mb: float
    checkpoint: str | None
    """Folder with adapter/ and heads/ (tuning) or the model (pretraining); None for a run without a score."""
    parameters: int
    """Parameters of the backbone, embeddings included."""
    facts: dict[str, Any] = Field(default_factory=dict)
    note: str = ""


class LanguageScore(Frozen):
    """One scored (task, language) cell."""

    task: str
    language: str
    split: Literal["test", "dev"]
    score: float
    """Points, 0-100."""
    examples: int
    baselines: dict[str, float]
    """Points of predictors that do not look: majority, random."""
    seconds: float
    tokens: int
    flops: float
    """Of the forward passes made for this cell; what cells share is counted where it was made first."""
    details: dict[str, Any] = Field(default_factory=dict)
    """Protocol facts of this cell: scorer (lm / pooled), pooling, layer, centring and how they were chosen."""

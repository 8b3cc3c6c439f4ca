"""What is known about a finished phase? One record, written last, from which everything else is derived.

The report, the status, MLflow and the next run all read records and nothing else. A phase is done if and only
if its `record.json` is there, parses, and the checksums it lists hold (see `study.store`).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from trainables.config import Frozen, PhaseKind
from trainables.results import LanguageScore

LOST = ("diverged", "failed")
"""States of trials that came to nothing. One that was pruned is a part of its search."""


class Trial(Frozen):
    """One learning rate tried for one phase."""

    number: int
    learning_rate: float
    status: Literal["finished", "diverged", "failed", "pruned"]
    """`pruned`: stopped before its last step (`study.halving`); it has no score and never wins."""
    score: float | None
    """English dev score in points at the full budget; None when the trial has none."""
    steps: int
    tokens: int
    flops: float
    seconds: float
    """Seconds of training and dev scoring on the device."""
    wall_seconds: float
    """From the moment the trial was started to its last report; wall - seconds is the overhead."""
    first_loss: float | None
    last_loss: float | None
    curve: tuple[tuple[int, float], ...] = ()
    """(step, mean training loss since the previous point), at most 100 points."""
    dev: tuple[tuple[int, float], ...] = ()
    """(step, English dev score in points) of every scoring during the run."""
    note: str = ""
    finished: str = ""
    """ISO 8601, UTC; empty when not known."""


class Search(Frozen):
    """How the learning rate was found."""

    window: tuple[float, float]
    trials: int
    verdict: Literal["interior", "edge", "single"]
    """`interior`: worse trials on both sides of the winner; `edge`: not; `single`: nothing to compare."""
    extended: bool
    """True when the last trial probed outside the window because the winner lay on its edge."""
    narrowed_by: str | None = None
    """Key of the phase at the smallest size whose winner the window lies around; None: it is the study's own."""


class Winner(Frozen):
    trial: int
    learning_rate: float
    score: float | None


class Cost(Frozen):
    """What a phase used, its whole search included."""

    seconds: float = 0.0
    wall_seconds: float = 0.0
    tokens: int = 0
    flops: float = 0.0
    winner_flops: float = 0.0
    winner_seconds: float = 0.0
    peak_memory_mb: float = 0.0


class Checkpoint(Frozen):
    """Files that a record vouches for."""

    path: str
    """Folder, relative to the study's."""
    files: dict[str, str]
    """{name: sha256}"""
    bytes: int


class Record(Frozen):
    """One finished phase."""

    key: str
    kind: PhaseKind
    study: str
    ladder: str
    size: str
    parameters: int
    """Parameters of the backbone, embeddings included."""
    arm: str | None
    """None for phases that no arm owns (pretraining, imports)."""
    task: str | None
    """Target task; None for pretraining and intermediate phases and for scoring that serves no single target."""
    seed: int | None
    identity: dict[str, Any]
    parent: str | None
    """Key of the phase whose checkpoint this one starts from (or scores)."""
    tuned_by: str | None
    """Key of the phase whose search chose the learning rate, when it was not this one."""
    winner: Winner | None = None
    search: Search | None = None
    trials: tuple[Trial, ...] = ()
    scores: tuple[LanguageScore, ...] = ()
    cost: Cost
    checkpoint: Checkpoint | None = None
    """What a pretraining or tuning phase trained; of an import, where the model is."""
    predictions: Checkpoint | None = None
    """What a scoring predicted: one parquet file per cell."""
    lineage: tuple[str, ...] = ()
    """Keys from the first ancestor to this phase: the chain of adapters behind the checkpoint."""
    policy: str = "continue"
    facts: dict[str, Any] = Field(default_factory=dict)
    """Trained facts worth keeping: trainable tensors, snapshot sha256, head kinds, restarts."""
    versions: dict[str, str]
    host: str
    started: str
    finished: str
    """ISO 8601, UTC."""

"""How does one training run go, from its first step (or from where it was cut off) to its last?

The loop knows nothing of tasks or languages. An `Objective` says which passes make up step i; `trainables.step`
makes of them the gradient of the whole step, whatever the cut into passes and the number of workers; the loop clips,
schedules, checks for divergence, keeps the clock, writes resumable states and reports.

It is stopped by the end of its steps, by a loss that is no number, by its `Report`, to which a dev score says that the
run is not worth going on, or by notice that its process has to go: then it writes its state at once and raises
`Preempted`.
"""

from __future__ import annotations

import math
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

import torch
from torch import Tensor
from torch.optim import Optimizer

from trainables import preemption, state, storage
from trainables.errors import CheckpointError, Halted, Preempted
from trainables.group import ALONE, Group
from trainables.results import Outcome, Report
from trainables.rungs import scored
from trainables.step import Objective, gradient

CURVE_POINTS = 100


@dataclass
class Trace:
    """What happened in a run so far; written with every state."""

    losses: list[float] = field(default_factory=list)
    scores: list[tuple[int, float]] = field(default_factory=list)
    tokens: int = 0
    flops: float = 0.0
    seconds: float = 0.0
    restarts: int = 0
    """How often the run was cut off and taken up again."""
    preemptions: int = 0
    """How often it was told to go and taken up again; not counted among the restarts."""
    preempted: bool = False
    """This state was written because the process had to go."""
    halvings: int = 0
    """How often the size of a pass was halved because the memory ran out."""
    sources: list[str] = field(default_factory=list)
    """What each step of the whole run is made of; empty: all of the same. Losses of unlike steps (a task, running
    text) say nothing about one another."""
    stopped: bool = False
    """It was not worth going on."""
    rates: list[list[float]] = field(default_factory=list)
    """Learning rates of the run, by optimiser and group, before the schedule."""

    def mean(self, last: bool) -> float:
        """Mean loss over the first or the last tenth of the run; NaN before its first step."""
        return statistics.fmean(_ends(self.losses)[last]) if self.losses else math.nan

    def diverged(self) -> str:
        """Why this run counts as diverged, or an empty string."""
        if any(not math.isfinite(loss) for loss in self.losses):
            return f"loss became {self.losses[-1]} at step {len(self.losses)}"
        of_source: dict[str, list[float]] = {}
        for number, loss in enumerate(self.losses):
            of_source.setdefault(self.sources[number] if self.sources else "", []).append(loss)
        notes = {source: _risen(losses) for source, losses in of_source.items()}
        return "; ".join(f"{source}: {note}" if len(notes) > 1 else note for source, note in notes.items() if note)

    def outcome(self, score: float | None, checkpoint: str | None, parameters: int, facts: dict[str, Any]) -> Outcome:
        """What this run came to; `score` and `checkpoint` count for nothing when it diverged or was stopped."""
        note = self.diverged()
        status: Literal["finished", "diverged", "pruned"] = "diverged" if note else "finished"
        if self.stopped:  # whether its loss would have stayed above its start is not known
            step, reached = self.scores[-1]
            status, note = "pruned", f"not worth going on with dev score {reached:.1f} at step {step}"
        return Outcome(
            status=status,
            score=None if note else score,
            dev=tuple(self.scores),
            steps=len(self.losses),
            tokens=self.tokens,
            flops=self.flops,
            seconds=self.seconds,
            first_loss=self.mean(last=False),
            last_loss=self.mean(last=True),
            curve=self.curve(),
            peak_memory_mb=peak_memory_mb(),
            checkpoint=None if note else checkpoint,
            parameters=parameters,
            facts={
                **facts,
                "restarts": self.restarts,
                "preemptions": self.preemptions,
                "halvings": self.halvings,
            },
            note=note,
        )

    def curve(self) -> tuple[tuple[int, float], ...]:
        """At most 100 (step, mean loss since the previous point)."""
        width = max(1, math.ceil(len(self.losses) / CURVE_POINTS))
        starts = range(0, len(self.losses), width)
        parts = [(start, self.losses[start : start + width]) for start in starts]
        return tuple((start + len(part), sum(part) / len(part)) for start, part in parts)


def _ends(losses: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """Losses of the first and of the last tenth of a run, five steps each at least where there are ten."""
    count = max(1, len(losses) // 10, min(5, len(losses) // 2))
    return losses[:count], losses[-count:]


def _risen(losses: Sequence[float]) -> str:
    """That a loss has risen, or an empty string.

    A loss that merely stays where it was is no divergence: its last mean has to lie above the very first loss,
    which no update had touched, by more than the scatter of single losses, or to have doubled. One or two losses
    show no scatter: of so short a run only the doubling counts.
    """
    start, (_, last) = losses[0], _ends(losses)
    scatter = min(statistics.pstdev(part) for part in _ends(losses)) if len(last) > 2 else math.inf
    above = statistics.fmean(last) - start > min(4 * scatter, start)
    return f"loss ended at {statistics.fmean(last):.3f}, above its start {start:.3f}" if above else ""


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up to each optimiser group's own rate, then linear decay to zero."""

    steps: int
    warmup: float

    def factor(self, step: int) -> float:
        """Multiplier of the learning rate at a step counted from 0."""
        done, rise = step / self.steps, self.warmup
        up = min(1.0, (step + 1) / (rise * self.steps)) if rise else 1.0
        return up * (1.0 - max(0.0, (done - rise) / (1.0 - rise)))


@dataclass(frozen=True)
class Run:
    """The fixed parts of one run."""

    steps: int
    seed: int
    clip: float
    schedule: Schedule
    tensors: Mapping[str, Tensor]
    """What is trained, by name."""
    optimizers: tuple[Optimizer, ...]
    resume: str
    """Folder of the resumable state."""
    checkpoint_seconds: float
    evaluate: Callable[[], float] | None = None
    """English dev score in points."""
    evaluations: int = 0
    group: Group = ALONE
    sources: tuple[str, ...] = ()
    """What each step is made of, where that differs (see `Trace.sources`)."""

    def evaluation_steps(self) -> tuple[int, ...]:
        return scored(self.steps, self.evaluations)


def train(run: Run, objective: Objective, report: Report) -> Trace:
    """Run to the last step, or to the step at which the loss is no longer a number or `report` asks to stop.

    The first worker's report decides for the whole group: scores of others may differ in their last digits.

    Raises `Preempted` when the process was told to go, `ModelError` when a single example does not fit into the
    memory, and `StorageError` when states cannot be written.
    """
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in run.optimizers]
    trace = _restored(run, rates)
    trace.sources, trace.rates = list(run.sources), rates
    clock = saved = time.perf_counter()

    def close_step() -> None:
        """Score the step where that is due, stop the clock, report, and hear whether to go on."""
        nonlocal clock
        event = _event(run, trace)
        now = time.perf_counter()
        trace.seconds, clock = trace.seconds + now - clock, now
        hopeless = report(event)
        if "score" in event and len(trace.losses) < run.steps:
            trace.stopped = bool(run.group.most(int(bool(hopeless) and run.group.rank == 0)))

    with preemption.listening() as noticed, state.Writer(run.resume) as writer:
        if _due(run, trace):  # it had to go before it could
            close_step()
        while not _over(run, trace):
            told = _step(run, rates, objective, trace, noticed)
            if not math.isfinite(trace.losses[-1]):
                break
            if told and len(trace.losses) < run.steps:
                _leave(run, trace, writer, close_step)
            close_step()
            if clock - saved > run.checkpoint_seconds and run.group.rank == 0 and not _over(run, trace):
                writer.put(run.tensors, run.optimizers, vars(trace))
                saved = clock
    return trace


def _step(run: Run, rates: list[list[float]], objective: Objective, trace: Trace, noticed: Callable[[], bool]) -> bool:
    """One optimiser step; returns whether a worker was told to go."""
    step = len(trace.losses)
    for optimizer, base in zip(run.optimizers, rates, strict=True):
        for group, rate in zip(optimizer.param_groups, base, strict=True):
            group["lr"] = rate * run.schedule.factor(step)
    trained = list(run.tensors.values())
    seed = hash((run.seed, step)) % 2**31
    made = gradient(objective, step, seed, trained, run.group, trace.halvings, noticed)
    trace.losses.append(made.loss)
    trace.tokens += made.tokens
    trace.flops += made.flops
    trace.halvings = made.halvings
    if math.isfinite(made.loss):
        torch.nn.utils.clip_grad_norm_(trained, run.clip)
        for optimizer in run.optimizers:
            optimizer.step()
    return made.noticed


def _over(run: Run, trace: Trace) -> bool:
    """Whether the run came to its last step, or is not worth going on."""
    return trace.stopped or len(trace.losses) == run.steps


def _due(run: Run, trace: Trace) -> bool:
    """Whether the last step is to be scored and was not."""
    step = len(trace.losses)
    return bool(run.evaluate) and step in run.evaluation_steps() and step not in dict(trace.scores)


def _event(run: Run, trace: Trace) -> dict[str, Any]:
    """What there is to report of the last step."""
    event: dict[str, Any] = {"step": len(trace.losses), "steps": run.steps, "loss": trace.losses[-1]}
    if run.evaluate and _due(run, trace):
        event["score"] = run.evaluate()
        trace.scores.append((len(trace.losses), event["score"]))
    return event


def _leave(run: Run, trace: Trace, writer: state.Writer, close_step: Callable[[], None]) -> NoReturn:
    """Write the state and raise `Preempted`. A score that is due is left to the next start: it may take too long."""
    if not _due(run, trace):
        close_step()
    if run.group.rank == 0:
        writer.put(run.tensors, run.optimizers, {**vars(trace), "preempted": True})
        writer.flush()
    # The end of one worker ends the others, and the state must be whole by then. Which of them is heard is chance: all
    # say the same, and only the first one's report hears of a stop that is for good.
    halted = run.group.most(int(preemption.for_good()))
    done = f"after step {len(trace.losses)} of {run.steps}"
    kind = Halted if halted else Preempted
    raise kind(f"told to go {done}; its state is written, and the next start goes on from there")


def _restored(run: Run, rates: list[list[float]]) -> Trace:
    """The trace of a run that was cut off, or a fresh one. A state that is damaged, or of other learning rates (a
    search that was made again asks for others), is a reason to start again."""
    try:
        position = state.read(run.resume, run.tensors, run.optimizers, {"rates": rates})
    except CheckpointError:
        storage.remove(run.resume)
        return Trace(restarts=1)
    if position is None:
        return Trace()
    trace = Trace(**position)
    trace.scores = [(int(step), float(score)) for step, score in trace.scores]
    trace.preemptions += trace.preempted
    trace.restarts += not trace.preempted
    trace.preempted = False
    return trace


def peak_memory_mb() -> float:
    """Peak memory of this process: on the device when there is one, else resident."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

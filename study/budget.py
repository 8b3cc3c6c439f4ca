"""What will a study cost: memory, tokens, arithmetic, GPU-hours and money, size by size, before anything runs?

    budget(spec, rows, lengths, card("a100-80"), calibrations, rate=1.80).sizes[0].hours

Only phases that are still to run are counted, shared ones once, searches with all their trials, and scoring. A token
costs 2 operations per weight forward, 4 for training an adapter on a frozen base, 6 with recompute (and for all
weights of a scratch model), and attention on top (`trainables.flops`). Hours are operations over the speed that was
calibrated on such a card, or else over an assumed share of its peak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from study import calibrations
from study.amounts import ROWS, Amounts, Work, work
from study.fit import FULL_PASS, NO_STRETCH, Demand, Fit, fit
from study.gpus import Card
from study.plan import Row
from study.shapes import size_of
from study.spec import StudySpec
from trainables.config import Architecture
from trainables.errors import StudyError
from trainables.flops import FORWARD, FROZEN_BASE, FULL_TRAINING, RECOMPUTED_BASE, flops
from trainables.measured import Calibration
from trainables.models.shape import linear, parameters
from trainables.tasks import get


@dataclass(frozen=True)
class SizeBudget:
    """One size on one card. Without `fit` it does not run there, and `refusal` says why; its hours are unknown."""

    size: str
    parameters: int
    phases: int
    fit: Fit | None
    refusal: str
    tokens: float
    """Trained on and scored."""
    flops: float
    hours: float | None
    """GPU-hours: of all cards of a trial together."""
    price: float | None
    basis: str
    """Where the speed is from."""


@dataclass(frozen=True)
class Budget:
    """All sizes on one card."""

    card: Card
    sizes: tuple[SizeBudget, ...]

    @property
    def hours(self) -> float | None:
        """None when a size does not fit."""
        return _total([one.hours for one in self.sizes])

    @property
    def price(self) -> float | None:
        return _total([one.price for one in self.sizes])

    def check(self) -> None:
        """Raises `StudyError`, a line per size that the card does not hold."""
        refused = [one.refusal for one in self.sizes if one.refusal]
        if refused:
            raise StudyError("\n".join(refused))


def budget(
    spec: StudySpec,
    rows: Sequence[Row],
    lengths: Amounts,
    card: Card,
    calibration: Calibration | None,
    rate: float | None,
) -> Budget:
    """The cost of the rows still to run, on one kind of card. `rate`: price of a GPU-hour. Raises `StudyError`."""
    found = []
    for size in spec.sizes:
        todo = [row for row in rows if row.phase.size == size and row.action == "run"]
        works = [work(row.phase, spec, lengths) for row in todo]
        found.append(_of_size(spec, size, works, card, calibration, rate))
    return Budget(card, tuple(found))


def _of_size(
    spec: StudySpec,
    size: str,
    works: Sequence[Work],
    card: Card,
    calibration: Calibration | None,
    rate: float | None,
) -> SizeBudget:
    wanted = demand(spec, size)
    stretch = calibrations.stretch(calibration, wanted.shape) if calibration else NO_STRETCH
    try:
        found, refusal = fit(wanted, card, stretch=stretch), ""
    except StudyError as error:
        found, refusal = None, str(error)
    total = sum(operations(wanted.shape, one, found is not None and found.recompute) for one in works)
    hours, basis = None, ""
    if found is not None:
        speed, basis = _speed(wanted, found, card, calibration)
        hours = total / speed / 3600
    return SizeBudget(
        size=size,
        parameters=parameters(wanted.shape),
        phases=len(works),
        fit=found,
        refusal=refusal,
        tokens=sum(one.trained + one.scored for one in works),
        flops=total,
        hours=hours,
        price=None if hours is None or rate is None else hours * rate,
        basis=basis,
    )


def demand(spec: StudySpec, size: str) -> Demand:
    """What training any phase of a size asks for: the longest rows and the examples with most of them."""
    trained = {task for arm in spec.arms.values() if arm for task in arm.tasks} | set(spec.targets)
    tasks = [get(name) for name in sorted(trained)]
    # The largest example decides, not the longest row: four options of 128 tokens are more than one row of 384.
    worst = max(tasks, key=lambda task: ROWS.get(task.head, 1) * spec.max_length(task.name))
    text = any(arm and arm.text for arm in spec.arms.values())
    chooses = spec.attention == "causal" and any(task.head == "choose" for task in tasks)
    return Demand(
        name=size,
        shape=size_of(spec.family(), size).architecture,
        quantization=spec.quantization,
        adapter=spec.adapter,
        longest=spec.max_length(worst.name),
        rows=ROWS.get(worst.head, 1),
        batch_size=spec.training.batch_size,
        projects=text or chooses,
    )


def operations(shape: Architecture, one: Work, recompute: bool) -> float:
    """FLOPs of a phase."""
    passes = FULL_TRAINING if one.full else RECOMPUTED_BASE if recompute else FROZEN_BASE
    counted = ((passes, one.trained), (FORWARD, one.scored))
    return sum(flops(linear(shape), shape.hidden, shape.layers, round(n), one.width, p) for p, n in counted)


def _speed(wanted: Demand, found: Fit, card: Card, calibration: Calibration | None) -> tuple[float, str]:
    """(FLOP per second of one card, where that is from)."""
    tokens = min(found.micro_tokens, wanted.step)
    if calibration is not None:
        measured = calibrations.speed(calibration, wanted.shape, found.recompute, tokens)
        return measured, f"calibrated on {calibration.device.name}"
    basis = f"assumed: {card.share:.0%} of {card.name}'s {card.tflops:g} TFLOP/s"
    return card.speed * min(1.0, tokens / FULL_PASS), basis


def _total(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None

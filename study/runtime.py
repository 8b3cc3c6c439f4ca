"""How is the work of a size cut up where it runs? By the memory plan of its GPU; without one as the spec says.

    runtime(spec, "8b", store).micro_tokens     # 11008 on one a100-40, with recompute False
    check(spec, store)                          # StudyError before anything runs, where a size does not fit

The card is `compute.gpu`, else the one that this process finds. A process that only waits for a group of workers finds
none; then passes are of MICRO_TOKENS, and what does not fit is halved by the loop.
"""

from __future__ import annotations

from study import calibrations
from study.budget import demand
from study.fit import NO_STRETCH, Fit, fit
from study.gpus import Card, card
from study.spec import StudySpec
from study.store import Store
from trainables.config import Runtime
from trainables.errors import StudyError

MICRO_TOKENS = 8192
"""Padded tokens per forward pass where no memory plan says more."""


def runtime(spec: StudySpec, size: str, store: Store) -> Runtime:
    """How phases of a size are run in this process. Raises `StudyError` when the size does not fit its cards."""
    compute, planned = spec.compute, None
    if compute.gpus_per_trial and compute.micro_tokens is None:
        where = card(compute.gpu) if compute.gpu else _here()
        planned = _fit(spec, size, where, store) if where else None
    return Runtime(
        micro_tokens=compute.micro_tokens or (planned.micro_tokens if planned else MICRO_TOKENS),
        recompute=planned is not None and planned.recompute,
        compile=compute.compile,
        shard=compute.shard,
        threads=compute.cpus_per_trial,
        checkpoint_seconds=compute.checkpoint_seconds,
    )


def check(spec: StudySpec, store: Store) -> None:
    """Raises `StudyError`, a line per size that does not fit `compute.gpu`."""
    compute, refused = spec.compute, []
    if compute.gpu is None or not compute.gpus_per_trial or compute.micro_tokens is not None:
        return
    for size in spec.sizes:
        try:
            _fit(spec, size, card(compute.gpu), store)
        except StudyError as error:
            refused.append(str(error))
    if refused:
        raise StudyError("\n".join(refused))


def _fit(spec: StudySpec, size: str, where: Card, store: Store) -> Fit:
    compute = spec.compute
    part = where.model_copy(update={"memory": where.memory * min(1.0, compute.gpus_per_trial)})
    wanted = demand(spec, size)
    measured = calibrations.of_card(calibrations.load(store), where)
    stretch = calibrations.stretch(measured, wanted.shape) if measured else NO_STRETCH
    return fit(wanted, part, compute.workers if compute.shard else 1, stretch)


def _here() -> Card | None:
    """The GPU of this process, when it has one."""
    from trainables.calibration import device

    found = device()
    return calibrations.as_card(found) if found.kind == "cuda" else None

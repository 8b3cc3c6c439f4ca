"""Which learning rates does a search try? The full window, or a part of it that a smaller size has found.

With `search.transfer` the smallest size of a study searches the full window. A larger size then searches around the
winner of its twin, the same phase at the smallest size, with half the trials:

    around(4e-3)            # (1e-3, 6.4e-3)
    trials(phase, spec)     # 2 of 4

A phase whose window is narrowed needs its twin, and its key holds the twin's key as it holds its parent's: whatever
makes the twin new makes it new. The window itself is in no key, because it is a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from study import halving
from study.shapes import size_of
from study.spec import StudySpec
from trainables.models.shape import parameters

if TYPE_CHECKING:
    from study.plan import Phase

BELOW, ABOVE = 4.0, 1.6
"""The window goes from the twin's best rate over BELOW to ABOVE times that rate: without a special parametrisation
the best rate falls as a network grows (Yang et al. 2022, "Tensor Programs V")."""


def guide(spec: StudySpec) -> str | None:
    """The size that searches the full window for the others: that of the fewest parameters. None: every size does."""
    if not spec.search.transfer or len(spec.sizes) == 1:
        return None
    family = spec.family()
    return min(spec.sizes, key=lambda size: (parameters(size_of(family, size).architecture), size))


def around(best: float) -> tuple[float, float]:
    """Lowest and highest learning rate around the winner of a twin."""
    return best / BELOW, best * ABOVE


def half(trials: int) -> int:
    """Trials of a narrowed search: half of a full one's, rounded up."""
    return (trials + 1) // 2


def trials(phase: Phase, spec: StudySpec) -> int:
    """Learning rates that a phase tries: half as many in a narrowed window; one where the rate is given."""
    if phase.tuned_by is not None:
        return 1
    return spec.search.trials if phase.narrowed_by is None else half(spec.search.trials)


def said(spec: StudySpec) -> str:
    """How the sizes search, in one line for people; empty where all do it alike."""
    smallest = guide(spec)
    if smallest is None:
        return ""
    larger = ", ".join(size for size in spec.sizes if size != smallest)
    where = f"from 1/{BELOW:g} to {ABOVE:g} times the winner at {smallest}"
    return f"search.transfer: {smallest} tries {spec.search.trials} rates; {larger} {half(spec.search.trials)}, {where}"


def identity(spec: StudySpec, narrowed_by: str | None) -> dict[str, Any]:
    """The fields of a searching phase's identity that say how it searches."""
    if narrowed_by is None:
        full = spec.search.model_dump(mode="json", exclude={"transfer", "early_stopping"})
        return {"search": {**full, **halving.identity(spec)}}
    search = {
        "trials": half(spec.search.trials),
        "seed": spec.search.seed,
        "transfer": {"below": BELOW, "above": ABOVE},
        **halving.identity(spec),
    }
    return {"search": search, "narrowed_by": narrowed_by}

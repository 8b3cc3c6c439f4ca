"""At which steps of a run is the dev set scored, and at which of them may the run be given up?

    scored(steps=120, evaluations=4)                    # (30, 60, 90, 120)
    rungs(steps=120, evaluations=4, warmup=0.3)         # (60, 90): after the warm-up, before the end

While the learning rate still rises a run says little about its end (an early stop then favours low rates), and after
the last step there is nothing left to spare.
"""

from __future__ import annotations


def scored(steps: int, evaluations: int) -> tuple[int, ...]:
    """Steps (counted from 1) after which the dev set is scored: evenly spaced, the last one at the end."""
    return tuple(dict.fromkeys(round(steps * (place + 1) / evaluations) for place in range(evaluations)))


def rungs(steps: int, evaluations: int, warmup: float) -> tuple[int, ...]:
    """Those of them that lie after the warm-up (a share of the steps) and before the last step."""
    return tuple(step for step in scored(steps, evaluations) if warmup * steps < step < steps)


def has_rung(steps: int, evaluations: int, warmup: float) -> bool:
    """Whether `rungs` finds any, of at most as many evaluations as steps; looks at the last one before the end alone,
    because steps may be millions."""
    return evaluations > 1 and round(steps * (evaluations - 1) / evaluations) > warmup * steps

"""How is a number, an interval or a factor put into words? And what is an answer made of?"""

from __future__ import annotations

from dataclasses import dataclass
from math import isinf

from study.analysis.basis import Basis
from study.analysis.noise import Estimate


@dataclass(frozen=True)
class Answer:
    """`verdict` in two or three words, then sentences, then what they rest on and what could overturn them."""

    question: str
    verdict: str
    sentences: tuple[str, ...]
    rests_on: str
    overturned_by: tuple[str, ...] = ()
    """What would have to be different for another verdict: an effect too small to see, a caveat, a missing arm."""
    keys: tuple[str, ...] = ()
    """Evaluations behind the numbers, so that each can be traced."""


def signed(value: float, digits: int = 1) -> str:
    """3.14159 -> "+3.1"; a true minus sign for negative numbers, no sign for what rounds to zero."""
    if isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{abs(value):.{digits}f}"
    return text if float(text) == 0 else ("+" if value > 0 else "−") + text


def interval(estimate: Estimate, digits: int = 1) -> str:
    """ "+3.1 (95 % interval +1.0 to +5.2)"."""
    low, high = signed(estimate.low, digits), signed(estimate.high, digits)
    return f"{signed(estimate.point, digits)} (95 % interval {low} to {high})"


def span(estimate: Estimate, digits: int = 1) -> str:
    """ "+1.0 to +5.2": the interval alone."""
    return f"{signed(estimate.low, digits)} to {signed(estimate.high, digits)}"


def p_value(p: float) -> str:
    """ "p = 0.03", "p < 0.001"."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.995 else "p = 1"


def times(value: float) -> str:
    """A factor on parameters; the ends of the ladder in words."""
    return "beyond the ladder" if isinf(value) else "below the ladder" if value == 0 else f"×{value:.2g}"


FEW_ARMS = 2
"""Up to so many arms, the answers give numbers for every size; with more, tables and figures do."""


def cannot(question: str, why: str) -> Answer:
    return Answer(question, "cannot tell", (f"Cannot tell: {why}.",), "")


def basis(found: Basis) -> str:
    done = found.asked - len(found.missing)
    seeds = found.cells["seed"].nunique()
    known = seeds > 1 and all(pool.gain.seed_noise for pool in found.pools.values())
    noise = "" if known else " One seed of a gain: training noise is in none of its intervals."
    return f"Rests on {done} of {found.asked} cells, {seeds} seed{'s' * (seeds > 1)}.{noise}"


def several(names: tuple[str, ...], what: str) -> str:
    """Up to three names, else how many there are."""
    return join(names) if len(names) <= 3 else f"{len(names)} {what}"


def join(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]

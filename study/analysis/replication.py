"""Do published claims hold here? Each claim beside our number, and agrees, disagrees or cannot tell by a stated rule.

  a value       agrees: our interval holds theirs, and is no wider to either side than `NARROW` points or half of theirs
                (a wide interval holds every value); disagrees: it leaves theirs out
  "little"      agrees: our interval ends below `within` points; disagrees: it begins above
  "not better"  disagrees: our interval lies above zero; agrees: it ends below `within` points
  "the best"    agrees: all that are named are ahead of all others in 95 % of joint draws; disagrees: one that is not
                named is ahead of one that is, at 95 % after Bonferroni's correction for the number of such pairs

A mean over other targets than theirs is shown and decides nothing. All else cannot be told, and the reason is given.
Ours is the size nearest to theirs, if that is within `FACTOR`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from study.analysis import claims
from study.analysis.basis import Basis
from study.analysis.claims import Claim, Ranking
from study.analysis.noise import LEVEL, Estimate

NARROW = 1.0
FACTOR = 3.0
"""How much larger or smaller a model may be and still speak of theirs."""
MEANS = ("single", "mixture", "mixture_extra", "best")
"""Claims about a mean over all of the paper's targets, unless they name some."""
AGREES, DISAGREES, CANNOT = "agrees", "disagrees", "cannot tell"
COLUMNS = ["claim", "theirs", "ours", "low", "high", "verdict", "reason", "size", "mark"]


@dataclass(frozen=True)
class Paper:
    """What one paper reports."""

    parameters: int
    targets: tuple[str, ...]
    claims: tuple[Claim, ...]


def paper(table: dict[str, Any]) -> Paper:
    """From `phang2020.yaml` as it was read."""
    return Paper(table["parameters"], tuple(table["targets"]), tuple(Claim(**claim) for claim in table["claims"]))


def find(base: Basis, of: Paper) -> pd.DataFrame:
    """One row per claim, columns `COLUMNS`."""
    size, why = _size(base, of.parameters)
    common = [target for target in of.targets if target in base.design.targets]
    absent = [target for target in of.targets if target not in common]
    why = why or ("" if common else "none of their targets is in this study")
    rows = []
    for claim in of.claims:
        found = why or claims.ours(base, claim, size, common)
        theirs = nan if claim.theirs is None else claim.theirs
        if isinstance(found, str):
            rows.append((claim.claim, theirs, nan, nan, nan, CANNOT, found, size, claim.mark))
            continue
        verdict, reason = ranked(found) if isinstance(found, Ranking) else judged(claim, found)
        if claim.kind in MEANS and not claim.targets and absent:
            lacking = ", ".join(absent)
            verdict, reason = CANNOT, f"over {len(common)} of their {len(of.targets)} targets, without {lacking}"
        if isinstance(found, Ranking) and absent:
            gone = [name for name in claim.targets or absent if name in absent]
            reason += f" (without {', '.join(gone)})" if gone else ""
        numbers = (nan, nan, nan) if isinstance(found, Ranking) else (found.point, found.low, found.high)
        rows.append((claim.claim, theirs, *numbers, verdict, reason, size, claim.mark))
    return pd.DataFrame(rows, columns=COLUMNS)


def _size(base: Basis, theirs: int) -> tuple[str, str]:
    """(the nearest size, why nothing can be told or empty)."""
    if (base.spec.get("data") or {}).get("source") == "lab":
        return "", "lab data bear the benchmark's names only"
    known = {size: base.design.parameters[size] for size in base.design.sizes if size in base.design.parameters}
    if not known:
        return "", "nothing has been scored"
    size = min(known, key=lambda name: abs(np.log(known[name] / theirs)))
    if not 1 / FACTOR <= known[size] / theirs <= FACTOR:
        return size, f"theirs has {theirs:.2g} parameters, our nearest size {size} has {known[size]:.2g}"
    seeds = min(len(base.design.seeds), base.cells["seed"].nunique())
    return size, "one seed: training noise is not known" if seeds < 2 else ""


def judged(claim: Claim, ours: Estimate) -> tuple[str, str]:
    """(verdict, reason) of a claim about a number."""
    if claim.theirs is not None:
        return _value(claim.theirs, ours)
    least = f"{claim.within:g} point{'s' * (claim.within != 1)}"
    wide = f"our interval is too wide to tell it from {least}"
    if claim.kind in ("text", "files"):  # "not better"
        if ours.positive:
            return DISAGREES, "ours is better"
        return (AGREES, f"less than {least} better") if ours.high < claim.within else (CANNOT, wide)
    if ours.high < claim.within:
        return AGREES, f"less than {least}"
    return (DISAGREES, f"more than {least}") if ours.low > claim.within else (CANNOT, wide)


def _value(theirs: float, ours: Estimate) -> tuple[str, str]:
    width = (ours.high - ours.low) / 2
    allowed = max(NARROW, abs(theirs) / 2)
    if not ours.low <= theirs <= ours.high:
        if ours.clear and (ours.point > 0) == (theirs > 0):
            return DISAGREES, f"same direction, {'larger' if abs(ours.point) > abs(theirs) else 'smaller'} here"
        return DISAGREES, "the other direction here" if ours.clear else "no clear effect here"
    if width > allowed:
        return CANNOT, f"our interval reaches {width:.1f} points to either side, at most {allowed:.1f} would tell"
    return AGREES, "our interval holds theirs"


def ranked(found: Ranking) -> tuple[str, str]:
    """(verdict, reason) of a claim about who comes first."""
    named = [found.names.index(name) for name in found.named]
    others = [index for index in range(len(found.names)) if index not in named]
    first = float((found.draws[named].min(axis=0) > found.draws[others].max(axis=0)).mean())
    said = f"ahead of all others in {first:.0%} of draws"
    if first >= LEVEL:
        return AGREES, said
    pairs = [(name, other) for name in named for other in others]
    ahead = [float((found.draws[other] > found.draws[name]).mean()) for name, other in pairs]
    worst = int(np.argmax(ahead))
    if ahead[worst] >= 1 - (1 - LEVEL) / len(pairs):
        name, other = pairs[worst]
        return DISAGREES, f"{found.names[other]} is ahead of {found.names[name]}"
    return CANNOT, said

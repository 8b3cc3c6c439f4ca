"""Do the intervals of the report hold, and do studies without effect find none? Over hundreds of simulated studies.

    python -m tests.benchmarks.coverage --studies 500 --out build/bench.json

Studies of all scenarios are drawn in turn, with effects that are known exactly, and go through the functions behind
the report. An interval covers when the truth lies within it; 95 % of them should. Intervals of one study go together,
so the error of a share is taken over studies. Half as many studies again are drawn without any effect: in how many of
them does a family of questions make a claim, by the correction that the page uses? 5 % may.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from study.analysis import bylanguage, domain
from study.analysis.basis import Basis, basis
from study.analysis.interaction import interaction
from study.analysis.levels import levels
from study.analysis.multiple import Family
from study.analysis.noise import LEVEL
from study.analysis.retention import memory
from study.simulation.draw import draw
from tests.benchmarks.checks import LIKE, THESE, Check, checks
from tests.benchmarks.scenarios import SCENARIOS, planted_for

NAME = "coverage"
RECOVERED = {
    "slope, pooled": "points per tenfold parameters",
    "gain, overall, mean of sizes": "points",
    "equivalent size, pooled": "log10 of the factor",
    "retention, mean of sizes": "per cent",
}


@dataclass(frozen=True)
class Share:
    """A share of intervals or studies, with its standard error over studies."""

    share: float
    error: float
    count: int
    """Intervals; of claims, studies."""


@dataclass(frozen=True)
class Recovered:
    """Mean of estimate minus truth, its standard error over studies, and the typical error of one study."""

    bias: float
    error: float
    typical: float
    unit: str


@dataclass(frozen=True)
class Result:
    """`coverage` is {kind: {scope: share}}; in `summary` kinds are put together by their words before a comma."""

    studies: int
    without_effect: int
    processor_seconds: float
    coverage: dict[str, dict[str, Share]]
    summary: dict[str, dict[str, Share]]
    claims: dict[str, Share]
    recovery: dict[str, Recovered]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenario", choices=SCENARIOS, help="studies of this kind alone; else all kinds in turn")
    given = parser.parse_args()
    found = measured(given.studies, [given.scenario] if given.scenario else list(SCENARIOS))
    known = json.loads(given.out.read_text()) if given.out.exists() else {}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({**known, NAME: asdict(found)}, indent=1, sort_keys=True) + "\n")
    print("\n".join(lines(found)))


def measured(studies: int, scenarios: Sequence[str]) -> Result:
    """Draw and analyse so many studies, and half as many without effect."""
    started = time.process_time()
    drawn = [list(of_study(number, scenarios)) for number in range(studies)]
    claimed = [_by_name(claims(number, scenarios)) for number in range(studies // 2)]
    return Result(
        studies,
        len(claimed),
        round(time.process_time() - started, 1),
        coverage(drawn),
        coverage([[one._replace(kind=one.kind.split(",")[0]) for one in study] for study in drawn]),
        {name: _share([one[name] for one in claimed if name in one]) for name in sorted(set().union(*claimed))},
        recovery(drawn),
    )


def of_study(number: int, scenarios: Sequence[str] = tuple(SCENARIOS)) -> Iterator[Check]:
    """All intervals of the study of a number, scenarios in turn."""
    evidence, truth = draw(planted_for(scenarios[number % len(scenarios)], number), number)
    yield from checks(basis(evidence), truth)


def claims(number: int, scenarios: Sequence[str] = tuple(SCENARIOS)) -> Iterator[tuple[str, bool]]:
    """(family of questions, whether it claims anything) of a study without effect."""
    name = scenarios[number % len(scenarios)]
    found = basis(draw(planted_for(name, number, effects=False), number)[0])
    for family in _families(found):
        if family.size:
            yield family.name, any(family.stands(*key) for key in family.holm)
    for by_code in bylanguage.find(found).gains.values():
        yield "gains of an arm in single languages", any(one.clear for one in by_code.values())


def _by_name(found: Iterable[tuple[str, bool]]) -> dict[str, list[bool]]:
    result: dict[str, list[bool]] = defaultdict(list)
    for name, claim in found:
        result[name].append(claim)
    return dict(result)


def _families(found: Basis) -> Iterator[Family]:
    yield from levels(found).families.values()
    change, kept = interaction(found), memory(found)
    yield from (change.arms, change.targets, kept.lost, kept.changes)
    yield from domain.find(found).families.values()


def coverage(drawn: Iterable[Iterable[Check]]) -> dict[str, dict[str, Share]]:
    """{kind: {scope: share of intervals that hold the truth}}"""
    found: dict[tuple[str, str], list[list[bool]]] = defaultdict(list)
    for study in drawn:
        here: dict[tuple[str, str], list[bool]] = defaultdict(list)
        for check in study:
            here[(check.kind, check.scope)].append(check.covered)
        for key, covered in here.items():
            found[key].append(covered)
    result: dict[str, dict[str, Share]] = defaultdict(dict)
    for (kind, scope), by_study in sorted(found.items()):
        result[kind][scope] = _share(by_study)
    return dict(result)


def _share(by_study: list[list[bool]]) -> Share:
    """Studies count by their numbers of intervals; the error is that of a ratio of sums over studies."""
    hits, counts = np.array([[sum(one), len(one)] for one in by_study], dtype=float).T
    share = hits.sum() / counts.sum()
    error = np.sqrt(np.sum((hits - share * counts) ** 2)) / counts.sum()
    return Share(round(float(share), 4), round(float(error), 4), int(counts.sum()))


def recovery(drawn: Iterable[Iterable[Check]]) -> dict[str, Recovered]:
    """How far estimates lie from what was planted."""
    errors: dict[str, list[list[float]]] = defaultdict(list)
    for study in drawn:
        here: dict[str, list[float]] = defaultdict(list)
        for check in study:
            if check.kind in RECOVERED and check.scope == THESE and (miss := _miss(check)) is not None:
                here[check.kind].append(miss)
        for kind, misses in here.items():
            errors[kind].append(misses)
    found = {}
    for kind, by_study in sorted(errors.items()):
        means = np.array([np.mean(one) for one in by_study])
        typical = float(np.sqrt(np.mean(np.square(np.concatenate(by_study)))))
        error = float(means.std(ddof=1) / len(means) ** 0.5) if len(means) > 1 else 0.0
        found[kind] = Recovered(round(float(means.mean()), 4), round(error, 4), round(typical, 4), RECOVERED[kind])
    return found


def _miss(check: Check) -> float | None:
    """Estimate minus truth; of factors their logarithms, None where one lies beyond the ladder."""
    if not check.kind.startswith("equivalent"):
        return check.point - check.truth
    if not all(0 < one < np.inf for one in (check.point, check.truth)):
        return None
    return float(np.log10(check.point / check.truth))


def lines(found: Result) -> list[str]:
    """Everything, as text."""
    told = [f"{found.studies} studies, {found.processor_seconds:.0f} s of processor time", ""]
    for kind, by_scope in found.coverage.items():
        shares = ", ".join(f"{scope} {one.share:6.1%} ±{2 * one.error:.1%}" for scope, one in by_scope.items())
        told.append(f"{kind:<45}{shares}")
    told += ["", f"claims in {found.without_effect} studies without effect (up to {1 - LEVEL:.0%} are allowed):"]
    told += [f"{name:<45}{one.share:6.1%} ±{2 * one.error:.1%}" for name, one in found.claims.items()]
    told += ["", "estimate minus truth:"]
    told += [
        f"{kind:<45}{one.bias:+.3f} ±{2 * one.error:.3f} {one.unit}; of one study {one.typical:.2f}"
        for kind, one in found.recovery.items()
    ]
    return told


def markdown(found: Mapping[str, Any]) -> list[str]:
    """A table for a page and what it rests on, from a dumped `Result`."""
    rows = ["| 95 % intervals that hold the truth | these languages | languages like these |", "|---|---|---|"]
    for kind, by_scope in found["summary"].items():
        shares = [f"{100 * by_scope[scope]['share']:.1f} %" if scope in by_scope else "" for scope in (THESE, LIKE)]
        rows.append(f"| {kind} | {' | '.join(shares)} |")
    errors = sorted(2 * 100 * one["error"] for by_scope in found["summary"].values() for one in by_scope.values())
    claims = found["claims"]
    name, most = max(claims.items(), key=lambda item: item[1]["share"])
    count = sum(one["count"] for one in claims.values())
    mean = sum(one["share"] * one["count"] for one in claims.values()) / count
    told = (
        f"{found['studies']} simulated studies of {len(SCENARIOS)} kinds; two standard errors of a share are "
        f"{errors[0]:.1f} to {errors[-1]:.1f} points. In {found['without_effect']} studies without any effect "
        f"{100 * mean:.1f} % of the families of questions claim one (5 % may), most often {name}: "
        f"{100 * most['share']:.1f} % of {most['count']} (± {200 * most['error']:.1f})."
    )
    return [*rows, "", told, ""]


if __name__ == "__main__":
    main()

"""What does `search.transfer` lose and save? The lab's searches, in full and narrowed, for several search seeds.

    python -m tests.benchmarks.lr_transfer --out build/bench.json          # about twenty minutes of one core

Every intermediate and target phase of the lab is trained for real, with the lab's own steps and one seed of training.
The smallest size searches once for both. Regret is the English dev score of the full search minus that of the narrowed
one (`study.analysis.regret`). Its interval is Student's t over the means of the search seeds, which share pretraining
and data: it speaks of other draws of the search, not of other studies. `--storage` keeps what was trained, and goes on.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from study import plan
from study.analysis import regret
from study.analysis.noise import LEVEL
from study.records import Record
from study.report.answers.words import signed
from study.spec import StudySpec
from study.specfile import load
from study.store import Store
from tests.benchmarks.side_by_side import machine

NAME = "lr_transfer"


@dataclass(frozen=True)
class Kind:
    """Regret of one kind of phase, in points of the English dev score."""

    searches: int
    mean: float
    low: float
    high: float
    worse: int
    """Searches of which the full one's winner scores more, in part because the best of more trials is the luckier."""
    better: int
    """Searches of which the narrowed one did."""
    spread: float
    """Standard deviation of the full search's score between search seeds, the mean over phases."""


@dataclass(frozen=True)
class Result:
    seeds: int
    sizes: tuple[str, ...]
    """From the smallest."""
    trials: tuple[int, int]
    """Of a full and of a narrowed search."""
    kinds: dict[str, Kind]
    saved: dict[str, float]
    """Share of the trials and of the FLOPs of all searches, those of the smallest size included, that is saved."""
    machine: dict[str, Any]


def main() -> None:
    command(NAME, __doc__ or "", measured, markdown)


def command(
    name: str, about: str, measured: Callable[[Path, int], Any], markdown: Callable[[Mapping[str, Any]], list[str]]
) -> None:
    """What a benchmark of searches does when it is called: train, keep the result under its name, and print it."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--storage", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(given.storage or Path(folder), given.seeds)
    keep = json.loads(given.out.read_text()) if given.out.exists() else {}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({**keep, name: asdict(found)}, indent=1, sort_keys=True) + "\n")
    print("\n".join(markdown(asdict(found))))


def measured(storage: Path, seeds: int) -> Result:
    """Train what is not in the storage yet, and sum up."""
    for seed in range(seeds):
        for transfer in (False, True):
            spec, store, _ = trained(storage, {"search": {"seed": seed, "transfer": transfer}})
    asked = [
        record for record in store.records() if (record.identity.get("search") or {}).get("seed", -1) in range(seeds)
    ]
    return result(asked, {**machine(), "threads": spec.compute.cpus_per_trial})


def trained(storage: Path, changes: Mapping[str, Any]) -> tuple[StudySpec, Store, list[plan.Row]]:
    """Train the lab's phases, one at a time, that are not in the storage yet; nothing is scored but their dev sets."""
    from study import execute

    alike = {"storage": str(storage), "seeds": [0], "compute": {"slots": 1}, "tracking": {"enabled": False}}
    spec = load("lab", changes={**alike, **changes})
    store = Store(storage / spec.name)
    rows = [row for row in plan.rows(spec, store) if row.phase.kind != "evaluation"]
    if execute.run(spec, store, rows, echo=lambda line: print(line, flush=True)):
        raise SystemExit("a phase failed; see above")
    return spec, store, rows


def result(records: list[Record], on: dict[str, Any]) -> Result:
    """Sum up what a store holds."""
    found = regret.find(records)
    searched = [record for record in records if record.search]
    parameters = {record.size: record.parameters for record in searched}
    narrowed = set(found["size"])
    least = [record for record in searched if record.size not in narrowed]
    costs = {
        "trials": (sum(len(r.trials) for r in least), found["full_trials"].sum(), found["trials"].sum()),
        "FLOPs": (sum(r.cost.flops for r in least), found["full_flops"].sum(), found["flops"].sum()),
    }
    return Result(
        seeds=found["search_seed"].nunique(),
        sizes=tuple(sorted(parameters, key=parameters.__getitem__)),
        trials=(int(found["full_trials"].max()), int(found["trials"].max())),
        kinds={str(name): kind(rows) for name, rows in found.groupby("kind")},
        saved={unit: round(float((full - part) / (both + full)), 4) for unit, (both, full, part) in costs.items()},
        machine=on,
    )


def kind(rows: pd.DataFrame) -> Kind:
    """Sum up searches (columns size, arm, target, search_seed, full, regret) of one kind of phase."""
    of_seeds = rows.groupby("search_seed")["regret"].mean().to_numpy()
    mean = float(of_seeds.mean())
    count = len(of_seeds)
    error = float(of_seeds.std(ddof=1)) / count**0.5 if count > 1 else np.inf
    width = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * error if count > 1 else np.inf
    spread = rows.groupby(["size", "arm", "target"], dropna=False)["full"].std(ddof=1).mean()
    return Kind(
        searches=len(rows),
        mean=round(mean, 3),
        low=round(mean - width, 3),
        high=round(mean + width, 3),
        worse=int((rows["regret"] > 0).sum()),
        better=int((rows["regret"] < 0).sum()),
        spread=round(float(spread), 3),
    )


def markdown(found: Mapping[str, Any]) -> list[str]:
    """A table for a page and what it rests on, from a dumped `Result`."""
    head = "| `search.transfer` on the lab | searches | regret, dev points | full better | narrowed better | spread |"
    rows = [head, "|---|---|---|---|---|---|"]
    for name, one in found["kinds"].items():
        interval = f"**{signed(one['mean'])}** ({signed(one['low'])} to {signed(one['high'])})"
        counts = f"{one['worse']} | {one['better']}"
        rows.append(f"| {name} | {one['searches']} | {interval} | {counts} | {one['spread']:.1f} |")
    smallest, *larger = found["sizes"]
    full, part = found["trials"]
    told = (
        f"Sizes {', '.join(larger)} with {part} trials around the winner at {smallest}, against {full} in the full "
        f"window, {found['seeds']} search seeds; mean with its 95 % interval over search seeds. Saved: "
        f"{100 * found['saved']['trials']:.0f} % of all trials and {100 * found['saved']['FLOPs']:.0f} % of the FLOPs "
        f"of all searches. Spread: standard deviation of the full search's score between search seeds."
    )
    return [*rows, "", told, ""]


if __name__ == "__main__":
    main()

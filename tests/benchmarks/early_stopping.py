"""What does `search.early_stopping` lose and save? The lab's searches with all their trials, and what it would stop.

    python -m tests.benchmarks.early_stopping --out build/bench.json       # about a quarter of an hour of one core

Every intermediate and target phase at size s is searched for real: eight trials, four dev scorings each, five search
seeds. Then each search is walked once more under the rule: a trial whose rate the sampler suggests again is the one
that was trained, cut at the rung that stops it; where a stopped trial changed what is suggested, the new rate is
trained. So both searches start from the same trials, and regret (the full search's dev score minus the other's) is that
of the rule alone. Its interval is that of `tests.benchmarks.lr_transfer`. `--storage` keeps what was trained, and goes
on.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import pandas as pd

from study import halving, plan
from study.records import Record, Trial
from study.report.answers.words import signed
from study.sampler import Sampler, best, points
from study.work import Job, run_trial
from tests.benchmarks.lr_transfer import Kind, command, kind, trained
from tests.benchmarks.side_by_side import machine
from trainables import storage
from trainables.rungs import rungs

NAME = "early_stopping"
TRIALS = 8
SHOWN = (2, 4)
"""Dev scorings of a run: with two there is one rung, at half of the steps; with four there are three."""


@dataclass(frozen=True)
class Result:
    """By number of dev scorings: what was lost, by kind of phase, and what was saved."""

    seeds: int
    trials: int
    kinds: dict[str, dict[str, Kind]]
    stopped: dict[str, float]
    """Share of all trials."""
    saved: dict[str, float]
    """Share of the FLOPs of all searches."""
    again: dict[str, int]
    """Trials at rates that the full searches had not tried."""
    machine: dict[str, Any]


def main() -> None:
    command(NAME, __doc__ or "", measured, markdown)


def measured(storage: Path, seeds: int) -> Result:
    """Train what is not in the storage yet, and walk every search again."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    walked: list[dict[str, Any]] = []
    for seed in range(seeds):
        search, training = {"seed": seed, "trials": TRIALS}, {"evaluations": max(SHOWN)}
        spec, store, rows = trained(storage, {"sizes": ["s"], "search": search, "training": training})
        root = os.path.abspath(plan.data_root(spec, store))
        for row in rows:
            record = store.record(row.phase.key)
            if record is not None and record.search is not None:
                walked += walks(record, again(Job(row.phase, spec, store.path, root)))
    return result(walked, {**machine(), "threads": spec.compute.cpus_per_trial})


def again(job: Job) -> Callable[[int, float], Trial]:
    """Trains a trial of a finished phase in this process, and leaves nothing behind."""

    def train(number: int, rate: float) -> Trial:
        from trainables.phase import train

        try:
            return run_trial(job, number, rate, train)
        finally:
            storage.remove(storage.join(job.store.phase_folder(job.phase.key), "trials"))

    return train


def walks(record: Record, train: Callable[[int, float], Trial]) -> list[dict[str, Any]]:
    """One row per number of dev scorings: the full search beside the one with early stopping."""
    rows = []
    for evaluations in SHOWN:
        found = walk(record, evaluations, train)
        tried = [trial.learning_rate for trial in record.trials]
        winner = best(found)
        rows.append(
            {
                "evaluations": str(evaluations),
                **{"kind": record.kind, "size": record.size, "arm": record.arm, "target": record.task},
                "search_seed": record.identity["search"]["seed"],
                "full": record.winner.score if record.winner else math.nan,
                "regret": record.winner.score - winner.score if record.winner and winner else math.nan,
                "trials": len(found),
                "stopped": sum(trial.status == "pruned" for trial in found),
                "again": sum(trial.learning_rate not in tried for trial in found),
                "full_flops": sum(trial.flops for trial in record.trials),
                "flops": sum(trial.flops for trial in found),
            }
        )
    return rows


def walk(record: Record, evaluations: int, train: Callable[[int, float], Trial]) -> list[Trial]:
    """The trials of a search under the rule, with rungs as `evaluations` dev scorings make them."""
    config, asked = record.identity["config"], record.identity["search"]
    sampler = Sampler(tuple(asked["window"]), asked["trials"], asked["seed"], record.key)
    steps = rungs(config["steps"], evaluations, config["warmup"])
    known = {trial.number: trial for trial in record.trials}
    found: list[Trial] = []
    for number in range(sampler.trials):
        rate = sampler.rate(number, points(found))
        same = math.isclose(known[number].learning_rate, rate)
        trial = known[number] if same else train(number, rate)
        found.append(cut(trial, halving.cutoffs(steps, found) if number >= sampler.startup else {}, config["steps"]))
    return found


def cut(trial: Trial, least: Mapping[int, float], steps: int) -> Trial:
    """What is left of a trial that was trained to its end, of so many steps."""
    below = [step for step, score in trial.dev if score < least.get(step, -math.inf)]
    if not below:
        return trial
    dev = tuple(point for point in trial.dev if point[0] <= below[0])
    spent = {"steps": below[0], "flops": trial.flops * below[0] / steps}
    return trial.model_copy(update={"status": "pruned", "score": None, "dev": dev, **spent})


def result(walked: list[dict[str, Any]], on: dict[str, Any]) -> Result:
    """Sum up the rows of `walks`."""
    table = pd.DataFrame(walked)
    groups = {str(name): rows for name, rows in table.groupby("evaluations")}
    return Result(
        seeds=table["search_seed"].nunique(),
        trials=int(table["trials"].max()),
        kinds={name: {str(one): kind(part) for one, part in rows.groupby("kind")} for name, rows in groups.items()},
        stopped={name: round(float(rows["stopped"].sum() / rows["trials"].sum()), 4) for name, rows in groups.items()},
        saved={name: _saved(rows) for name, rows in groups.items()},
        again={name: int(rows["again"].sum()) for name, rows in groups.items()},
        machine=on,
    )


def _regret(one: Mapping[str, Any]) -> str:
    """Of searches that all kept their winners there is no interval: their agreement says nothing of others."""
    if not one["worse"] + one["better"]:
        return "none"
    return f"**{signed(one['mean'])}** ({signed(one['low'])} to {signed(one['high'])})"


def _saved(rows: pd.DataFrame) -> float:
    return round(1 - float(rows["flops"].sum() / rows["full_flops"].sum()), 4)


def markdown(found: Mapping[str, Any]) -> list[str]:
    """A table for a page and what it rests on, from a dumped `Result`."""
    names = sorted(kind for kind in next(iter(found["kinds"].values())))
    heads = [f"regret of {name} searches, dev points" for name in names]
    head = ["`search.early_stopping` on the lab", *heads, "worse", "stopped", "FLOPs saved"]
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for evaluations, kinds in found["kinds"].items():
        parts = [kinds[name] for name in names]
        regrets = [_regret(one) for one in parts]
        worse = ", ".join(f"{one['worse']} of {one['searches']}" for one in parts)
        shares = (f"{100 * found[what][evaluations]:.0f} %" for what in ("stopped", "saved"))
        rows.append(f"| {' | '.join([f'{evaluations} dev scorings', *regrets, worse, *shares])} |")
    told = (
        f"Size s, {found['trials']} trials, {found['seeds']} search seeds, the same trials and the same parent phase "
        f"as in the full search; mean with its 95 % interval over search seeds. Worse: searches that lost their "
        f"winner, {' and '.join(names)}. Stopped and saved: of the trials and FLOPs of all phases."
    )
    return [*rows, "", told, ""]


if __name__ == "__main__":
    main()

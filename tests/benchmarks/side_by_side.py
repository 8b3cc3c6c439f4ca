"""Which of several ways to do the same work is fastest, on a machine that is not ours alone?

    found = compare("scoring", "real tokens/s", {"ours": ours, "padded to 384": padded}, rounds=5)
    keep(Path("bench.json"), found)

The contenders take turns in one process, after one turn each that does not count, and every round begins with
another of them. What the machine does to one round it does to all, so ratios are taken within a round; told are
their median, least and greatest. Wall time counts; the ratio by processor time stands beside it, because it hardly
moves when somebody else uses the machine.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate")


@dataclass(frozen=True)
class Turn:
    """What one turn of a contender did, without its preparations."""

    amount: float
    """Of the benchmark's unit, before "/s"."""
    seconds: float
    processor_seconds: float


Contender = Callable[[], Turn]


@dataclass(frozen=True)
class Spread:
    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Comparison:
    """What came out. The first contender is ours; ratios are its rate over another's."""

    name: str
    unit: str
    rounds: int
    rates: dict[str, Spread]
    ratios: dict[str, Spread]
    processor_ratios: dict[str, Spread]
    facts: dict[str, Any]
    """What was compared: the net, the data, the settings."""
    machine: dict[str, Any]


class Watch:
    """Wall and processor time between `start` and `stop`."""

    def start(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def stop(self, amount: float) -> Turn:
        wall, processor = self._began
        return Turn(amount, time.perf_counter() - wall, time.process_time() - processor)


def compare(
    name: str, unit: str, contenders: Mapping[str, Contender], rounds: int, facts: Mapping[str, Any] | None = None
) -> Comparison:
    """Run all contenders `rounds` times in turn."""
    load = os.getloadavg()[0]
    names = list(contenders)
    for contender in contenders.values():
        contender()
    turns: dict[str, list[Turn]] = {one: [] for one in names}
    for number in range(rounds):
        first = number % len(names)
        for one in names[first:] + names[:first]:
            turns[one].append(contenders[one]())
    wall = {one: [turn.amount / turn.seconds for turn in made] for one, made in turns.items()}
    processor = {one: [turn.amount / turn.processor_seconds for turn in made] for one, made in turns.items()}
    return Comparison(
        name, unit, rounds, {one: Spread.of(values) for one, values in wall.items()}, _ratios(wall), _ratios(processor),
        dict(facts or {}), {**machine(), "load_before": round(load, 2), "load_after": round(os.getloadavg()[0], 2)},
    )  # fmt: skip


def _ratios(rates: Mapping[str, list[float]]) -> dict[str, Spread]:
    ours, *others = rates
    pairs = {other: zip(rates[ours], rates[other], strict=True) for other in others}
    return {other: Spread.of([mine / theirs for mine, theirs in pair]) for other, pair in pairs.items()}


def machine() -> dict[str, Any]:
    """The processor by its type, not by the name somebody gave it."""
    listed = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":", 1)[1].strip() for line in listed.splitlines() if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "measured": date.today().isoformat(),
        **{library: metadata.version(library) for library in LIBRARIES},
    }


def keep(file: Path, found: Comparison) -> None:
    """Put a comparison into a results file, in the place of an earlier one of its name; print its line."""
    known = json.loads(file.read_text()) if file.exists() else {}
    known[found.name] = asdict(found)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    for other, ratio in found.ratios.items():
        processor = found.processor_ratios[other]
        print(
            f"{found.name}: {ratio.median:.2f}x ({ratio.least:.2f}-{ratio.greatest:.2f}) of {other}, "
            f"{processor.median:.2f}x ({processor.least:.2f}-{processor.greatest:.2f}) by processor time"
        )
    for one, rate in found.rates.items():
        print(f"    {one}: {rate.median:,.3g} {found.unit} ({rate.least:,.3g}-{rate.greatest:,.3g})")

"""Does the whole of XTREME-R, at its real size, go through on one small machine?

    python -m tests.benchmarks.full_size /tmp/full              # writes data, encodes it twice, runs the study
    python -m tests.benchmarks.full_size /tmp/full --scale 0.01

Synthetic text in the real sizes, languages and file formats (`full_size_data`); a small encoder that learned next to
nothing; the ordinary `study run`. Prints the encoding throughput of both passes, the time and the peak memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import psutil
import typer
from transformers import AutoTokenizer

from study.plan import build
from study.specfile import load
from study.store import Store
from tests.benchmarks import full_size_data
from trainables.config import EvaluationConfig
from trainables.data.root import Root
from trainables.encoded import Source, encoded
from trainables.encoding import Encoder
from trainables.tasks import get
from trainables.tasks.benchmark import XTREME_R

SPEC = Path(__file__).with_name("full_size.yaml")
SAMPLED_SECONDS = 2.0
"""Between two looks at the memory. A look reads every page table: twice a second it took 16 % of a processor."""


def main(folder: Path, scale: Annotated[float, typer.Option(help="Share of the real sizes.")] = 1.0) -> None:
    """Write, plan, encode, score, report; print what was measured as JSON."""
    root, runs = folder / "data", folder / "runs"
    started = time.perf_counter()
    written = full_size_data.write(root, scale)
    figures = {"scale": scale, "examples": written, "writing_seconds": round(time.perf_counter() - started, 1)}
    figures |= planned(root, runs)
    figures |= ran(root, runs)
    figures |= encoded_twice(root, runs)
    print(json.dumps(figures, indent=1))


def planned(root: Path, runs: Path) -> dict[str, object]:
    """Number of scored cells, by task."""
    spec = load(str(SPEC), changes={"storage": str(runs), "data": {"root": str(root)}})
    started = time.perf_counter()
    phases = build(spec, Store(str(runs / spec.name)))
    cells = [cell for phase in phases if isinstance(phase.config, EvaluationConfig) for cell in phase.config.cells]
    by_task = {task: sum(cell.task == task for cell in cells) for task in XTREME_R}
    return {"planning_seconds": round(time.perf_counter() - started, 1), "cells": by_task}


def ran(root: Path, runs: Path) -> dict[str, object]:
    """Seconds and peak memory of the whole `study run`, over all its processes."""
    command = [sys.executable, "-m", "study", "run", str(SPEC), "--data-root", str(root), "--storage", str(runs)]
    started, peak = time.perf_counter(), 0
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    while process.poll() is None:
        peak = max(peak, _memory(process.pid))
        with suppress(subprocess.TimeoutExpired):
            process.wait(SAMPLED_SECONDS)
    if process.returncode:
        raise SystemExit(process.returncode)
    return {"run_seconds": round(time.perf_counter() - started), "peak_gib": round(peak / 2**30, 1)}


def encoded_twice(root: Path, runs: Path) -> dict[str, object]:
    """Real tokens per second of encoding every test cell, reading included: at first, and again from what was kept."""
    model = next(runs.glob("full_size/phases/pretrain-xs-*/checkpoint"))
    tokenizer = AutoTokenizer.from_pretrained(model)
    spec = load(str(SPEC), changes={"storage": str(runs), "data": {"root": str(root)}})
    found = Root(str(root))
    tasks = [task for task in XTREME_R if get(task).head != "retrieve"]
    encoders = {task: Encoder(tokenizer, "encoder", spec.max_length(task)) for task in tasks}
    cells = [(task, language) for task in tasks for language in get(task).benchmark]
    speeds = []
    with tempfile.TemporaryDirectory() as snapshots:
        for _ in range(2):
            started, tokens = time.perf_counter(), 0
            for task, language in cells:
                split = encoded(Source(task, found, "test", language), encoders[task], snapshots)
                tokens += int(split.items.tokens.sum())
            speeds.append(tokens / (time.perf_counter() - started))
            encoded.cache_clear()
    first, second = speeds
    return {
        "encoded_cells": len(cells), "encoded_tokens": tokens, "first_tokens_per_second": round(first),
        "second_tokens_per_second": round(second), "second_over_first": round(second / first, 1),
    }  # fmt: skip


def _memory(pid: int) -> int:
    """Bytes held by a process and its descendants; shared pages are counted once."""
    total = 0
    for one in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except psutil.Error:
            continue
    return total


if __name__ == "__main__":
    typer.run(main)

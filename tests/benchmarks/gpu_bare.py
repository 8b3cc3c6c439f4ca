"""How fast and how large is a training step on a bare CUDA machine, against the plan, the roofline and HF Trainer?

    python -m tests.benchmarks.gpu_bare --shape qwen3/1.7b qwen3/8b qwen3/14b --out h200.json
    python -m tests.benchmarks.gpu_bare --shape tiny                    # on any CPU, in seconds: checks the script

Needs torch, transformers, peft, bitsandbytes and pydantic; no Ray, no MLflow, no network, no data: weights and
tokens are random. For every shape, in NF4:

* tokens/s of a training step without and with recompute, and its share of the roofline: 4 (6) operations per weight and
  token, plus attention, at the bf16 matrix product speed measured on the same machine;
* peak memory, beside what `study.memory` computes;
* real tokens/s on rows of mixed length, of length buckets under a token budget and of HF Trainer's defaults, in turns.

Writes JSON with the machine's name. Only what was measured is written; shapes that do not fit are named.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from study import memory
from study.activations import Precision
from study.calibrations import operations
from trainables import calibration
from trainables.batching import epoch_batches, within_budget
from trainables.config import Adapter, Architecture, Size
from trainables.encoding import Item, collate
from trainables.measured import Measured, Shape
from trainables.models.backbone import Backbone
from trainables.models.ladders import ladder
from trainables.models.randombase import random_base
from trainables.models.shape import resolved

TINY = Architecture(
    hidden=64, layers=2, heads=4, intermediate=128, kv_heads=2, vocabulary=512, positions=512, model_type="qwen3"
)
ADAPTER = Adapter(rank=16, alpha=32)
BATCH = 16
"""Rows of a step on mixed lengths, of both loops."""


def size_of(name: str) -> Size:
    """`tiny`, or ladder/size."""
    if name == "tiny":
        return Size(name="tiny", family="decoder", architecture=TINY)
    family, _, size = name.partition("/")
    return ladder(family).size(size)


def matmul_flops(device: torch.device) -> float:
    """FLOP/s of a square matrix product, the best of ten after warming up; bf16 on a GPU."""
    width, dtype = (8192, torch.bfloat16) if device.type == "cuda" else (512, torch.float32)
    a, b = torch.randn(2, width, width, device=device, dtype=dtype).unbind(0)
    times = []
    for _ in range(13):
        started = time.perf_counter()
        a @ b
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return 2 * width**3 / min(times[3:])


def step_facts(found: Measured, peak_flops: float, kind: str) -> dict[str, Any]:
    """One measured pass beside the roofline and the plan."""
    precision: Precision = "bf16" if kind == "cuda" else "fp32"
    need = memory.of(found.architecture, "nf4", found.adapter, precision)
    planned = need.peak(found.shape.tokens, found.shape.width, found.shape.recompute) - need.context
    return {
        "rows": found.shape.rows,
        "width": found.shape.width,
        "recompute": found.shape.recompute,
        "tokens_per_second": found.tokens_per_second,
        "step_seconds": found.seconds,
        "spread": found.spread,
        "share_of_roofline": operations(found) / found.seconds / peak_flops,
        "peak_bytes": found.peak_bytes,
        "planned_bytes": planned,
        "planned_over_measured": planned / found.peak_bytes,
        "base_bytes": found.base_bytes,
        "planned_base_bytes": need.weights,
    }


def mixed_rows(count: int, longest: int, vocabulary: int) -> list[np.ndarray]:
    """Rows of lognormal lengths, 10 to `longest`, median a fifth of the longest, as of sentence pairs."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(np.log(longest / 5), 0.7, count), 10, longest).astype(int)
    return [rng.integers(4, vocabulary, length, dtype=np.int32) for length in lengths]


def bucketed(base: Backbone, size: Size, rows: list[np.ndarray], budget: int, recompute: bool) -> float:
    """Seconds of one epoch: steps of rows of like length, cut into passes under a budget of padded tokens."""
    items = [Item((row,), label=number % 2) for number, row in enumerate(rows)]
    with calibration.training(base, size.family, ADAPTER, recompute) as (net, optimizer):
        calibration.step(net, optimizer, collate(items[:2], 0))
        started = time.perf_counter()
        for batch in epoch_batches([item.length for item in items], BATCH, seed=0, epoch=0):
            optimizer.zero_grad(set_to_none=True)
            chosen = [items[index] for index in batch]
            for cut in within_budget([item.length for item in chosen], [1] * len(chosen), budget):
                passed = collate([chosen[place] for place in cut], 0)
                (net.loss(passed, calibration.TASK).sum() / len(chosen)).backward()
            optimizer.step()
        _wait(net.device)
        return time.perf_counter() - started


class Naive(nn.Module):
    """What HF Trainer trains: a PEFT model and a linear head on the last token."""

    def __init__(self, model: Any, hidden: int) -> None:
        super().__init__()
        self.model = model
        self.score = nn.Linear(hidden, 2)

    def forward(self, input_ids: Any, attention_mask: Any, labels: Any) -> dict[str, Any]:
        states = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        last = states[torch.arange(len(states)), attention_mask.sum(1) - 1]
        return {"loss": nn.functional.cross_entropy(self.score(last.float()), labels)}


def trainer(base: Backbone, rows: list[np.ndarray]) -> float:
    """Seconds of one epoch of HF Trainer as it comes: random batches padded to their longest, prepared as PEFT says."""
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    from transformers import Trainer, TrainingArguments

    prepared = prepare_model_for_kbit_training(base.model, use_gradient_checkpointing=base.device.type == "cuda")
    config = LoraConfig(r=ADAPTER.rank, lora_alpha=ADAPTER.alpha, target_modules="all-linear")
    model = get_peft_model(prepared, config)
    data = [{"input_ids": row.astype("int64"), "labels": number % 2} for number, row in enumerate(rows)]

    def pad(found: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        batch = collate([Item((one["input_ids"],)) for one in found], 0)
        labels = torch.tensor([one["labels"] for one in found])
        return {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, "labels": labels}

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, per_device_train_batch_size=BATCH, num_train_epochs=1, report_to=[], save_strategy="no",
            bf16=base.device.type == "cuda", use_cpu=base.device.type == "cpu", logging_strategy="no",
            remove_unused_columns=False, disable_tqdm=True,
        )  # fmt: skip
        made = Trainer(Naive(model, base.hidden), arguments, train_dataset=data, data_collator=pad)
        started = time.perf_counter()
        made.train()
        _wait(base.device)
        return time.perf_counter() - started


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def mixed_facts(base: Backbone, size: Size, passes: list[Shape], options: argparse.Namespace) -> dict[str, Any]:
    """Real tokens/s of both loops on the same rows, in turns; the pass is as large as it was measured to fit."""
    best = max(passes, key=lambda one: (not one.recompute, one.tokens))
    rows = mixed_rows(options.mixed, min(options.width, 256), base.output_embedding.shape[0])
    tokens = sum(map(len, rows))
    ours, theirs = [], []
    for _ in range(options.turns):
        ours.append(tokens / bucketed(base, size, rows, best.tokens, best.recompute))
    for _ in range(options.turns):
        # A fresh base: PEFT's preparation turns its norms and embedding into fp32, for good.
        theirs.append(tokens / trainer(random_base(size, "nf4", base.device), rows))
    ratio = statistics.median(ours) / statistics.median(theirs)
    return {"rows": len(rows), "real_tokens": tokens, "bucketed": ours, "hf_trainer": theirs, "ratio": ratio}


def shape_facts(name: str, options: argparse.Namespace, peak_flops: float) -> dict[str, Any]:
    """Everything about one shape; where memory ran out, that it did."""
    size, device = size_of(name), calibration.device()
    started = time.perf_counter()
    base = random_base(size, "nf4", torch.device(device.kind))
    made = time.perf_counter() - started
    points, full = [], []
    for recompute in (False, True):
        for rows in options.rows:
            shape = Shape(rows=rows, width=options.width, recompute=recompute)
            try:
                points.append(calibration.measure(base, size, "nf4", ADAPTER, shape, options.seconds))
            except torch.OutOfMemoryError:
                torch.cuda.empty_cache()
                full.append(shape.model_dump())
    found = {
        "shape": name,
        "architecture": resolved(size).model_dump(),
        "making_seconds": made,
        "passes": [step_facts(one, peak_flops, device.kind) for one in points],
        "out_of_memory": full,
    }
    if options.mixed and points:
        found["mixed"] = mixed_facts(base, size, [one.shape for one in points], options)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--shape", nargs="+", default=["qwen3/1.7b", "qwen3/8b", "qwen3/14b"], help="tiny or ladder/size"
    )
    parser.add_argument("--rows", nargs="+", type=int, default=[8, 32], help="rows of a pass")
    parser.add_argument("--width", type=int, default=512, help="tokens of a row")
    parser.add_argument("--seconds", type=float, default=8.0, help="per pass")
    parser.add_argument("--mixed", type=int, default=128, help="rows of mixed length per loop; 0: leave this out")
    parser.add_argument("--turns", type=int, default=2, help="how often each loop runs on them")
    parser.add_argument("--out", help="file for the JSON; default: the screen")
    options = parser.parse_args()
    device = calibration.device()
    peak = matmul_flops(torch.device(device.kind))
    found: dict[str, Any] = {
        "machine": device.model_dump(),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: metadata.version(name) for name in ("torch", "transformers", "peft", "bitsandbytes")},
        "matmul_tflops": peak / 1e12,
        "shapes": [],
    }
    for name in options.shape:
        print(f"{name} on {device.name}", file=sys.stderr, flush=True)
        found["shapes"].append(shape_facts(name, options, peak))
        if device.kind == "cuda":
            torch.cuda.empty_cache()
        if options.out:  # after every shape: a run that is cut short keeps what it has
            Path(options.out).write_text(json.dumps(found, indent=1))
    if not options.out:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

"""How near is the memory plan to what a training step takes? Every network type, in both precisions, side by side.

    python -m tests.benchmarks.memory_plan                  # some minutes on one core; a table, and JSON with --out

Measured on a CPU: the base by the bytes of its tensors, a step by watching every tensor that is made (the fullest
moment of forward and backward pass). `bf16` runs what a GPU runs (bf16 base, fp32 adapter, bf16 autocast) on CPU
kernels: what a CUDA kernel takes inside one operation is not in these figures; `gpu_bare` measures that.
"""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from study import memory
from study.activations import Precision
from study.show import table
from tests.memory_measured import base_of, count, small
from trainables import calibration
from trainables.config import Adapter
from trainables.models.shape import MODEL_TYPES

ROWS, WIDTH, ADAPTER = 16, 128, Adapter(rank=16, alpha=32)
WIDTHS = {"hidden": 256, "layers": 4, "heads": 8, "intermediate": 768, "vocabulary": 2000}


@dataclass(frozen=True)
class Line:
    """Bytes, planned and measured, of one network."""

    network: str
    precision: Precision
    recompute: bool
    base: int
    planned_base: float
    step: int
    planned_step: float


def compared(kind: str, precision: Precision) -> list[Line]:
    size = small(kind, **WIDTHS)
    base = base_of(size, precision)
    need = memory.of(size.architecture, "nf4", ADAPTER, precision)
    found = []
    for recompute in (False, True):
        step = count(base, size, ADAPTER, ROWS, WIDTH, recompute, precision).peak
        # The watched step makes gradients, but neither optimiser state nor (inside CPU kernels) dequantised matrices.
        planned = ROWS * WIDTH * need.per_token(WIDTH, recompute) + need.adapter / 4
        weights = calibration.resident(base.model)
        found.append(Line(kind, precision, recompute, weights, need.weights, step, planned))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", nargs="+", default=list(MODEL_TYPES))
    parser.add_argument("--out", help="file for the JSON")
    options = parser.parse_args()
    lines = [one for kind in options.network for precision in memory.BYTES for one in compared(kind, precision)]
    table(
        ("network", "precision", "recompute", "base MB", "planned", "step MB", "planned", "ratio"),
        [
            (
                one.network,
                one.precision,
                "yes" if one.recompute else "no",
                f"{one.base / 1e6:.3f}",
                f"{one.planned_base / 1e6:.3f}",
                f"{one.step / 1e6:.2f}",
                f"{one.planned_step / 1e6:.2f}",
                f"{one.planned_step / one.step:.3f}",
            )
            for one in lines
        ],
    )
    if options.out:
        facts = {"torch": metadata.version("torch"), "machine": platform.machine(), "lines": [asdict(x) for x in lines]}
        Path(options.out).write_text(json.dumps(facts, indent=1))


if __name__ == "__main__":
    main()

"""How long does it take to have a quantised base: from our snapshot, and by quantising the published weights?

    python -m tests.benchmarks.snapshot [--out bench.json] [--rounds 5]

A decoder of 110 million random bfloat16 weights. Ours is `trainables.models.backbone.load`, checksums included; the
other `AutoModel.from_pretrained` with the same quantization config, which quantises every time. Files are in the
page cache for both. Both must say the same, to the last bit.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer, BitsAndBytesConfig, LlamaConfig, LlamaModel

from tests import tokenizers
from tests.benchmarks.side_by_side import Comparison, Turn, Watch, compare, keep
from trainables.models.backbone import load

SHAPE = {
    "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 2048,
    "vocab_size": 32_000,
}  # fmt: skip
MODES = ("causal", "bidirectional")
"""A process keeps the last base it loaded. Asked for the two modes in turn, it has to load each time."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        keep(asked.out, measured(Path(folder), SHAPE, asked.rounds))


def measured(folder: Path, shape: dict[str, int], rounds: int) -> Comparison:
    """Writes its model into `folder`."""
    source, snapshots = str(folder / "model"), str(folder / "snapshots")
    torch.manual_seed(0)
    LlamaModel(LlamaConfig(**shape)).to(torch.bfloat16).save_pretrained(source)
    tokenizers.make("words").save_pretrained(source)

    def ours() -> Turn:
        watch = Watch()
        watch.start()
        for mode in MODES:
            load(source, snapshots, "nf4", mode)
        return watch.stop(len(MODES))

    def quantised() -> Turn:
        watch = Watch()
        watch.start()
        for _ in MODES:
            quantise(source)
        return watch.stop(len(MODES))

    _check(load(source, snapshots, "nf4", "causal").model, quantise(source))
    return compare("snapshot", "loads/s", {"ours": ours, "quantised on loading": quantised}, rounds, dict(shape))


def quantise(source: str) -> torch.nn.Module:
    """What loading is without a snapshot."""
    config = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if torch.cuda.is_available() else torch.float32,
    )  # fmt: skip
    AutoTokenizer.from_pretrained(source)
    model = AutoModel.from_pretrained(source, dtype="auto", use_safetensors=True, quantization_config=config)
    return model.to("cuda") if torch.cuda.is_available() else model


def _check(one: torch.nn.Module, other: torch.nn.Module) -> None:
    codes, others = ({n: p for n, p in m.named_parameters() if p.dtype == torch.uint8} for m in (one, other))
    if not codes or codes.keys() != others.keys() or any(not codes[n].equal(others[n]) for n in codes):
        raise SystemExit("the snapshot does not hold the weights that quantising on loading gives")


if __name__ == "__main__":
    main()

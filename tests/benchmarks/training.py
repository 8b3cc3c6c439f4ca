"""How many real tokens a second does our loop train, and how many does HF Trainer with PEFT?

    python -m tests.benchmarks.training [--out bench.json] [--rounds 5] [--steps 12]

The same network (base, adapter, head, in one precision), the same data, 16 examples to a step, AdamW, clipping and a
linear schedule for all of them; the loop and the objective are those of `trainables.phase`. Against

* HF Trainer as it comes: random order, a batch padded to its longest row (`DataCollatorWithPadding`);
* HF Trainer with `train_sampling_strategy="group_by_length"`.

A turn trains on batches taken evenly, by length, from a whole epoch of 3200 examples: of our epoch and, for the
Trainer, of the order its own sampler gives that epoch. An epoch so small that a turn could train all of it would
leave Trainer's sampler, and ours, too little to sort.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import RandomSampler
from transformers import DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_pt_utils import LengthGroupedSampler

from tests.benchmarks import mixed_lengths
from tests.benchmarks.mixed_lengths import TASK
from tests.benchmarks.side_by_side import Comparison, Contender, Turn, Watch, compare, keep
from trainables import loop
from trainables.batching import Stream, epoch_batches
from trainables.config import Runtime
from trainables.encoding import Items
from trainables.models.backbone import Backbone
from trainables.models.network import Network
from trainables.objective import Tuning

EXAMPLES, BATCH, SEED, RATE, CLIP = 3200, 16, 0, 1e-4, 1.0
Batches = list[list[int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=12)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        mixed_lengths.write_net(Path(folder, "model"))
        keep(asked.out, measured(Path(folder), EXAMPLES, asked.steps, asked.rounds))


def measured(folder: Path, examples: int, steps: int, rounds: int) -> Comparison:
    """`folder` holds the net in model/."""
    backbone, items = mixed_lengths.base(folder), mixed_lengths.items(examples)
    lengths = items.lengths.tolist()
    grouped = LengthGroupedSampler(BATCH, lengths=lengths, generator=torch.Generator().manual_seed(SEED))
    random = RandomSampler(range(examples), generator=torch.Generator().manual_seed(SEED))
    epochs = {
        "ours": epoch_batches(lengths, BATCH, SEED, 0),
        "HF Trainer, defaults": _batches(list(random)),
        "HF Trainer, group_by_length": _batches(list(grouped)),
    }
    chosen = {name: evenly(epoch, lengths, steps) for name, epoch in epochs.items()}
    contenders: dict[str, Contender] = {
        name: _ours(backbone, items, batches, folder) if name == "ours" else _trainer(backbone, items, batches, folder)
        for name, batches in chosen.items()
    }
    shares = {name: [round(padding(of[name], lengths), 3) for of in (epochs, chosen)] for name in epochs}
    facts = {
        **mixed_lengths.FACTS, "examples": examples, "examples_per_step": BATCH, "steps": steps, "dtype": "float32",
        "padding_of_epoch_and_of_turn": shares,
    }  # fmt: skip
    return compare("training", "real tokens/s", contenders, rounds, facts)


def _batches(order: Sequence[int]) -> Batches:
    return [list(order[start : start + BATCH]) for start in range(0, len(order) - BATCH + 1, BATCH)]


def evenly(batches: Batches, lengths: Sequence[int], count: int) -> Batches:
    """`count` of the batches, at equal distances in the order of their padded sizes.

    Of the ways to do so it is the one whose share of padding is nearest to that of all batches.
    """
    ordered = sorted(batches, key=lambda batch: max(lengths[index] for index in batch))
    stride = len(ordered) // count
    ways = [ordered[first::stride][:count] for first in range(stride)]
    return min(ways, key=lambda way: abs(padding(way, lengths) - padding(batches, lengths)))


def padding(batches: Batches, lengths: Sequence[int]) -> float:
    """Share of the tokens that are padding."""
    padded = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    return 1 - _tokens(batches, lengths) / padded


def _tokens(batches: Batches, lengths: Sequence[int]) -> int:
    return sum(lengths[index] for batch in batches for index in batch)


def _ours(backbone: Backbone, items: Items, batches: Batches, folder: Path) -> Contender:
    stream = Stream(items.lengths.tolist(), BATCH, SEED, lambda *_: batches)

    def turn() -> Turn:
        with mixed_lengths.trainable(backbone) as net:
            turns = [(TASK, number) for number in range(len(batches))]
            tuning = Tuning(net, backbone, {TASK: items}, {TASK: stream}, None, turns, Runtime().micro_tokens)
            trained = _trained(net)
            run = loop.Run(
                steps=len(batches), seed=SEED, clip=CLIP, schedule=loop.Schedule(len(batches), 0.0), tensors=trained,
                optimizers=(torch.optim.AdamW(list(trained.values()), RATE, fused=True),),
                resume=str(folder / "resume"), checkpoint_seconds=3600.0,
            )  # fmt: skip
            watch = Watch()
            watch.start()
            trace = loop.train(run, tuning, lambda event: None)
            return watch.stop(trace.tokens)

    return turn


def _trained(net: Network) -> dict[str, torch.Tensor]:
    parts = {"model": net.model, "heads": net.heads}
    named = [(f"{part}.{name}", value) for part, module in parts.items() for name, value in module.named_parameters()]
    return {name: value for name, value in named if value.requires_grad}


class Classifier(nn.Module):
    """Our network in the form that Trainer expects."""

    def __init__(self, net: Network) -> None:
        super().__init__()
        self.model, self.head = net.model, net.heads[TASK]

    def forward(self, input_ids: Any, attention_mask: Any, labels: Any) -> dict[str, Any]:
        states = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits = self.head.score(states[:, 0].float())
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


class Clock(TrainerCallback):
    """Starts when Trainer has made its preparations."""

    def __init__(self) -> None:
        self.watch = Watch()

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.watch.start()


def _trainer(backbone: Backbone, items: Items, batches: Batches, folder: Path) -> Contender:
    """HF Trainer with its defaults, over rows that its sampler has put in order."""
    lengths = items.lengths.tolist()
    rows = [_row(items, index) for batch in batches for index in batch]
    settings = TrainingArguments(
        output_dir=str(folder / "trainer"), max_steps=len(batches), per_device_train_batch_size=BATCH,
        learning_rate=RATE, train_sampling_strategy="sequential", use_cpu=not torch.cuda.is_available(),
        save_strategy="no", report_to="none", disable_tqdm=True, logging_strategy="no", seed=SEED,
    )  # fmt: skip
    collator: Callable[..., Any] = DataCollatorWithPadding(backbone.tokenizer)

    def turn() -> Turn:
        with mixed_lengths.trainable(backbone) as net:
            clock = Clock()
            model = Classifier(net)
            Trainer(model, settings, data_collator=collator, train_dataset=rows, callbacks=[clock]).train()  # type: ignore[arg-type]
            return clock.watch.stop(_tokens(batches, lengths))

    return turn


def _row(items: Items, index: int) -> dict[str, Any]:
    [ids] = items[index].rows
    return {"input_ids": ids.tolist(), "attention_mask": [1] * len(ids), "labels": items[index].label}


if __name__ == "__main__":
    main()

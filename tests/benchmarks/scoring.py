"""How many real tokens a second are scored, and how many when every row is padded to 384, as benchmark scripts do?

    python -m tests.benchmarks.scoring [--out bench.json] [--rounds 5]
    python -m tests.benchmarks.scoring --budgets            # which token budget is best on this machine?

Ours is what an evaluation does with the cells of a task: three cells, sorted as one list, cut under the token budget of
the device. Against batches of 32 in the order of the data set, padded to 384 or to their longest row. Those are timed
on a sample of the rows with the same lengths: how long they take per row does not depend on how many there are.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tests.benchmarks import mixed_lengths
from tests.benchmarks.mixed_lengths import FIXED, TASK
from tests.benchmarks.side_by_side import Comparison, Contender, Turn, Watch, compare, keep
from trainables import scoring
from trainables.encoding import Batch, Item, Items, collate
from trainables.models.network import Network

CELLS, ROWS, FEWER, BATCH = 3, 512, 160, 32
"""Cells, rows in each; rows that the slower contenders are timed on, and how many of them at a time."""
BUDGETS = (1024, 2048, 4096, 8192, 16384, 32768)
AGREE = 1e-5
"""Largest difference between logits of the same row: float32 sums in another order."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budgets", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        mixed_lengths.write_net(Path(folder, "model"))
        run = budgets if asked.budgets else measured
        keep(asked.out, run(Path(folder), ROWS, FEWER, asked.rounds))


def measured(folder: Path, rows: int, fewer: int, rounds: int) -> Comparison:
    """`folder` holds the net in model/."""
    backbone = mixed_lengths.base(folder)
    cells = [mixed_lengths.items(rows, seed) for seed in range(CELLS)]
    everything = Items.joined(cells)
    sample = _sample(everything, fewer)
    pad_id, budget = backbone.tokenizer.pad_token_id, scoring.budget(backbone.device)
    with mixed_lengths.trainable(backbone) as net:
        net.model.eval()
        ours = _in_order(net, Items.of(sample), pad_id, budget)
        theirs = [_logits(net, _in_batches(sample, pad_id, widen)) for widen in (True, False)]
        apart = max((one - ours).abs().max().item() for one in theirs)
        if apart > AGREE:
            raise SystemExit(f"logits differ by {apart:.1e}, more than {AGREE:.0e}: not the same work")
        contenders: dict[str, Contender] = {
            "ours": lambda: _sorted(net, everything, pad_id, budget),
            f"padded to {FIXED}": lambda: _batches(net, sample, pad_id, widen=True),
            "padded to the longest of the batch": lambda: _batches(net, sample, pad_id, widen=False),
        }
        facts = {**mixed_lengths.FACTS, "rows": CELLS * rows, "rows_of_others": fewer, "batch_of_others": BATCH,
                 "budget": budget, "dtype": "float32", "largest_difference_of_logits": apart}  # fmt: skip
        return compare("scoring", "real tokens/s", contenders, rounds, facts)


def budgets(folder: Path, rows: int, fewer: int, rounds: int) -> Comparison:
    """The same rows under several budgets; the budget of the device first."""
    backbone = mixed_lengths.base(folder)
    everything = Items.joined([mixed_lengths.items(rows, seed) for seed in range(CELLS)])
    pad_id, chosen = backbone.tokenizer.pad_token_id, scoring.budget(backbone.device)
    with mixed_lengths.trainable(backbone) as net:
        net.model.eval()

        def under(budget: int) -> Contender:
            return lambda: _sorted(net, everything, pad_id, budget)

        others = [budget for budget in BUDGETS if budget != chosen]
        contenders = {f"{budget} tokens": under(budget) for budget in (chosen, *others)}
        return compare("budgets", "real tokens/s", contenders, rounds, {**mixed_lengths.FACTS, "rows": CELLS * rows})


def _sample(items: Items, count: int) -> list[Item]:
    """Rows at equal distances in the order of their lengths, in the order of the data set."""
    ordered = np.argsort(items.lengths, kind="stable")
    places = (np.arange(count) + 0.5) * len(ordered) / count
    return [items[index] for index in sorted(ordered[places.astype(int)].tolist())]


def _sorted(net: Network, items: Items, pad_id: int, budget: int) -> Turn:
    watch = Watch()
    watch.start()
    scoring.predict(net, TASK, items, pad_id, budget)
    return watch.stop(int(items.tokens.sum()))


def _batches(net: Network, items: Sequence[Item], pad_id: int, widen: bool) -> Turn:
    watch = Watch()
    watch.start()
    for batch in _in_batches(items, pad_id, widen):
        net.predict(batch, TASK)
    return watch.stop(sum(item.tokens for item in items))


def _in_batches(items: Sequence[Item], pad_id: int, widen: bool) -> Iterator[Batch]:
    for at in range(0, len(items), BATCH):
        batch = collate(items[at : at + BATCH], pad_id)
        yield _widened(batch, pad_id) if widen else batch


def _widened(batch: Batch, pad_id: int) -> Batch:
    """The batch, padded to 384."""
    room = (0, FIXED - batch.input_ids.shape[1])
    ids = torch.nn.functional.pad(batch.input_ids, room, value=pad_id)
    return Batch(ids, torch.nn.functional.pad(batch.attention_mask, room), batch.items, batch.tokens, batch.groups)


@torch.no_grad()
def _logits(net: Network, batches: Iterable[Batch]) -> Tensor:
    return torch.cat([net.heads[TASK](net.hidden(batch), batch) for batch in batches])


@torch.no_grad()
def _in_order(net: Network, items: Items, pad_id: int, budget: int) -> Tensor:
    """Logits of our passes, in the order of the rows."""
    found = torch.empty(len(items), len(mixed_lengths.LABELS))
    for indices, batch in scoring.passes(items, pad_id, budget):
        found[indices] = net.heads[TASK](net.hidden(batch), batch)
    return found


if __name__ == "__main__":
    main()

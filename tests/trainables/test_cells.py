"""Cells predicted together: the answers of each alone, to the last bit the same after a kill, and bounded."""

from pathlib import Path

import pandas
import pytest
import torch

from trainables import cells, phase, scoring
from trainables.config import Adapter, Cell, EvaluationConfig, Runtime
from trainables.data.root import Root
from trainables.encoded import Source, encoded
from trainables.encoding import Encoder, Items
from trainables.evaluate import evaluate
from trainables.models.backbone import load
from trainables.models.network import Network, network

LANGUAGES = ("en", "xa", "xb", "xd")


def config(world, *cells, task="udpos"):
    return EvaluationConfig(
        ladder="lab", size=world.size, quantization="nf4", attention="causal",
        max_length={task: 64}, cells=tuple(Cell(task=task, language=name, split="test") for name in cells),
    )  # fmt: skip


@pytest.fixture
def trained(places, tune_config):
    def make(name, rate=3e-3):
        return phase.train(tune_config("udpos"), rate, places(name), Runtime(), lambda e: None).checkpoint

    return make


@pytest.fixture
def seen(monkeypatch):
    """Number of items of every pass from now on."""
    sizes, predict = [], Network.predict

    def counted(net, batch, task):
        sizes.append(len(batch.items))
        return predict(net, batch, task)

    monkeypatch.setattr(Network, "predict", counted)
    return sizes


def frames(places):
    return {path.name: pandas.read_parquet(path) for path in sorted(Path(places.output, "predictions").iterdir())}


def stripped(scores):
    return [score.model_copy(update={"seconds": 0.0}) for score in scores]


def test_cells_together_say_what_each_says_alone_in_fewer_passes(world, places, trained, seen):
    checkpoint = trained("trained")
    together, alone = places("together", checkpoint), places("alone", checkpoint)
    seen.clear()
    found = evaluate(config(world, *LANGUAGES), together, Runtime(), lambda e: None)
    shared = len(seen)
    expected = [
        score for name in LANGUAGES for score in evaluate(config(world, name), alone, Runtime(), lambda e: None)
    ]
    assert shared < len(seen) - shared
    for one, other in zip(found, expected, strict=True):
        assert (one.language, one.score, one.examples, one.tokens) == (
            other.language, other.score, other.examples, other.tokens
        )  # fmt: skip
        assert one.details == other.details
    assert sum(one.flops for one in found) < sum(one.flops for one in expected), "less is padding"
    for (name, frame), (_, other) in zip(frames(together).items(), frames(alone).items(), strict=True):
        pandas.testing.assert_frame_equal(frame, other, obj=name)


def test_company_moves_no_logit_and_every_flop_is_counted(world, places, trained):
    checkpoint = trained("trained")
    base = load(world.backbone, world.snapshots, "nf4", "causal")
    encoder = Encoder(base.tokenizer, world.size.family, 64)
    root = Root(world.root)
    parts = [encoded(Source("udpos", root, "test", name), encoder, world.snapshots).items for name in LANGUAGES]

    @torch.no_grad()
    def logits(net, items):
        found = [None] * len(items)
        for indices, batch in scoring.passes(items, base.tokenizer.pad_token_id, 512):
            rows = net.heads["udpos"].score(net.hidden(batch).float())
            for place, index in enumerate(indices):
                found[index] = rows[place, : len(items[index].rows[0])]
        return torch.cat(found)

    with network(base, Adapter(), checkpoint, {}, world.size.family, trainable=False) as net:
        net.model.eval()
        together = logits(net, Items.joined(parts))
        alone = torch.cat([logits(net, part) for part in parts])
        before = net.spent
        _, flops = scoring.priced(net, "udpos", Items.joined(parts), base.tokenizer.pad_token_id, 512)
        assert flops.sum() == pytest.approx(net.spent - before), "every FLOP is of some item"
    assert together.shape == alone.shape
    assert (together - alone).abs().max() <= 1e-6 * alone.abs().max().clamp(min=1)


@pytest.mark.parametrize("task", ["udpos", "tatoeba"])
def test_a_kill_between_the_cells_of_a_task_changes_no_bit(world, places, trained, task):
    checkpoint = trained("trained")
    languages = [name for name in LANGUAGES if name != "en" or task == "udpos"]
    asked = config(world, *languages, task=task)
    whole = evaluate(asked, places("whole", checkpoint), Runtime(), lambda e: None)
    events = []

    def kill(event):
        events.append(event["cell"])
        if len(events) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(asked, places("cut", checkpoint), Runtime(), kill)
    again = evaluate(asked, places("cut", checkpoint), Runtime(), lambda e: events.append(e["cell"]))
    assert events == [f"{task}/{name}" for name in languages], "what was scored is not scored again"
    assert stripped(again) == stripped(whole)
    for path in Path(places("whole").output, "predictions").iterdir():
        assert path.read_bytes() == Path(places("cut").output, "predictions", path.name).read_bytes()


def test_what_a_kill_can_lose_is_bounded(world, places, trained, seen, monkeypatch):
    checkpoint = trained("trained")
    monkeypatch.setattr(cells, "PASSES", 1)
    monkeypatch.setitem(scoring.TOKENS, "cpu", 64)
    seen.clear()
    done = []

    def report(event):
        done.append(sum(seen))

    scores = evaluate(config(world, *LANGUAGES), places("scores", checkpoint), Runtime(), report)
    assert all(one.tokens > 64 for one in scores)
    examples = torch.tensor([one.examples for one in scores])
    assert done == examples.cumsum(0).tolist(), "no cell is begun before the one before it is written"


def test_adapters_are_swapped_on_one_base(world, places, trained):
    first, second = trained("first"), trained("second", 1e-2)
    base = load(world.backbone, world.snapshots, "nf4", "causal")
    found = [
        evaluate(config(world, *LANGUAGES), places(name, parent), Runtime(), lambda e: None)
        for name, parent in (("a", first), ("b", second), ("c", first))
    ]
    assert load(world.backbone, world.snapshots, "nf4", "causal") is base, "the base was loaded again"
    assert stripped(found[0]) == stripped(found[2])
    assert stripped(found[0]) != stripped(found[1])

"""Every model family with every head kind: trains quantised, reloads to the same answers, leaves the base alone."""

import hashlib
from contextlib import contextmanager
from types import SimpleNamespace

import bitsandbytes
import numpy as np
import pytest
import torch
from peft import PeftModel
from torch import nn

from tests import models
from trainables import scoring
from trainables.config import Adapter
from trainables.encoding import Encoder, Items, collate
from trainables.errors import CheckpointError, ModelError
from trainables.models import backbone as backbones
from trainables.models import network as networks
from trainables.models import snapshots
from trainables.models.heads import HeadSpec
from trainables.runningtext import LanguageModelling
from trainables.tasks.examples import Answer, Choice, Match, Pair, Question, Tagged

CHOICES = [
    Choice(
        str(i),
        "the cat sat " + "on the mat " * (i % 3),
        ("it was warm", "because the mat", "a b c")[: 2 + i % 2],
        i % 2,
    )
    for i in range(12)
]
PAIRS = [
    Pair(str(i), "the cat sat", ("on the mat", "it was warm")[i % 2] + " a b" * (i % 3), ("no", "yes")[i % 2])
    for i in range(12)
]
SENTENCES = [
    Tagged(str(i), ("the", "cat", "sat", "on")[: 2 + i % 3], ("X", "NOUN", "VERB", "X")[: 2 + i % 3]) for i in range(12)
]
CONTEXT = "the cat sat on the mat because it was warm der Hund läuft aber die Katze schläft so ruhig " * 2
QUESTIONS = [
    Question(
        str(i),
        ("a b c", "x y z", "a b c", "der Hund")[i % 4],
        ("a b c " * (i % 3) + CONTEXT)[: 60 + 12 * i],
        () if i % 4 == 3 else (Answer("mat", 6 * (i % 3) + CONTEXT.index("mat")),),
    )
    for i in range(12)
]
MATCHES = [
    Match(str(i), f"{a} {b}", f"it was {a} because {b}")
    for i, (a, b) in enumerate(zip("abcdefghijkl", "mnopqrstuvwx", strict=True))
]
TEXT = ["the cat sat on the mat because it was warm " * (1 + i % 2) for i in range(12)]
HEADS = {
    "choose": ("picking", CHOICES, None),
    "classify": ("sorting", PAIRS, HeadSpec("classify", ("no", "yes"))),
    "tag": ("tagging", SENTENCES, HeadSpec("tag", ("NOUN", "VERB", "X"))),
    "span": ("asking", QUESTIONS, HeadSpec("span", unanswerable=True)),
    "match": ("finding", MATCHES, HeadSpec("match")),
    "text": ("text", TEXT, None),
}
PREDICTING = ["choose", "classify", "tag", "span"]


def spec_of(family, head):
    """The kinds of two heads depend on the family."""
    kinds = {"choose": ("lm", "pooled"), "text": ("clm", "mlm")}
    return HEADS[head][2] or HeadSpec(kinds[head][family == "encoder"])


@pytest.fixture(params=models.FAMILIES, scope="module")
def place(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    source = models.save(folder / "model", request.param)
    return SimpleNamespace(family=request.param, source=source, snapshots=str(folder / "snapshots"))


def load(place, quantization="nf4"):
    return backbones.load(place.source, place.snapshots, quantization, models.attention(place.family))


def encode(place, head, tokenizer):
    """The examples of a head as items."""
    examples = HEADS[head][1]
    encoder = Encoder(tokenizer, place.family, 32 if head == "span" else 64)
    if head != "text":
        return encoder.encode(examples, spec_of(place.family, head).labels)
    asked = LanguageModelling.of(tokenizer, causal=place.family == "decoder")
    return Items.of([asked.about(item, np.random.default_rng(n)) for n, item in enumerate(encoder.texts(examples))])


def answers_of(net, task, items, tokens):
    """What the network says about every item: a prediction, or where there is none the rows' embeddings or losses."""
    if net.specs[task].kind == "match":
        net.model.eval()
        passes = scoring.passes(items, 1, tokens)
        rows = {i: net.heads[task].embed(net.hidden(batch), batch).split(2) for [i, *_], batch in passes}
        return [rows[i][0].tolist() for i in sorted(rows)]
    if task == "text":
        net.model.eval()
        return net.loss(collate(items, 1), task).tolist()
    return scoring.predict(net, task, items, 1, tokens)


@contextmanager
def opened(place, head, parent=None, trainable=True):
    task = HEADS[head][0]
    base = load(place)
    torch.manual_seed(1)
    wanted = {task: spec_of(place.family, head)}
    with networks.network(base, Adapter(rank=4), parent, wanted, place.family, trainable) as net:
        yield net, task, encode(place, head, base.tokenizer), base


def fit(net, task, items, steps=12):
    tensors = [value for value in [*net.model.parameters(), *net.heads.parameters()] if value.requires_grad]
    optimizer = torch.optim.AdamW(tensors, lr=1e-2)
    losses = []
    net.model.train()
    for _ in range(steps):
        loss = net.loss(collate(items, 1), task).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def digest(model: nn.Module) -> str:
    """Of every tensor of the base, adapters left out."""
    total = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        if "lora_" not in name:
            # an attached adapter renames what it wraps, not the bytes
            total.update(value.cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


@pytest.mark.parametrize("head", HEADS)
def test_trains_saves_and_reloads_to_the_same_answers(place, head, tmp_path):
    before = digest(load(place).model)
    with opened(place, head) as (net, task, items, base):
        assert any(isinstance(module, bitsandbytes.nn.Linear4bit) for module in net.model.modules())
        assert not any(isinstance(module, bitsandbytes.nn.Linear4bit) for module in net.heads.modules())
        losses = fit(net, task, items)
        assert losses[-1] < losses[0] * 0.9
        net.save(str(tmp_path))
        answers = answers_of(net, task, items, 200)
        hidden = net.hidden(collate(items, 1)).detach()
    assert digest(load(place).model) == before, "training must not touch the base"
    backbones.forget()
    with opened(place, head, parent=str(tmp_path), trainable=False) as (net, task, items, _):
        assert net.specs == {task: spec_of(place.family, head)}
        assert torch.equal(net.hidden(collate(items, 1)), hidden)
        assert answers_of(net, task, items, 200) == answers


@pytest.mark.parametrize("head", HEADS)
def test_padding_and_company_change_no_answer(place, head):
    with opened(place, head) as (net, task, items, _):
        fit(net, task, items)
        net.model.eval()
        groups = [6, 6] if head == "match" else [1] * 12
        together = net.loss(collate(items, 1, groups), task)
        firsts = [sum(groups[:number]) for number in range(len(groups))]
        cut = [collate(items[first : first + size], 1) for first, size in zip(firsts, groups, strict=True)]
        alone = torch.cat([net.loss(batch, task) for batch in cut])
        assert torch.allclose(together, alone, atol=1e-5)
        if head in PREDICTING:
            assert scoring.predict(net, task, items, 1, 1) == scoring.predict(net, task, items, 1, 10**6)


def test_a_trained_span_head_finds_its_answers_and_says_when_there_is_none(place):
    with opened(place, "span") as (net, task, items, _):
        fit(net, task, items, steps=60)
        found = scoring.predict(net, task, items, 1, 1000)
        texts = [example.context[slice(*span)] if span else "" for example, span in zip(QUESTIONS, found, strict=True)]
        wanted = [example.answers[0].text if example.answers else "" for example in QUESTIONS]
        assert sum(text == gold for text, gold in zip(texts, wanted, strict=True)) >= 11
        net.heads[task].unanswerable = False
        assert None not in scoring.predict(net, task, items, 1, 1000)


def test_a_context_without_tokens_is_answered_by_nothing(place):
    with opened(place, "span") as (net, task, _, base):
        items = Encoder(base.tokenizer, place.family, 32).encode(
            [Question("1", "a b", "", (Answer("x", 0),)), Question("2", "a b", "it was warm", (Answer("warm", 7),))]
        )
        assert torch.isfinite(net.loss(collate(items, 1), task)).all()
        assert scoring.predict(net, task, items, 1, 100)[0] is None
        net.heads[task].unanswerable = False
        assert scoring.predict(net, task, items, 1, 100)[0] == (0, 0)


def test_embeddings_of_a_trained_match_head_find_their_passages(place):
    with opened(place, "match") as (net, task, items, _):
        fit(net, task, items, steps=40)
        rows = torch.tensor(answers_of(net, task, items, 1))
        queries, passages = rows[:, 0], rows[:, 1]
        assert torch.allclose(rows.norm(dim=-1), torch.ones(12, 2), atol=1e-5)
        assert ((queries @ passages.T).argmax(1) == torch.arange(12)).sum() >= 10


def test_the_same_passage_twice_in_a_group_is_not_a_wrong_one(place):
    with opened(place, "match") as (net, task, _, base):
        encoder = Encoder(base.tokenizer, place.family, 32)
        alike = encoder.encode([Match("1", "a", "it was warm"), Match("2", "b", "it was warm")])
        assert net.loss(collate(alike, 1), task).tolist() == [0.0, 0.0]


def test_continuing_starts_exactly_where_the_parent_ended_and_is_trainable(place, tmp_path):
    with opened(place, "tag") as (net, task, items, _):
        fit(net, task, items)
        net.save(str(tmp_path))
        hidden = net.hidden(collate(items, 1)).detach()
    with opened(place, "classify", parent=str(tmp_path)) as (net, task, others, base):
        tagged = encode(place, "tag", base.tokenizer)
        assert torch.equal(net.hidden(collate(tagged, 1)), hidden)
        trained = [name for name, value in net.model.named_parameters() if value.requires_grad]
        assert trained
        assert all("lora_" in name for name in trained)
        assert {name.split(".")[0] for name, value in net.heads.named_parameters() if value.requires_grad} == {
            "sorting"
        }
        old = {name: value.clone() for name, value in net.heads["tagging"].state_dict().items()}
        fit(net, task, others)
        for name, value in net.heads["tagging"].state_dict().items():
            assert torch.equal(value, old[name]), "the intermediate head is kept as it was, for retention"
        net.save(str(tmp_path / "next"))
    with opened(place, "tag", parent=str(tmp_path / "next"), trainable=False) as (net, task, items, _):
        assert len(scoring.predict(net, task, items, 1, 100)) == len(items)


def test_a_pooled_choice_head_starts_from_the_parents(tmp_path):
    place = SimpleNamespace(
        family="encoder", source=models.save(tmp_path / "m", "encoder"), snapshots=str(tmp_path / "s")
    )
    with opened(place, "choose") as (net, task, items, _):
        fit(net, task, items)
        net.save(str(tmp_path / "first"))
        weight = net.heads[task].score.weight.detach().clone()
    with opened(place, "choose", parent=str(tmp_path / "first")) as (net, task, items, _):
        assert torch.equal(net.heads[task].score.weight, weight)
        assert net.inherited == {"picking": "picking"}


def test_the_adapter_is_a_plain_peft_folder(place, tmp_path):
    with opened(place, "tag") as (net, task, items, base):
        fit(net, task, items)
        net.save(str(tmp_path))
        hidden = net.hidden(collate(items, 1)).detach()
    base = load(place)
    outside = PeftModel.from_pretrained(base.model, str(tmp_path / "adapter")).eval()
    batch = collate(items, 1)
    with torch.no_grad():
        again = outside(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
    outside.unload()
    assert torch.equal(again, hidden)
    assert sorted(path.name for path in (tmp_path / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_the_snapshot_is_made_once_and_is_the_same_bytes(place, tmp_path):
    first = snapshots.snapshot(place.source, place.snapshots, "nf4")
    assert snapshots.snapshot(place.source, place.snapshots, "nf4") == first
    backbones.forget()
    one = digest(load(place).model)
    backbones.forget()
    again = backbones.load(place.source, str(tmp_path), "nf4", models.attention(place.family))
    assert digest(again.model) == one
    assert again.sha256 == load(place).sha256


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_adapter_is_named(place, tmp_path, damage):
    with opened(place, "tag") as (net, _, _, _):
        net.save(str(tmp_path))
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    else:
        file.unlink()
    before = digest(load(place).model)
    with pytest.raises(CheckpointError, match="adapter cannot be loaded"), opened(place, "tag", str(tmp_path)):
        pass
    assert digest(load(place).model) == before
    assert not hasattr(load(place).model, "peft_config"), "the next phase in this process starts from a clean base"


def test_a_damaged_snapshot_is_named(place, tmp_path):
    path = snapshots.snapshot(place.source, str(tmp_path), "nf4")
    with open(f"{path}/model.safetensors", "r+b") as file:
        file.seek(-1, 2)
        file.write(b"\0" if file.read(1) != b"\0" else b"\1")
    with open(f"{path}/model.safetensors", "ab") as file:
        file.write(b"x")
    backbones.forget()
    with pytest.raises(CheckpointError, match="sha256"):
        backbones.load(place.source, str(tmp_path), "nf4", models.attention(place.family))
    backbones.forget()


def test_scoring_without_a_head_is_refused(place):
    with pytest.raises(CheckpointError, match="has no head for sorting"), opened(place, "classify", None, False):
        pass


def test_an_encoder_cannot_be_causal(tmp_path):
    source = models.save(tmp_path / "m", "encoder")
    with pytest.raises(ModelError, match="causal is not possible"):
        backbones.load(source, str(tmp_path / "s"), "none", "causal")


def test_a_bidirectional_decoder_sees_the_words_after(tmp_path):
    source = models.save(tmp_path / "m", "decoder")
    first = {}
    for mode in ("causal", "bidirectional"):
        base = backbones.load(source, str(tmp_path / "s"), "none", mode)
        ids = torch.tensor([[0, 10, 11, 12], [0, 10, 11, 13]])
        with torch.no_grad():
            hidden = base.model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        first[mode] = torch.allclose(hidden[0, 1], hidden[1, 1], atol=1e-6)
    assert first == {"causal": True, "bidirectional": False}

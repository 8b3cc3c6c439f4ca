"""What heads and adapters do, on an encoder and a decoder: answers, padding, and one phase after another."""

from pathlib import Path

import pytest
import torch

from tests import zoo
from tests.contracts.walk import (
    HEADS,
    PREDICTING,
    QUESTIONS,
    Place,
    answers_of,
    batch_of,
    digest,
    fit,
    hidden_of,
    pad_of,
)
from trainables import scoring, storage
from trainables.config import Adapter
from trainables.encoding import Encoder, collate
from trainables.errors import CheckpointError
from trainables.models.adapters import stacked
from trainables.models.heads import projection
from trainables.models.network import network
from trainables.tasks.examples import Answer, Match, Question


@pytest.fixture(params=["xlm-roberta", "llama"], scope="module")
def place(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    source = zoo.save(folder / "model", request.param)
    shown = ("decoder", "causal") if request.param == "llama" else ("encoder", "bidirectional")
    return Place(*shown, source, str(folder / "snapshots"))


@pytest.mark.parametrize("head", HEADS)
def test_padding_and_company_change_no_answer(place, head):
    with place.opened(head) as (net, task, items):
        fit(net, task, items)
        net.model.eval()
        groups = [6, 6] if head == "match" else [1] * 12
        together = net.loss(collate(items, pad_of(net), groups), task)
        firsts = [sum(groups[:number]) for number in range(len(groups))]
        cut = [collate(items[first : first + size], pad_of(net)) for first, size in zip(firsts, groups, strict=True)]
        alone = torch.cat([net.loss(batch, task) for batch in cut])
        assert torch.allclose(together, alone, atol=1e-5)
        if head in PREDICTING:
            small, large = (scoring.predict(net, task, items, pad_of(net), tokens) for tokens in (1, 10**6))
            assert small == large


def test_a_trained_span_head_finds_its_answers_and_says_when_there_is_none(place):
    with place.opened("span") as (net, task, items):
        fit(net, task, items, steps=60)
        found = scoring.predict(net, task, items, pad_of(net), 1000)
        texts = [example.context[slice(*span)] if span else "" for example, span in zip(QUESTIONS, found, strict=True)]
        wanted = [example.answers[0].text if example.answers else "" for example in QUESTIONS]
        assert sum(text == gold for text, gold in zip(texts, wanted, strict=True)) >= 11
        net.heads[task].unanswerable = False
        assert None not in scoring.predict(net, task, items, pad_of(net), 1000)


def test_a_context_without_tokens_is_answered_by_nothing(place):
    with place.opened("span") as (net, task, _):
        items = Encoder(net.backbone.tokenizer, place.family, 32).encode(
            [Question("1", "a b", "", (Answer("x", 0),)), Question("2", "a b", "it was warm", (Answer("warm", 7),))]
        )
        assert torch.isfinite(net.loss(batch_of(net, items), task)).all()
        assert scoring.predict(net, task, items, pad_of(net), 100)[0] is None
        net.heads[task].unanswerable = False
        assert scoring.predict(net, task, items, pad_of(net), 100)[0] == (0, 0)


def test_embeddings_of_a_trained_match_head_find_their_passages(place):
    with place.opened("match") as (net, task, items):
        fit(net, task, items, steps=40)
        rows = torch.tensor(answers_of(net, task, items, 1))
        queries, passages = rows[:, 0], rows[:, 1]
        assert torch.allclose(rows.norm(dim=-1), torch.ones(12, 2), atol=1e-5)
        assert ((queries @ passages.T).argmax(1) == torch.arange(12)).sum() >= 10


def test_the_same_passage_twice_in_a_group_is_not_a_wrong_one(place):
    with place.opened("match") as (net, task, _):
        encoder = Encoder(net.backbone.tokenizer, place.family, 32)
        alike = encoder.encode([Match("1", "a", "it was warm"), Match("2", "b", "it was warm")])
        assert net.loss(batch_of(net, alike), task).tolist() == [0.0, 0.0]


def test_continuing_starts_exactly_where_the_parent_ended_and_is_trainable(place, tmp_path):
    with place.opened("tag") as (net, task, items):
        fit(net, task, items)
        net.save(str(tmp_path))
        hidden = hidden_of(net, items)
    with place.opened("classify", parent=str(tmp_path)) as (net, task, others):
        assert torch.equal(hidden_of(net, place.encode("tag", net.backbone.tokenizer)), hidden)
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
    with place.opened("tag", parent=str(tmp_path / "next"), trainable=False) as (net, task, items):
        assert len(scoring.predict(net, task, items, pad_of(net), 100)) == len(items)
        assert all(torch.equal(value, old[name]) for name, value in net.heads["tagging"].state_dict().items())


@pytest.mark.parametrize("dora", [False, True])
def test_stacking_freezes_the_parents_adapter_and_trains_one_on_top(place, tmp_path, dora):
    first, second, third = (str(tmp_path / name) for name in ("first", "second", "third"))
    with place.opened("tag", dora=dora) as (net, task, items):
        fit(net, task, items)
        net.save(first)
        hidden = hidden_of(net, items)
    base = digest(place.load().model)
    with place.opened("classify", first, handover="stack", dora=dora) as (net, task, others):
        tagged = place.encode("tag", net.backbone.tokenizer)
        assert torch.equal(hidden_of(net, tagged), hidden), "a new adapter on top changes nothing yet"
        trained = [name for name, value in net.model.named_parameters() if value.requires_grad]
        assert len(trained) >= 24 and all("lora_" in name and ".default" in name for name in trained)
        losses = fit(net, task, others)
        assert losses[-1] < losses[0] * 0.9
        net.save(second)
        hidden = hidden_of(net, tagged)
    assert not torch.equal(hidden_of_bare(place, tagged), hidden)
    assert digest(place.load().model) == base
    assert file(second, "stacked/0").read_bytes() == file(first, "adapter").read_bytes(), "frozen"
    assert file(second, "adapter").read_bytes() != file(first, "adapter").read_bytes()
    with place.opened("classify", second, trainable=False) as (net, task, others):
        assert torch.equal(hidden_of(net, tagged), hidden), "both adapters are there when scoring"
        assert not any(value.requires_grad for value in net.model.parameters())
    with place.opened("classify", second, handover="stack") as (net, task, others):
        assert torch.equal(hidden_of(net, tagged), hidden)
        net.save(third)
    assert [len(stacked(folder)) for folder in (first, second, third)] == [0, 1, 2]
    assert file(third, "stacked/1").read_bytes() == file(second, "adapter").read_bytes()
    with place.opened("tag", third) as (net, task, others):  # continue: the newest one, on top of the frozen ones
        assert torch.equal(hidden_of(net, tagged), hidden)
        assert all(".default" in name for name, value in net.model.named_parameters() if value.requires_grad)


def test_a_parent_is_hashed_when_it_is_loaded_wherever_it_lies(place, tmp_path):
    near, far = str(tmp_path / "first"), f"memory://networks/{tmp_path.name}"
    with place.opened("classify") as (net, task, items):
        fit(net, task, items)
        net.save(near)
        hidden = hidden_of(net, items)
    recorded, base = storage.checksums(near), place.load()
    for name in recorded:
        storage.write_bytes(f"{far}/{name}", Path(near, name).read_bytes())
    for parent in (near, far):
        with network(base, Adapter(rank=4), parent, {}, place.family, False, recorded) as net:
            assert torch.equal(hidden_of(net, items), hidden)
        for name in ("heads/heads.json", "adapter/adapter_model.safetensors"):
            storage.write_bytes(f"{parent}/{name}", storage.read_bytes(f"{parent}/{name}") + b" ")
            with (
                pytest.raises(CheckpointError, match=f"{parent}/.*: sha256 .* was recorded"),
                network(base, Adapter(rank=4), parent, {}, place.family, False, recorded),
            ):
                pass
    storage.remove("memory://networks")


def file(checkpoint: str, name: str) -> Path:
    return Path(checkpoint, name, "adapter_model.safetensors")


def hidden_of_bare(place, items):
    base = place.load()
    batch = collate(items, base.tokenizer.pad_token_id)
    with torch.no_grad():
        return base.model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state


def test_a_pooled_choice_head_starts_from_the_parents(tmp_path):
    place = Place("encoder", "bidirectional", zoo.save(tmp_path / "m", "xlm-roberta"), str(tmp_path / "s"))
    with place.opened("choose") as (net, task, items):
        fit(net, task, items)
        net.save(str(tmp_path / "first"))
        weight = net.heads[task].score.weight.detach().clone()
    with place.opened("choose", parent=str(tmp_path / "first")) as (net, task, items):
        assert torch.equal(net.heads[task].score.weight, weight)
        assert net.inherited == {"picking": "picking"}


@pytest.mark.parametrize("head", ["choose", "text"])
def test_scores_over_the_vocabulary_are_made_a_few_at_a_time(tmp_path, head, monkeypatch):
    place = Place("decoder", "causal", zoo.save(tmp_path / "m", "llama"), str(tmp_path / "s"))
    losses, sizes, found = projection._losses, [], []
    monkeypatch.setattr(projection, "_losses", lambda states, *rest: sizes.append(len(states)) or losses(states, *rest))
    with place.opened(head) as (net, task, items):
        for most in (10**6, 5):
            monkeypatch.setattr(projection, "AT_ONCE", most)
            net.model.zero_grad()
            loss = net.loss(batch_of(net, items), task)
            loss.sum().backward()
            found.append([loss.detach(), *(p.grad.clone() for p in net.model.parameters() if p.requires_grad)])
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(*found, strict=True))
    assert max(sizes) > 50 and sizes[-1] <= 5 and sizes.count(5) > 10


class Marks:
    """Unpickled, it leaves a mark."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("damage", ["cut", "gone", "pickled"])
def test_a_damaged_adapter_is_named(place, tmp_path, damage):
    with place.opened("tag") as (net, _, _):
        net.save(str(tmp_path))
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    else:
        file.unlink()
    if damage == "pickled":
        torch.save({"x": Marks(tmp_path / "ran")}, file.with_name("adapter_model.bin"))
    before = digest(place.load().model)
    with pytest.raises(CheckpointError, match="adapter cannot be loaded") as error, place.opened("tag", str(tmp_path)):
        pass
    assert damage == "cut" or "no adapter_model.safetensors" in str(error.value)
    assert not (tmp_path / "ran").exists()
    assert digest(place.load().model) == before
    assert not hasattr(place.load().model, "peft_config"), "the next phase in this process starts from a clean base"


def test_scoring_without_a_head_is_refused(place):
    with pytest.raises(CheckpointError, match="has no head for sorting"), place.opened("classify", None, False):
        pass

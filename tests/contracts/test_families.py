"""Every family of networks with every head kind; and what has to hold of each family by itself."""

from dataclasses import replace
from pathlib import Path

import bitsandbytes
import pytest
import torch
import transformers
from peft import PeftModel

from tests import zoo
from tests.contracts.walk import HEADS, Place, answers_of, batch_of, digest, fit, hidden_of, pad_of
from trainables.config import Adapter
from trainables.encoding import collate
from trainables.errors import ModelError
from trainables.models import backbone as backbones
from trainables.models import families
from trainables.models import network as networks
from trainables.models.families import FAMILIES
from trainables.models.heads import HeadSpec, pooled

ENCODERS = [name for name, family in FAMILIES.items() if family.kind == "encoder"]
DECODERS = [name for name, family in FAMILIES.items() if family.kind == "decoder"]
# A decoder that sees both sides is a family of its own as far as heads are concerned.
CASES = [*FAMILIES, "gemma3", "qwen3 both sides"]
FREE = [name for name in DECODERS if not FAMILIES[name].one_way]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Case -> place; every model is written once."""
    folder = tmp_path_factory.mktemp("zoo")
    made: dict[str, Place] = {}

    def make(case: str) -> Place:
        if case not in made:
            model_type, _, both = case.partition(" ")
            kind = families.family_of(model_type).kind
            attention = "bidirectional" if both or kind == "encoder" else "causal"
            source = folder / model_type
            if not source.exists():
                zoo.save(source, model_type, max_shard_size="20KB")
            made[case] = Place(kind, attention, str(source), str(folder / "snapshots"))
        return made[case]

    return make


@pytest.fixture(params=CASES)
def place(request, places):
    return places(request.param)


def rows(place: Place, *texts: str):
    """(ids, mask) of some texts as one batch."""
    base = place.load()
    from trainables.encoding import Encoder

    batch = collate(Encoder(base.tokenizer, place.family, 64).texts(texts), base.tokenizer.pad_token_id)
    return batch.input_ids, batch.attention_mask


def states(model, ids, mask):
    with torch.no_grad():
        return model(input_ids=ids, attention_mask=mask).last_hidden_state


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("case", CASES)
def test_trains_saves_and_reloads_to_the_same_answers(places, case, head, tmp_path):
    place = places(case)
    if case == "mt5" and head == "text":
        with pytest.raises(ModelError, match="no language model output"), place.opened(head):
            pass
        return
    before = digest(place.load().model)
    with place.opened(head) as (net, task, items):
        assert any(isinstance(module, bitsandbytes.nn.Linear4bit) for module in net.model.modules())
        assert not any(isinstance(module, bitsandbytes.nn.Linear4bit) for module in net.heads.modules())
        assert all(value.dtype == torch.float32 for value in net.heads.parameters())
        losses = fit(net, task, items, steps=8)
        assert losses[-1] < losses[0] * 0.95
        net.save(str(tmp_path))
        specs, hidden, answers = net.specs, hidden_of(net, items), answers_of(net, task, items, 200)
    assert digest(place.load().model) == before, "training must not touch the base"
    backbones.forget()
    with place.opened(head, parent=str(tmp_path), trainable=False) as (net, task, items):
        assert net.specs == specs
        assert torch.equal(hidden_of(net, items), hidden)
        assert answers_of(net, task, items, 200) == answers


def test_pads_do_not_leak(place):
    ids, mask = rows(place, "the cat sat on the mat because it was warm", "a b c", "x")
    model = place.load().model
    together = states(model, ids, mask)
    junk = states(model, torch.where(mask.bool(), ids, 7), mask)
    for row, length in enumerate(mask.sum(1).tolist()):
        alone = states(model, ids[row : row + 1, :length], mask[row : row + 1, :length])
        assert torch.allclose(together[row, :length], alone[0], atol=2e-5)
        assert torch.allclose(junk[row, :length], alone[0], atol=2e-5), "whatever stands in the padding"


@pytest.mark.parametrize("case", FREE)
@pytest.mark.parametrize("attention", ["causal", "bidirectional"])
def test_only_a_bidirectional_decoder_sees_what_comes_after(places, case, attention):
    place = replace(places(case), attention=attention)
    ids, mask = rows(place, "the cat sat on the mat")
    other = ids.clone()
    other[0, -2] += 1
    model = place.load().model
    same = torch.allclose(states(model, ids, mask)[0, 1], states(model, other, mask)[0, 1], atol=1e-6)
    assert same == (attention == "causal")


def test_an_encoder_sees_both_sides(places):
    for case in ENCODERS:
        ids, mask = rows(places(case), "the cat sat on the mat")
        other = ids.clone()
        other[0, -2] += 1
        model = places(case).load().model
        assert not torch.allclose(states(model, ids, mask)[0, 1], states(model, other, mask)[0, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("case", "attention", "reason"),
    [(name, "causal", "causal is not possible") for name in ENCODERS] + [("bloom", "bidirectional", "ALiBi")],
)
def test_an_attention_mode_that_is_not_sound_is_refused(places, case, attention, reason):
    with pytest.raises(ModelError, match=reason):
        replace(places(case), attention=attention).load()


def test_an_unknown_family_is_named_with_those_that_are_known(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "mamba2"}')
    with pytest.raises(ModelError, match="'mamba2' is not known; known are bloom, gemma3, .*choose"):
        families.read(str(tmp_path))


def test_the_last_token_is_found_by_the_mask_where_padding_is_the_end_token(places):
    place = places("llama")
    tokenizer = place.load().tokenizer
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    ids, mask = rows(place, "the cat sat", "a")
    hidden = states(place.load().model, ids, mask)
    last = mask.sum(1) - 1
    assert ids[1, last[1]] == ids[1, -1] == tokenizer.eos_token_id, "the row ends with what pads it"
    assert torch.equal(pooled(hidden, mask, "last"), torch.stack([hidden[0, last[0]], hidden[1, last[1]]]))


def test_pooling_goes_with_the_attention_and_is_kept(places, tmp_path):
    found = {case: places(case).load().pooling for case in ("xlm-roberta", "mt5", "qwen3", "qwen3 both sides")}
    assert list(found.values()) == ["cls", "mean", "last", "mean"]
    with places("qwen3").opened("classify") as (net, task, items):
        net.save(str(tmp_path))
        answers = net.heads[task](hidden_of(net, items), batch_of(net, items))
    # Scored by another attention mode the head still pools as it was trained to.
    with places("qwen3 both sides").opened("classify", str(tmp_path), trainable=False) as (net, task, items):
        assert net.specs[task] == HeadSpec("classify", ("no", "yes"), pooling="last")
        assert not torch.equal(net.heads[task](hidden_of(net, items), batch_of(net, items)), answers)
    hidden, mask = torch.arange(12.0).reshape(1, 4, 3), torch.tensor([[1, 1, 0, 0]])
    assert pooled(hidden, mask, "mean").tolist() == [[1.5, 2.5, 3.5]]
    assert pooled(hidden, mask, "cls").tolist() == [[0.0, 1.0, 2.0]]


@pytest.mark.parametrize("case", [*DECODERS, "gemma3"])
def test_the_output_weights_are_those_of_the_published_model(places, case):
    place = places(case)
    ids, mask = rows(place, "the cat sat on the mat")
    whole = getattr(transformers, zoo.MODELS[case][0]).from_pretrained(place.source).eval()
    with torch.no_grad():
        logits = whole(input_ids=ids, attention_mask=mask).logits
    for quantization in ("none", "nf4"):
        base = place.load(quantization)
        assert base.output_embedding.dtype == torch.float32
        if quantization == "none":
            again = states(base.model, ids, mask) @ base.output_embedding.T
            assert torch.allclose(again, logits, atol=1e-4)
        else:
            assert torch.equal(base.output_embedding, whole.get_output_embeddings().weight)


@pytest.mark.parametrize("case", ["xlm-roberta", "mt5", "qwen3", "bloom", "xglm", "gemma3_text"])
def test_recomputing_activations_changes_no_gradient(places, case):
    found = []
    with places(case).opened("tag") as (net, task, items):
        fit(net, task, items, steps=2)
        for on in (False, True):
            net.backbone.recompute(on)
            runs: list[int] = []
            inner = next(module for module in net.model.modules() if isinstance(module, bitsandbytes.nn.Linear4bit))
            hook = inner.register_forward_hook(lambda *_, runs=runs: runs.append(1))
            net.model.zero_grad()
            net.loss(batch_of(net, items), task).mean().backward()
            hook.remove()
            found.append(
                {name: value.grad.clone() for name, value in net.model.named_parameters() if value.requires_grad}
            )
            assert len(runs) == 1 + on, "the layer is run again, or not"
    assert len(found[0]) > 10
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])
    assert not places(case).load().model.is_gradient_checkpointing, "the next phase finds the base as it was"


@pytest.mark.parametrize("case", ["xlm-roberta", "llama", "gemma3", "bloom", "mt5"])
def test_a_plain_peft_folder_works_without_this_project(places, case, tmp_path):
    place = places(case)
    with place.opened("tag") as (net, task, items):
        fit(net, task, items, steps=3)
        net.save(str(tmp_path))
        hidden, batch = hidden_of(net, items), batch_of(net, items)
    folder = Path(tmp_path, "adapter")
    assert sorted(path.name for path in folder.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    from trainables.models.snapshots import snapshot

    family = families.family_of(case)
    network = getattr(transformers, family.network)
    base = network.from_pretrained(snapshot(place.source, place.snapshots, "nf4"), **family.options)
    for module in base.modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            module.compute_dtype, module.support_avx512bf16_for_cpu = torch.float32, False
    outside = PeftModel.from_pretrained(base, str(folder)).eval()
    assert torch.equal(states(outside, batch.input_ids, batch.attention_mask), hidden)


@pytest.mark.parametrize("case", ["xlm-roberta", "mt5", "llama", "qwen3", "gemma3_text", "bloom", "xglm"])
def test_int8_learns_and_reloads(places, case, tmp_path):
    place = places(case)
    with place.opened("tag", quantization="int8") as (net, task, items):
        assert any(isinstance(module, bitsandbytes.nn.Linear8bitLt) for module in net.model.modules())
        losses = fit(net, task, items, steps=8)
        assert losses[-1] < losses[0] * 0.95
        net.save(str(tmp_path))
        hidden = hidden_of(net, items)
    backbones.forget()
    with place.opened("tag", str(tmp_path), False, quantization="int8") as (net, _, items):
        assert torch.equal(hidden_of(net, items), hidden)


def test_rows_longer_than_the_table_of_positions_are_refused(places):
    base = places("xlm-roberta").load()
    assert base.longest == 128
    assert places("qwen3").load().longest is None
    with places("xlm-roberta").opened("tag") as (net, _, items):
        batch = batch_of(net, items)
        long = replace(batch, input_ids=batch.input_ids[:, :1].expand(-1, 129), attention_mask=torch.ones(12, 129))
        with pytest.raises(ModelError, match="rows of 129 tokens, but the model reads 128"):
            net.hidden(long)


def test_the_text_part_of_a_multimodal_checkpoint_is_its_language_model(places):
    place = places("gemma3")
    whole = transformers.Gemma3ForConditionalGeneration.from_pretrained(place.source).eval()
    ids, mask = rows(place, "the cat sat on the mat")
    assert torch.allclose(
        states(place.load("none").model, ids, mask), states(whole.model.language_model, ids, mask), atol=1e-6
    )


def test_a_new_adapter_has_the_way_it_was_asked_for(places):
    for changes, wanted in (({"rslora": True}, 16 / 4**0.5), ({}, 16 / 4), ({"dora": True}, 16 / 4)):
        base = places("qwen3").load()
        with networks.network(base, Adapter(rank=4, **changes), None, {}, "decoder", True) as net:
            layers = [module for module in net.model.modules() if hasattr(module, "lora_A")]
            assert {layer.scaling["default"] for layer in layers} == {wanted}
            assert any("lora_magnitude" in name for name, _ in net.model.named_parameters()) == ("dora" in changes)
    assert pad_of(net) is not None

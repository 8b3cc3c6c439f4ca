"""Layers that are computed twice or compiled: other memory, other speed, the same gradients."""

import logging
from functools import partial

import pytest
import torch

from trainables import layers, phase
from trainables.config import Runtime
from trainables.data.root import Root
from trainables.group import ALONE
from trainables.models.backbone import load
from trainables.models.network import network


def losses(events):
    return [event["loss"] for event in events]


@pytest.fixture
def net(places, tune_config):
    """A network and its objective, on a task of sentences of many lengths."""
    config, where = tune_config("udpos", quantization="nf4"), places()
    root = Root(where.root)
    backbone = load(where.backbone, where.snapshots, config.quantization, config.attention)
    torch.manual_seed(0)
    with network(backbone, config.adapter, None, phase._heads(config, root), config.size.family, True) as net:
        items = {"udpos": phase._split(config, where, backbone, root, "udpos", "train").items}
        net.model.train()
        yield net, phase.objective(config, where, Runtime(), net, backbone, root, items)


def gradients(net, tuning, step=0):
    trained = [value for _, value in phase._named(net) if value.requires_grad]
    for value in trained:
        value.grad = None
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda kept: saved.append(kept.numel()) or kept, lambda kept: kept):
        found = [planned() for planned in tuning.passes(step, ALONE)]
    for one in found:
        one.loss.backward()
    return [value.grad.clone() for value in trained if value.grad is not None], sum(saved)


def test_recomputing_keeps_less_and_gives_the_same_gradients(net):
    plain, kept = gradients(*net)
    with layers.arranged(net[0].backbone, Runtime(recompute=True)):
        again, less = gradients(*net)
    after, same = gradients(*net)
    assert len(plain) == len(again) > 0
    assert all(torch.equal(one, other) for one, other in zip(plain, again, strict=True))
    assert less < 0.6 * kept
    assert same == kept, "on leaving the layers run as before"
    assert all(torch.equal(one, other) for one, other in zip(plain, after, strict=True))


def test_a_phase_that_recomputes_has_the_same_losses_and_counts_its_work(places, tune_config):
    runs, outcomes = [], []
    for name, recompute in (("plain", False), ("twice", True)):
        events = []
        outcomes.append(
            phase.train(tune_config("udpos"), 3e-3, places(name), Runtime(recompute=recompute), events.append)
        )
        runs.append(losses(events))
    assert runs[0] == runs[1]
    assert outcomes[1].flops == pytest.approx(1.5 * outcomes[0].flops)
    assert outcomes[1].score == outcomes[0].score


def test_compiled_layers_give_the_same_gradients_for_every_length(net, monkeypatch):
    # Without the generated C++, which is torch's own business and takes a minute to compile.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    plain = [gradients(*net, step)[0] for step in range(3)]
    with layers.arranged(net[0].backbone, Runtime(compile=True)):
        assert all("forward" in vars(layer) for layer in layers.blocks(net[0].backbone))
        again = [gradients(*net, step)[0] for step in range(3)]
        assert all("forward" in vars(layer) for layer in layers.blocks(net[0].backbone)), "it did compile"
    for one, other in zip(plain, again, strict=True):
        for a, b in zip(one, other, strict=True):
            assert torch.allclose(a, b, rtol=1e-4, atol=1e-6)
    assert not any("forward" in vars(layer) for layer in layers.blocks(net[0].backbone))


def test_layers_that_cannot_be_compiled_run_as_they_are_and_one_line_says_so(net, monkeypatch, caplog):
    plain, _ = gradients(*net)
    torch._dynamo.reset()
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("/nowhere/g++",))
    monkeypatch.setattr("torch._inductor.config.fx_graph_cache", False)
    with caplog.at_level(logging.WARNING), layers.arranged(net[0].backbone, Runtime(compile=True)):
        again, _ = gradients(*net)
    told = [record.getMessage() for record in caplog.records if record.name == "trainables.layers"]
    assert len(told) == 1
    assert told[0].startswith("the layers run uncompiled: ")
    assert "\n" not in told[0]
    assert all(torch.equal(one, other) for one, other in zip(plain, again, strict=True))

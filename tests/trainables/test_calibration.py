"""A training step with random weights of the real shape: what is measured, and that it is the real step."""

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from transformers import AutoModel

from tests.memory_measured import small
from trainables import calibration
from trainables.config import Adapter
from trainables.livebytes import LiveBytes
from trainables.measured import Shape
from trainables.models.randombase import network_config, random_base
from trainables.models.shape import MODEL_TYPES, linear, parameters

CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", MODEL_TYPES)
def test_a_random_base_has_the_shape_of_the_published_network(kind):
    size = small(kind)
    base = random_base(size, "nf4", CPU)
    assert base.parameters == parameters(size.architecture) and base.linear == linear(size.architecture)
    assert any(isinstance(module, Linear4bit) for module in base.model.modules())
    assert not any(value.is_meta for value in calibration.tensors(base.model))
    assert network_config(size.architecture).model_type == kind
    batch = calibration.random_batch(base, 2, 16)
    with torch.no_grad():
        states = base.model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
    assert states.shape == (2, 16, 96) and torch.isfinite(states).all() and states.std() > 0.01


@pytest.mark.parametrize("quantization", ["nf4", "int8", "none"])
def test_every_quantization_can_be_measured(quantization):
    size = small("llama")
    base = random_base(size, quantization, CPU)
    found = calibration.measure(base, size, quantization, Adapter(), Shape(rows=2, width=16, recompute=False), 0.0)
    assert found.steps == 3 and found.seconds > 0 and found.shape.tokens == 32
    assert found.peak_bytes > found.base_bytes > 0


def test_recompute_needs_less_memory_and_gives_the_same_gradients():
    size = small("qwen3", layers=6)
    base = random_base(size, "nf4", CPU)
    batch = calibration.random_batch(base, 8, 64)
    gradients, peaks = [], []
    for recompute in (False, True):
        torch.manual_seed(0)
        with calibration.training(base, size.family, Adapter(), recompute) as (net, _):
            net.loss(batch, calibration.TASK).mean().backward()
            gradients.append([value.grad for value in net.model.parameters() if value.grad is not None])
        shape = Shape(rows=8, width=64, recompute=recompute)
        peaks.append(calibration.measure(base, size, "nf4", Adapter(), shape, 0.0).peak_bytes)
    assert gradients[0] and all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))
    assert peaks[1] < 0.7 * peaks[0]


def test_the_base_is_as_before_after_a_calibration():
    size = small("llama")
    shapes = [Shape(rows=rows, width=16, recompute=flag) for rows in (1, 2) for flag in (False, True)]
    found = calibration.calibrate(size, "nf4", Adapter(), shapes, seconds=0.1)
    assert [one.shape for one in found] == shapes
    assert len({one.base_bytes for one in found}) == 1


def test_live_bytes_sees_the_fullest_moment_and_forgets_what_is_freed():
    with LiveBytes() as live:
        kept = torch.ones(1000)
        gone = torch.ones(5000) + 1
        del gone
        kept.add_(1)
        kept[:10].mul_(2)
        assert live.now == 4000
    assert live.peak == 4000 + 2 * 20000


def test_a_random_base_behaves_as_the_network_made_by_transformers():
    """Tables that are computed and not drawn (rotary positions, relative ones) are there."""
    size = small("gemma3_text")
    base = random_base(size, "none", CPU)
    other = AutoModel.from_config(network_config(size.architecture)).eval()
    other.load_state_dict(base.model.state_dict())
    batch = calibration.random_batch(base, 2, 16)
    with torch.no_grad():
        assert torch.equal(base.model(batch.input_ids)[0], other(batch.input_ids)[0])

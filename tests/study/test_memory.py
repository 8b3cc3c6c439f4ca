"""The memory formula against tensors counted one by one: weights and adapter exactly, activations within 10 %."""

import pytest
import torch

from study import activations, memory
from tests.memory_measured import base_of, count, small
from trainables import calibration
from trainables.config import Adapter, Architecture
from trainables.errors import ModelError
from trainables.livebytes import LiveBytes
from trainables.models.heads.projection import token_losses
from trainables.models.ladders import ladder
from trainables.models.shape import MODEL_TYPES

ROWS, WIDTH = 4, 64
ADAPTER = Adapter(rank=8)


@pytest.fixture(scope="module", params=[(kind, precision) for kind in MODEL_TYPES for precision in ("bf16", "fp32")])
def network(request):
    """(size, base, precision) of a small network of every type."""
    kind, precision = request.param
    size = small(kind)
    return size, base_of(size, precision), precision


def test_weights_are_those_in_memory(network):
    size, base, precision = network
    found = calibration.resident(base.model)
    planned = memory.weights(size.architecture, "nf4", precision)
    tables = sum(value.nbytes for value in base.model.buffers())
    assert planned == found - tables


@pytest.mark.parametrize("recompute", [False, True])
def test_activations_are_within_a_tenth_of_what_is_kept(network, recompute):
    size, base, precision = network
    shape = size.architecture
    need = memory.of(shape, "nf4", ADAPTER, precision)
    found = [count(base, size, ADAPTER, rows, WIDTH, recompute, precision) for rows in (ROWS, 2 * ROWS)]
    more = ROWS * WIDTH
    assert need.per_token(WIDTH, recompute) == pytest.approx((found[1].peak - found[0].peak) / more, rel=0.10)
    if not recompute:  # else autograd saves the inputs of layers alone, and not by these hooks
        layer = activations.network(shape, precision).kept.per_token(shape, ADAPTER.rank, WIDTH)
        assert shape.layers * layer == pytest.approx((found[1].kept - found[0].kept) / more, rel=0.10)


def test_the_adapter_is_what_training_holds_of_it(network):
    """Weights, gradients and optimiser state, exactly."""
    size, base, _ = network
    batch = calibration.random_batch(base, 2, 8)
    with calibration.training(base, size.family, ADAPTER, recompute=False) as (net, optimizer):
        calibration.step(net, optimizer, batch)
        trained = [value for value in net.model.parameters() if value.requires_grad]
        states = [one for value in trained for name, one in optimizer.state[value].items() if name != "step"]
        held = sum(one.nbytes for one in [*trained, *(value.grad for value in trained), *states])
    assert held == memory.TRAINED_BYTES * memory.adapter_weights(size.architecture, ADAPTER)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_projecting_on_the_vocabulary_takes_one_chunk(dtype):
    places, vocabulary = 3 * memory.CHUNK_TOKENS, 5000
    shape = Architecture(hidden=32, layers=1, heads=2, intermediate=64, vocabulary=vocabulary, model_type="llama")
    states = torch.randn(places, 32, dtype=dtype, requires_grad=True)
    embedding = torch.randn(vocabulary, 32, dtype=dtype)
    with LiveBytes() as live:
        token_losses(states, torch.randint(0, vocabulary, (places,)), embedding).sum().backward()
    need = memory.of(shape, "nf4", ADAPTER, "bf16", projects=True)
    assert need.head(places) == pytest.approx(live.peak, rel=0.10)


def test_more_cards_hold_less_each():
    shape = ladder("llama2").size("70b").architecture
    alone, shared = (memory.of(shape, "nf4", ADAPTER, "bf16", cards=count) for count in (1, 4))
    layer = alone.weights / shape.layers
    assert shared.weights == alone.weights / 4
    assert shared.fixed < alone.fixed / 4 + shared.context + shared.adapter + shared.matrix + 2.1 * layer


def test_an_unknown_network_is_named():
    shape = Architecture(hidden=32, layers=1, heads=2, intermediate=64, vocabulary=10, model_type="gpt9")
    with pytest.raises(ModelError, match="gpt9"):
        memory.of(shape, "nf4", ADAPTER, "bf16")

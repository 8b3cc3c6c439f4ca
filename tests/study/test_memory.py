"""The memory formula against tensors counted one by one: weights and adapter exactly, activations within 10 %."""

import pytest

from study import memory
from tests.memory_measured import base_of, count, small
from trainables import calibration
from trainables.config import Adapter
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
    need = memory.of(size.architecture, "nf4", ADAPTER, precision)
    small_, large = (count(base, size, ADAPTER, rows, WIDTH, recompute, precision).peak for rows in (ROWS, 2 * ROWS))
    measured = (large - small_) / (ROWS * WIDTH)
    assert need.per_token(WIDTH, recompute) == pytest.approx(measured, rel=0.10)

"""On a GPU: what a training step takes, and that it learns, for shapes up to 14B with random weights in NF4."""

import pytest
import torch

from study import memory
from study.calibrations import as_card
from study.fit import NO_STRETCH, largest, room
from tests.benchmarks.gpu_bare import ADAPTER, size_of
from trainables import calibration
from trainables.measured import Shape
from trainables.models.randombase import random_base

WIDTH = 256
SHAPES = ["qwen3/1.7b", "qwen3/8b", "qwen3/14b"]


@pytest.fixture(scope="module", params=SHAPES)
def base(request):
    """(size, random NF4 base on the GPU); one at a time."""
    size = size_of(request.param)
    made = random_base(size, "nf4", torch.device("cuda"))
    yield size, made
    del made
    torch.cuda.empty_cache()


@pytest.mark.parametrize("recompute", [False, True])
def test_peak_memory_is_what_the_plan_says(base, recompute):
    size, made = base
    need = memory.of(size.architecture, "nf4", ADAPTER, "bf16")
    fits = largest(need, room(as_card(calibration.device())), WIDTH, recompute) // WIDTH
    shape = Shape(rows=min(fits, 16), width=WIDTH, recompute=recompute)
    found = calibration.measure(made, size, "nf4", ADAPTER, shape, seconds=2)
    planned = need.peak(shape.tokens, WIDTH, recompute) - need.context
    assert planned == pytest.approx(found.peak_bytes, rel=0.10)
    assert need.weights == pytest.approx(found.base_bytes, rel=0.01)


def test_the_largest_planned_pass_fits(base):
    size, made = base
    need = memory.of(size.architecture, "nf4", ADAPTER, "bf16")
    for recompute in NO_STRETCH:
        rows = min(largest(need, room(as_card(calibration.device())), WIDTH, recompute), 32_768) // WIDTH
        calibration.measure(made, size, "nf4", ADAPTER, Shape(rows=rows, width=WIDTH, recompute=recompute), seconds=1)


def test_steps_on_the_same_rows_lower_the_loss_and_leave_the_base_alone(base):
    size, made = base
    before = {name: value.clone() for name, value in list(made.model.named_parameters())[:3]}
    batch = calibration.random_batch(made, 8, 64)
    with calibration.training(made, size.family, ADAPTER, recompute=False) as (net, optimizer):
        first = net.loss(batch, calibration.TASK).mean().item()
        for _ in range(20):
            calibration.step(net, optimizer, batch)
        assert net.loss(batch, calibration.TASK).mean().item() < first
    after = dict(made.model.named_parameters())
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_recompute_gives_the_same_gradients(base):
    size, made = base
    batch = calibration.random_batch(made, 4, 64)
    found = []
    for recompute in (False, True):
        torch.manual_seed(0)
        with calibration.training(made, size.family, ADAPTER, recompute) as (net, _):
            net.loss(batch, calibration.TASK).mean().backward()
            grads = [value.grad.clone() for value in net.model.parameters() if value.grad is not None]
            found.append(torch.cat([grad.flatten() for grad in grads]))
    assert torch.nn.functional.cosine_similarity(found[0], found[1], dim=0) > 0.999

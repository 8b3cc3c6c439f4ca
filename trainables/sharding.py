"""How is a phase trained whose base does not fit into one GPU? The layers are spread over the workers of its group.

Every worker keeps a slice of every frozen weight of a layer (FSDP2, `torch.distributed.fsdp.fully_shard`). Before a
layer runs, its slices are gathered, and let go afterwards. Embedding, adapter and heads are small next to the layers
and stay whole on every worker; their gradients are summed as in any group. So checkpoints and resumable states are
the same files as without sharding, and any number of workers, sharded or not, can go on from them.

Of an NF4 layer the codes are spread; the constants of the blocks (one byte per 64 weights) stay whole. FSDP2 hands
bitsandbytes a plain parameter, so each layer keeps its quantisation state on the side, from where `Linear4bit` takes
it up again. The codes stay bytes: gathering them as floating-point numbers may change bit patterns that happen to be
NaN. A base in int8 keeps state in its weights that FSDP2 would lose, and is refused.

Was run: tiny models, unquantised and in NF4, on two CPU workers with gloo. Was not run: CUDA, NCCL, anything large.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from bitsandbytes.nn import Linear4bit, Linear8bitLt
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from trainables.errors import ModelError
from trainables.group import Group
from trainables.layers import blocks
from trainables.models.backbone import forget
from trainables.models.network import Network


@contextmanager
def sharded(net: Network, group: Group) -> Iterator[None]:
    """Spread the layers of a network over the group and move the rest to this worker's device.

    On leaving, the backbone is forgotten: it cannot be put together again for the next trial. Raises `ModelError`
    for a base in int8.
    """
    if any(isinstance(module, Linear8bitLt) for module in net.model.modules()):
        raise ModelError("compute.shard: a base in int8 cannot be spread over workers; use quantization: nf4 or none")
    device = torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")
    mesh = init_device_mesh(device.type, (group.size,))
    trained = {value for value in net.model.parameters() if value.requires_grad}
    try:
        layers = blocks(net.backbone)
        for layer in layers:  # one at a time: the whole base never lies on one device
            layer.to(device)
            _bare(layer)
            fully_shard(layer, mesh=mesh, reshard_after_forward=True, ignored_params=trained)
        rest = {value for value in net.model.parameters() if not isinstance(value, torch.distributed.tensor.DTensor)}
        # A root that spreads nothing itself lets the layers gather ahead of one another.
        fully_shard(net.backbone.model, mesh=mesh, reshard_after_forward=True, ignored_params=rest)
        net.model.to(device)
        net.heads.to(device)
        if net.backbone.output is not None:  # heads share it
            net.backbone.output.data = net.backbone.output.to(device)
        yield
    finally:
        forget()


def _bare(layer: nn.Module) -> None:
    """Make the NF4 weights of a layer plain parameters, with their quantisation state on the side."""
    for module in layer.modules():
        if isinstance(module, Linear4bit):
            weight: Any = module.weight
            module.quant_state = weight.quant_state
            module.weight = nn.Parameter(weight.data.as_subclass(torch.Tensor), requires_grad=False)

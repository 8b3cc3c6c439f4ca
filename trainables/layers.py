"""How are the layers of a backbone run: as they are, computed twice to save memory, or compiled?

    with arranged(backbone, runtime): ...

Recomputing (gradient checkpointing) keeps only what goes into a layer and computes the rest again in the backward
pass: the same gradients for half as much work again. Compiling fuses a layer's operations; layers that cannot be
compiled run as they are, and one line in the log says so. On a CPU it does not pay: passes of 12 to 256 tokens a row
through two layers of width 256 took 6 % less time, after 24 s of compiling (medians of three rounds on one busy
core). On leaving the backbone is as it was, ready for the next trial.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from trainables.config import Runtime
from trainables.models.backbone import Backbone

LOG = logging.getLogger(__name__)


@contextmanager
def arranged(backbone: Backbone, runtime: Runtime) -> Iterator[None]:
    """Run the backbone's layers as the runtime says, while inside. An adapter may be attached already."""
    compiled = _Compiled(blocks(backbone)) if runtime.compile else None
    if runtime.recompute:
        backbone.recompute(True)
    # What cannot be compiled shows in the forward pass, where it can be run as it is, not in the backward pass.
    early = torch._functorch.config.patch(force_non_lazy_backward_lowering=runtime.compile)
    try:
        with early:
            yield
    finally:
        if runtime.recompute:
            backbone.recompute(False)
        if compiled:
            compiled.undo()


def blocks(backbone: Backbone) -> list[nn.Module]:
    """The transformer layers, first to last: the longest list of modules there is, with one entry per layer."""
    lists = (module for module in backbone.model.modules() if isinstance(module, nn.ModuleList))
    return list(next(found for found in lists if len(found) == backbone.layers))


class _Compiled:
    """Layers whose forward pass is compiled, until one of them fails."""

    def __init__(self, layers: list[nn.Module]) -> None:
        self.layers = layers
        for layer in layers:
            layer.forward = self._guarded(layer.forward)  # type: ignore[method-assign]

    def undo(self) -> None:
        for layer in self.layers:
            vars(layer).pop("forward", None)

    def _guarded(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        # Lengths vary from pass to pass; without `dynamic` every new one would be compiled for itself.
        fast = torch.compile(plain, dynamic=True)

        def forward(*args: Any, **kwargs: Any) -> Any:
            if "forward" not in vars(self.layers[0]):
                return plain(*args, **kwargs)
            try:
                return fast(*args, **kwargs)
            except (torch._dynamo.exc.TorchDynamoException, OSError) as error:
                LOG.warning("the layers run uncompiled: %s", " ".join(str(error).split())[:200])
                self.undo()
                return plain(*args, **kwargs)

        return forward

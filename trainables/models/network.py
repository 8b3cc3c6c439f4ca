"""What is trained and what is scored? A backbone with an adapter, and one head per task.

with network(backbone, adapter, parent, {"siqa": heads.choose(get("siqa"), causal)}, family, trainable=True) as net:
    net.loss(batch, "siqa")          # (N,) one loss per item
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from trainables import storage
from trainables.config import Adapter
from trainables.encoding import Batch, Family
from trainables.errors import CheckpointError, ModelError
from trainables.flops import FORWARD, flops
from trainables.models import adapters, heads
from trainables.models.backbone import Backbone
from trainables.models.heads import HeadSpec


@dataclass
class Network:
    """A model (backbone, usually with an adapter) and its heads, all on one device."""

    model: Any
    """A PeftModel around the backbone, or the bare backbone."""
    heads: Any
    """nn.ModuleDict: task name -> head; running text is called "text"."""
    specs: Mapping[str, HeadSpec]
    """What each of the heads is."""
    backbone: Backbone
    inherited: dict[str, str]
    """Task -> where its head's first weights came from, for heads that did not start at random."""
    spent: float = 0.0
    """FLOPs of all forward passes so far."""

    @property
    def device(self) -> torch.device:
        return self.backbone.device

    def hidden(self, batch: Batch) -> Tensor:
        """(R, T, H) last hidden states."""
        return self._run(batch).last_hidden_state

    def layers(self, batch: Batch) -> tuple[Tensor, ...]:
        """Hidden states of every layer, the embedding first: (layers + 1) x (R, T, H)."""
        return self._run(batch, output_hidden_states=True).hidden_states

    def _run(self, batch: Batch, **options):
        ids, mask = batch.input_ids.to(self.device), batch.attention_mask.to(self.device)
        base = self.backbone
        if base.longest is not None and ids.shape[1] > base.longest:
            raise ModelError(f"max_length: rows of {ids.shape[1]} tokens, but the model reads {base.longest}; lower it")
        self.spent += flops(base.linear, base.hidden, base.layers, ids.numel(), ids.shape[1], FORWARD)
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            return self.model(input_ids=ids, attention_mask=mask, **options)

    def loss(self, batch: Batch, task: str) -> Tensor:
        """(N,) one loss per item."""
        return self.heads[task].loss(self.hidden(batch), batch)

    @torch.no_grad()
    def predict(self, batch: Batch, task: str) -> list:
        return self.heads[task].predict(self.hidden(batch), batch)

    def save(self, folder: str) -> None:
        """Write adapter/ and heads/ into a local folder."""
        adapters.save(self.model, folder)
        heads.save(self.heads, self.specs, folder)


@contextmanager
def network(
    backbone: Backbone,
    adapter: Adapter,
    parent: str | None,
    wanted: Mapping[str, HeadSpec],
    family: Family,
    trainable: bool,
    checksums: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Network]:
    """A network for some tasks, continuing from a parent checkpoint when there is one; `checksums`: of its files.

    When training, every task wanted gets a new head, save that a pooled choice head starts from the parent's choice
    head (as XTREME-R's recipe for XCOPA does after SocialIQA); heads of earlier phases are kept frozen. When scoring,
    heads are the saved ones. There only a head without weights can be made anew, and a retrieval task needs none: it
    can compare pooled states. Any other task without a saved head raises `CheckpointError`, as does another checksum.
    """
    with ExitStack() as attached:
        with storage.checked(parent, checksums) if parent else nullcontext() as here:
            specs, tensors = heads.saved(here) if here else ({}, {})
            model = attached.enter_context(adapters.attached(backbone, adapter, here, trainable))
        modules: Any = nn.ModuleDict()
        inherited: dict[str, str] = {}
        for name, spec in specs.items():
            modules[name] = heads.build(spec, backbone, family)
            modules[name].load_state_dict(_part(tensors, name))
        donor = next((name for name, spec in specs.items() if spec.kind == "pooled"), None)
        for name, spec in wanted.items():
            if not trainable and (name in modules or spec.kind == "match"):
                continue
            if not trainable and spec.kind != "lm":
                raise CheckpointError(f"{parent or 'the bare backbone'} has no head for {name}; train it first")
            specs[name] = replace(spec, pooling=backbone.pooling)
            modules[name] = heads.build(specs[name], backbone, family)
            if trainable and donor and spec.kind == "pooled":
                modules[name].load_state_dict(_part(tensors, donor))
                inherited[name] = donor
        modules.requires_grad_(False)
        for name in wanted:
            if trainable:
                modules[name].requires_grad_(True)
        modules.to(backbone.device)
        yield Network(model, modules, specs, backbone, inherited)


def _part(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    prefix = name + "."
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}

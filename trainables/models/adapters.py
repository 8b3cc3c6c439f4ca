"""Who trains on the frozen base, and how does one phase hand over to the next?

An adapter is LoRA on every linear layer, wrapped around the bare backbone only. A phase that has a parent either

    continue   trains the parent's adapter on, or
    stack      freezes it and trains a second one on top; with a new one in every phase, the chain is the lineage.

An adapter is never merged: that would quantise the base again (an error of 2-8 % of the adapter's effect).

    with attached(backbone, config.adapter, parent, trainable=True) as model: ...

On leaving, the adapters are taken off again and the backbone is as it was, ready for the next trial. A checkpoint
holds the phase's own adapter in adapter/ and the frozen ones below it in stacked/0/, stacked/1/, ..., the oldest
first: plain PEFT folders, all of them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils import SAFETENSORS_WEIGHTS_NAME
from torch import nn

from trainables import storage
from trainables.config import Adapter
from trainables.errors import CheckpointError
from trainables.models.backbone import Backbone, forget

OWN = "default"
"""PEFT's name of the phase's own adapter: the one that it writes without a folder of its name."""


@contextmanager
def attached(backbone: Backbone, adapter: Adapter, parent: str | None, trainable: bool) -> Iterator[Any]:
    """The backbone with a new adapter, or with the parent's; the bare backbone when scoring without a parent.

    `parent` is a local checkpoint folder. Raises `CheckpointError` when it is damaged.
    """
    if parent is None and not trainable:
        yield backbone.model
        return
    model = _wrapped(backbone, adapter, parent, trainable)
    try:
        if trainable:
            _check_trainable(model)
        yield model
    finally:
        model.unload()
        backbone.recompute(False)
        backbone.model.requires_grad_(False)
        backbone.model.eval()


def stacked(checkpoint: str) -> list[str]:
    """Folders of the frozen adapters below a checkpoint's own, the oldest first."""
    folder = storage.join(checkpoint, "stacked")
    return [storage.join(folder, name) for name in sorted(storage.names(folder), key=int)]


def _wrapped(backbone: Backbone, adapter: Adapter, parent: str | None, trainable: bool) -> PeftModel:
    if parent is None:
        return _fresh(backbone, adapter)
    folder = storage.join(parent, "adapter")
    below = stacked(parent)
    try:
        if trainable and adapter.handover == "stack":
            below.append(folder)
            model = _fresh(backbone, adapter)
        else:
            model = PeftModel.from_pretrained(backbone.model, _safe(folder), is_trainable=trainable)
        for number, frozen in enumerate(below):
            model.load_adapter(_safe(frozen), _name(number))
    except Exception as error:
        # peft and safetensors raise a dozen types for a file that is cut short or absent, and by then peft may have
        # put half an adapter into the base that this process keeps loaded.
        forget()
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{parent}: the adapter cannot be loaded ({line}); train that phase again") from error
    if below:
        # Activating an adapter makes it trainable, the frozen ones too.
        tuner: Any = model.base_model
        tuner.set_adapter([*map(_name, range(len(below))), OWN])
        for name, value in model.named_parameters():
            value.requires_grad_(trainable and "lora_" in name and f".{OWN}" in name)
    return model


def _safe(folder: str) -> str:
    """A folder with safetensors; where there are none PEFT would unpickle adapter_model.bin."""
    if not Path(folder, SAFETENSORS_WEIGHTS_NAME).is_file():
        raise FileNotFoundError(f"no {SAFETENSORS_WEIGHTS_NAME}")
    return folder


def _fresh(backbone: Backbone, adapter: Adapter) -> PeftModel:
    config = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        use_rslora=adapter.rslora,
        use_dora=adapter.dora,
        target_modules="all-linear",
    )
    return get_peft_model(backbone.model, config)


def _name(number: int) -> str:
    """Of a frozen adapter inside the network. PEFT cuts the name out of tensor names: a bare number is not safe."""
    return f"stacked_{number}"


def _check_trainable(model: nn.Module) -> None:
    """Loading an adapter without `is_trainable` gives none, silently; then a phase would learn nothing."""
    count = sum(1 for name, parameter in model.named_parameters() if "lora_" in name and parameter.requires_grad)
    if not count:
        raise CheckpointError("no adapter tensor is trainable; the adapter was loaded frozen")


def save(model: PeftModel, folder: str) -> None:
    """Write plain PEFT folders into a local folder: the same adapter gives the same bytes."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as here:
        model.save_pretrained(here)
        frozen = [name for name in model.peft_config if name != OWN]
        for number in range(len(frozen)):
            target = Path(folder, "stacked", str(number))
            target.parent.mkdir(exist_ok=True)
            _tidy(Path(here, _name(number)).rename(target))
        own = Path(folder, "adapter")
        own.mkdir(exist_ok=True)
        for file in Path(here).iterdir():
            file.replace(own / file.name)
        _tidy(own)


def _tidy(path: Path) -> None:
    # PEFT adds a model card; it would say nothing that the record does not.
    (path / "README.md").unlink(missing_ok=True)
    # It also writes a set in an order of chance, and where on this machine the base was.
    config = json.loads((path / "adapter_config.json").read_text())
    config |= {"target_modules": sorted(config["target_modules"]), "base_model_name_or_path": None}
    (path / "adapter_config.json").write_text(json.dumps(config, indent=1, sort_keys=True))

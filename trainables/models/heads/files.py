"""How are the heads of a checkpoint kept? heads.safetensors (tensors named task.parameter) and heads.json.

{"panx": {"kind": "tag", "labels": ["O", "B-PER", ...], "unanswerable": false, "pooling": "last"}}
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trainables.errors import CheckpointError
from trainables.models.heads.kinds import HeadSpec


def save(heads: nn.ModuleDict, specs: Mapping[str, HeadSpec], folder: str) -> None:
    """Write both files into `heads/` of a local folder."""
    path = os.path.join(folder, "heads")
    os.makedirs(path, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in heads.state_dict().items()}, f"{path}/heads.safetensors")
    with open(f"{path}/heads.json", "w") as file:
        json.dump({name: asdict(specs[name]) for name in heads}, file, indent=1)


def saved(checkpoint: str) -> tuple[dict[str, HeadSpec], dict[str, Tensor]]:
    """({task: spec}, {task.parameter: tensor}) of a local checkpoint folder. Raises `CheckpointError` when damaged."""
    folder = os.path.join(checkpoint, "heads")
    try:
        with open(os.path.join(folder, "heads.json")) as file:
            found = {name: HeadSpec(**{**one, "labels": tuple(one["labels"])}) for name, one in json.load(file).items()}
        return found, load_file(os.path.join(folder, "heads.safetensors"))
    except Exception as error:
        # safetensors raises its own untyped error for a file that is cut short.
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{folder}: the heads cannot be loaded ({line}); train that phase again") from error

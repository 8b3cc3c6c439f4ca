"""How is a model quantised without ever being in memory?

Tensor by tensor, from the checkpoint's files into the snapshot's. What comes out is, to the bit, what transformers
would save after quantising on loading; but that takes the quantised model and every page of the files, this a few
tensors, whatever the size of the model. On no GPU, whose kernels need not round alike.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from bitsandbytes import functional
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import BitsAndBytesConfig, PreTrainedModel
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightRenaming, rename_source_key
from transformers.quantizers.base import HfQuantizer
from transformers.quantizers.quantizers_utils import should_convert_module

from trainables.errors import CheckpointError
from trainables.models import families

SHARD = 1 << 30
"""Bytes of a file; writing it takes as much memory again."""
# The compute dtype is set on loading, to what the machine is good at; here it must not differ between machines.
WAYS = {
    "nf4": BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    ),
    "int8": BitsAndBytesConfig(load_in_8bit=True),
}
Quantise = Callable[[str, Tensor], dict[str, Tensor]]


def quantise(folder: str, weights: Sequence[str], out: str, quantization: str) -> None:
    """Write the bare network of a local folder into another: configuration, index and files of safetensors.

    `weights` are the files of the model. Raises `CheckpointError` when some of its weights are not in them.
    """
    config, family = families.read(folder)
    model = families.empty(folder)
    names = _names(model, folder, weights)
    way: Quantise = _nf4 if quantization == "nf4" else _int8
    linear = _linear(model)
    index: dict[str, str] = {}
    for number, part in enumerate(_parts(_tensors(folder, names, linear, way))):
        file = f"model-{number + 1:05d}.safetensors"
        save_file(part, os.path.join(out, file), {"format": "pt"})
        index |= dict.fromkeys(part, file)
    with open(os.path.join(out, "model.safetensors.index.json"), "w") as target:
        json.dump({"metadata": {}, "weight_map": index}, target, indent=1, sort_keys=True)
    config.architectures, config.quantization_config = [family.network], WAYS[quantization]
    config.save_pretrained(out)


def _names(model: PreTrainedModel, folder: str, weights: Sequence[str]) -> dict[str, dict[str, str]]:
    """File -> name in it -> name in the bare network, of what belongs to it; tied weights once."""
    renamings = [
        one for one in get_model_conversion_mapping(model, families.TEXT_KEYS) if isinstance(one, WeightRenaming)
    ]
    there, tied = model.state_dict(), model.all_tied_weights_keys
    wanted = {tied.get(name, name) for name, _ in model.named_parameters()}
    found: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    for file in weights:
        found[file] = {}
        with safe_open(os.path.join(folder, file), "pt") as tensors:
            for key in sorted(tensors.keys()):
                name, _ = rename_source_key(key, renamings, [], model.base_model_prefix, there)
                name = tied.get(name, name)
                if name in there and name not in seen:
                    found[file][key] = name
                    seen.add(name)
    if missing := sorted(wanted - seen):
        raise CheckpointError(families.missing(folder, model, missing))
    return found


def _linear(model: PreTrainedModel) -> set[str]:
    """Names of the weights to be quantised: by the rule by which transformers expects them so."""
    kept = HfQuantizer.get_modules_to_not_convert(model, None, model._keep_in_fp32_modules)
    modules = (name for name, module in model.named_modules() if type(module) is nn.Linear)
    return {f"{name}.weight" for name in modules if should_convert_module(name, kept)}


def _tensors(
    folder: str, names: Mapping[str, Mapping[str, str]], linear: set[str], way: Quantise
) -> Iterator[dict[str, Tensor]]:
    """What becomes of one weight after the other."""
    for file, keys in names.items():
        with safe_open(os.path.join(folder, file), "pt") as tensors:
            for key, name in keys.items():
                value = tensors.get_tensor(key)
                yield way(name, value) if name in linear else {name: value}


def _parts(found: Iterator[dict[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
    """Tensors by files of about SHARD bytes."""
    part: dict[str, Tensor] = {}
    for some in found:
        part |= some
        if sum(value.nbytes for value in part.values()) >= SHARD:
            yield part
            part = {}
    if part:
        yield part


def _nf4(name: str, weight: Tensor) -> dict[str, Tensor]:
    codes, state = functional.quantize_4bit(weight.contiguous(), compress_statistics=True, quant_type="nf4")
    return {name: codes} | {f"{name}.{part}": value for part, value in state.as_dict(packed=True).items()}


def _int8(name: str, weight: Tensor) -> dict[str, Tensor]:
    codes, scales, _ = functional.int8_vectorwise_quant(weight.to(torch.float16).contiguous())
    module = name.removesuffix("weight")
    return {name: codes, f"{module}SCB": scales, f"{module}weight_format": torch.tensor(0, dtype=torch.uint8)}

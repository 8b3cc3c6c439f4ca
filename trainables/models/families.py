"""Which networks can be a frozen base, and what has to be known of each?

One line per `model_type` of transformers; `network` is the bare network, never a class with a head, because loading
would quantise the head too. What the class itself says (which attention kernels it has, what its width is called)
is asked of the class. Sources: transformers 5.23, and what was run on tiny networks of every family.

    family_of("qwen3").network                        # "Qwen3Model"
    check_attention("bloom", "bidirectional")         # ModelError: ALiBi ...
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
import transformers
from accelerate.hooks import remove_hook_from_module
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel
from transformers.utils import is_flash_attn_2_available
from transformers.utils import logging as transformers_logging

from trainables.config import Attention
from trainables.encoding import Family
from trainables.errors import CheckpointError, ModelError

# One line per state change is what a study prints; loading bars of every phase would drown it.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()

Pooling = Literal["cls", "last", "mean"]
"""Which state stands for a row: that of the first token, of the last real one, or the mean of the real ones."""


@dataclass(frozen=True)
class ModelFamily:
    """What sets a family of networks apart."""

    kind: Family
    network: str
    """Class of transformers."""
    pooling: Pooling = "last"
    """Of the family's own attention mode; a decoder that sees both sides is pooled by the mean."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the class. The pooler of XLM-R is a head that nobody here uses; left in, it would be quantised."""
    learned_positions: bool = False
    """Positions are rows of a table: a longer row cannot be read. They begin after the padding token's id."""
    output: tuple[str, ...] = ("lm_head.weight",)
    """Names of the language model's output weights where they are not the embedding; none: it has no such output."""
    one_way: str = ""
    """Why the network cannot see both sides; empty: it can."""


_ROBERTA: dict[str, Any] = {
    "kind": "encoder", "pooling": "cls", "options": {"add_pooling_layer": False}, "learned_positions": True,
    "output": ("lm_head.decoder.weight",),
}  # fmt: skip
FAMILIES: dict[str, ModelFamily] = {
    "xlm-roberta": ModelFamily(network="XLMRobertaModel", **_ROBERTA),
    "xlm-roberta-xl": ModelFamily(network="XLMRobertaXLModel", **_ROBERTA),
    # Without its decoder there is no output: mT5's weights for it read the decoder's states.
    "mt5": ModelFamily("encoder", "MT5EncoderModel", pooling="mean", output=()),
    "llama": ModelFamily("decoder", "LlamaModel"),
    "mistral": ModelFamily("decoder", "MistralModel"),
    "qwen2": ModelFamily("decoder", "Qwen2Model"),
    "qwen3": ModelFamily("decoder", "Qwen3Model"),
    "gemma3_text": ModelFamily("decoder", "Gemma3TextModel"),
    # Measured in a bidirectional BLOOM: the last of 8 keys gets several times the attention of the first.
    "bloom": ModelFamily("decoder", "BloomModel", one_way="ALiBi's bias grows with a key's position"),
    "xglm": ModelFamily("decoder", "XGLMModel"),
}
TEXT_PARTS = {"gemma3": "gemma3_text"}
"""Multimodal checkpoints of which the text part alone is loaded."""
TEXT_KEYS = {r"^(language_model\.model|model\.language_model)\.": ""}
"""Where the text part's weights stand in them: as published, and as transformers 5 names them."""


def family_of(model_type: str) -> ModelFamily:
    """Raises `ModelError` naming the families there are."""
    found = FAMILIES.get(TEXT_PARTS.get(model_type, model_type))
    if found is None:
        known = ", ".join(sorted({*FAMILIES, *TEXT_PARTS}))
        raise ModelError(
            f"model_type: {model_type!r} is not known; known are {known}; choose a model of one of these families"
        )
    return found


def check_attention(model_type: str, attention: Attention) -> None:
    """Raises `ModelError` for a mode that the family cannot run, or only unsoundly."""
    family = family_of(model_type)
    if family.kind == "encoder" and attention == "causal":
        raise ModelError(f"attention: causal is not possible for {model_type}, an encoder; use bidirectional")
    if family.one_way and attention == "bidirectional":
        raise ModelError(f"attention: bidirectional is not sound for {model_type} ({family.one_way}); use causal")


def pooling(family: ModelFamily, attention: Attention) -> Pooling:
    """Of a head that is made anew. The last token of a decoder that sees both sides is not special to it."""
    return "mean" if family.kind == "decoder" and attention == "bidirectional" else family.pooling


def longest(config: PreTrainedConfig, family: ModelFamily) -> int | None:
    """Tokens of the longest row the network can read; None where positions are computed."""
    return config.max_position_embeddings - config.pad_token_id - 1 if family.learned_positions else None


def read(folder: str) -> tuple[PreTrainedConfig, ModelFamily]:
    """The configuration of the model in a local folder, of its text part if it has others; and its family.

    Raises `CheckpointError` when config.json is absent or damaged, `ModelError` when the family is not known.
    """
    path = os.path.join(folder, "config.json")
    try:
        with open(path) as file:
            model_type = json.load(file)["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: not a model's configuration ({error!r}); fetch the model again") from error
    family = family_of(model_type)
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    return (config.text_config if model_type in TEXT_PARTS else config), family


def empty(folder: str) -> PreTrainedModel:
    """The bare network of a local folder, without its weights."""
    config, family = read(folder)
    with torch.device("meta"):
        return getattr(transformers, family.network)(config, **family.options)


def missing(folder: str, model: PreTrainedModel, names: list[str]) -> str:
    """What to say of weights that are not in a folder."""
    others = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{folder}: {names[0]}{others} of {type(model).__name__} missing; fetch or pretrain the model again"


def load(folder: str, device: str, dtype: torch.dtype | Literal["auto"], **options: Any) -> PreTrainedModel:
    """The bare network in a local folder, tensor by tensor straight to a device.

    Raises `CheckpointError` when weights are missing: transformers would make some up.
    """
    config, family = read(folder)
    network = getattr(transformers, family.network)
    model, report = network.from_pretrained(
        folder,
        config=config,
        dtype=dtype,
        device_map={"": device},
        attn_implementation=_kernel(network, device),
        key_mapping=TEXT_KEYS,
        use_safetensors=True,
        output_loading_info=True,
        **family.options,
        **options,
    )
    if names := sorted(report["missing_keys"]):
        raise CheckpointError(missing(folder, model, names))
    # All of it lies on one device. What steers a model over several only slows this one down.
    remove_hook_from_module(model, recurse=True)
    vars(model).pop("hf_device_map", None)
    return model


def _kernel(network: type[PreTrainedModel], device: str) -> str:
    """The fastest attention there is here for a network."""
    if device.startswith("cuda") and network._supports_flash_attn and is_flash_attn_2_available():
        return "flash_attention_2"
    return "sdpa" if network._supports_sdpa else "eager"

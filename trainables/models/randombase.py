"""How is a base of any size made without a download? From its shape, with random weights, matrix by matrix.

    base = random_base(ladder("qwen3").size("14b"), "nf4", torch.device("cuda"))

It answers nothing sensibly, but it is as large and as fast as the published model: it serves measurements. Every matrix
is drawn on the device and quantised at once, so that no more than one of them is ever there in full precision.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
import transformers
from bitsandbytes.nn import Int8Params, Linear4bit, Linear8bitLt, Params4bit
from torch import Tensor, nn
from transformers import AutoConfig, PreTrainedModel

from trainables.config import Architecture, Quantization, Size
from trainables.flops import linear_weights
from trainables.models import families
from trainables.models.backbone import Backbone
from trainables.models.shape import FAIRSEQ_OFFSET, head_width, resolved

VOCABULARY, POSITIONS = 32_000, 4096
"""Where a shape leaves them open."""


def random_base(
    size: Size, quantization: Quantization, device: torch.device, dtype: torch.dtype | None = None
) -> Backbone:
    """A frozen backbone with random weights and no tokenizer. Raises `ModelError` for an unknown network.

    `dtype` is that of published weights on a GPU (bf16), and fp32 on a CPU, unless given.
    """
    shape = resolved(size)
    config, family = network_config(shape), families.family_of(shape.model_type)
    dtype = dtype or (torch.bfloat16 if device.type == "cuda" else torch.float32)
    with torch.device("meta"):
        model = getattr(transformers, family.network)._from_config(config, dtype=dtype, **family.options)
    count = sum(value.numel() for value in model.parameters())
    for name, module in list(model.named_modules()):
        _materialise(model, module, device)
        if isinstance(module, nn.Linear) and name.rsplit(".", 1)[-1] not in _kept_whole(model):
            model.set_submodule(name, _quantised(module, quantization, dtype, device))
    model.tie_weights()
    # By these PEFT knows that its layers for quantised weights are to be used, as after from_pretrained.
    model.is_loaded_in_4bit, model.is_loaded_in_8bit = quantization == "nf4", quantization == "int8"
    model.config.use_cache = False
    model.requires_grad_(False)
    model.eval()
    return Backbone(
        model=model,
        tokenizer=None,
        parameters=count,
        linear=linear_weights(model),
        hidden=shape.hidden,
        layers=shape.layers,
        sha256="random",
        pooling=families.pooling(family, "causal" if family.kind == "decoder" else "bidirectional"),
        longest=families.longest(config, family),
        output=_output(model, shape, bool(family.output)),
    )


def network_config(shape: Architecture) -> Any:
    """transformers' configuration of a shape, by its network's own names."""
    rows, longest = shape.vocabulary or VOCABULARY, shape.positions or POSITIONS
    plain = {
        "vocab_size": rows,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.intermediate,
    }
    gated = {
        **plain,
        "num_key_value_heads": shape.kv_heads or shape.heads,
        "head_dim": head_width(shape),
        "max_position_embeddings": longest,
    }
    fairseq = {**plain, "max_position_embeddings": longest + FAIRSEQ_OFFSET, "type_vocab_size": 1, "pad_token_id": 1}
    named: dict[str, dict[str, Any]] = {
        "xlm-roberta": fairseq,
        "xlm-roberta-xl": fairseq,
        "bloom": {
            "vocab_size": rows, "hidden_size": shape.hidden, "n_layer": shape.layers, "n_head": shape.heads,
        },
        "xglm": {
            "vocab_size": rows, "d_model": shape.hidden, "num_layers": shape.layers, "attention_heads": shape.heads,
            "ffn_dim": shape.intermediate, "max_position_embeddings": longest,
        },
        "mt5": {
            "vocab_size": rows, "d_model": shape.hidden, "num_layers": shape.layers, "num_heads": shape.heads,
            "d_kv": head_width(shape), "d_ff": shape.intermediate,
        },
    }  # fmt: skip
    return AutoConfig.for_model(shape.model_type, **named.get(shape.model_type, gated))


def _output(model: PreTrainedModel, shape: Architecture, any_: bool) -> Tensor | None:
    embedding: Any = model.get_input_embeddings()
    if not any_:
        return None
    return embedding.weight if shape.tied else torch.zeros_like(embedding.weight)


def _kept_whole(model: PreTrainedModel) -> Collection[str]:
    """Last names of linear layers that transformers never quantises: mT5's `wo`."""
    return model._keep_in_fp32_modules or ()


def _materialise(model: PreTrainedModel, module: nn.Module, device: torch.device) -> None:
    """Draw the module's own tensors, tables such as those of rotary positions included."""
    own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    if any(value.is_meta for value in own):
        module.to_empty(device=device, recurse=False)
        model._init_weights(module)


def _quantised(linear: nn.Linear, quantization: Quantization, dtype: torch.dtype, device: torch.device) -> nn.Module:
    """A frozen copy of a linear layer in the form that a snapshot has; the original may be dropped."""
    if quantization == "none":
        return linear
    options = {"bias": linear.bias is not None, "device": "meta"}
    made: Any
    weight: Any
    if quantization == "nf4":
        made = Linear4bit(linear.in_features, linear.out_features, compute_dtype=dtype, quant_type="nf4", **options)
        weight = Params4bit(linear.weight.data, quant_type="nf4", module=made)
        made.support_avx512bf16_for_cpu = False
    else:
        made = Linear8bitLt(linear.in_features, linear.out_features, has_fp16_weights=False, **options)
        weight = Int8Params(linear.weight.data, requires_grad=False, has_fp16_weights=False)
    made.weight = weight.to(device)
    if linear.bias is not None:
        made.bias = nn.Parameter(linear.bias.data, requires_grad=False)
    return made

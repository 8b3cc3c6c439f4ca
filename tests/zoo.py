"""A tiny random published model of every family, on disk as the Hub has them: the whole model, not the bare network."""

from pathlib import Path
from typing import Any

import torch
import transformers

from tests import tokenizers

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
ROBERTA = {
    **SMALL, "max_position_embeddings": 130, "type_vocab_size": 1, "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0, "initializer_range": 0.1,
}  # fmt: skip
LLAMA = {
    **SMALL, "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 256, "initializer_range": 0.1,
}  # fmt: skip
GEMMA = {**LLAMA, "sliding_window": 16, "layer_types": ["sliding_attention", "full_attention"]}
# model_type -> class of the published checkpoint, its configuration, kind of tokenizer
MODELS: dict[str, tuple[str, dict[str, Any], str]] = {
    "xlm-roberta": ("XLMRobertaForMaskedLM", ROBERTA, "metaspace"),
    "xlm-roberta-xl": ("XLMRobertaXLForMaskedLM", ROBERTA, "metaspace"),
    "mt5": (
        "MT5ForConditionalGeneration",
        {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2, "dropout_rate": 0.0},
        "metaspace",
    ),
    "llama": ("LlamaForCausalLM", {**LLAMA, "tie_word_embeddings": False}, "metaspace"),
    "mistral": ("MistralForCausalLM", {**LLAMA, "tie_word_embeddings": False}, "metaspace"),
    "qwen2": ("Qwen2ForCausalLM", {**LLAMA, "tie_word_embeddings": True}, "bytes"),
    "qwen3": ("Qwen3ForCausalLM", {**LLAMA, "tie_word_embeddings": True}, "bytes"),
    "gemma3_text": ("Gemma3ForCausalLM", GEMMA, "metaspace"),
    "gemma3": (
        "Gemma3ForConditionalGeneration",
        {
            "text_config": GEMMA,
            "vision_config": {**SMALL, "num_hidden_layers": 1, "image_size": 16, "patch_size": 8},
            "mm_tokens_per_image": 4,
        },
        "metaspace",
    ),
    "bloom": ("BloomForCausalLM", {"hidden_size": 32, "n_layer": 2, "n_head": 2, "initializer_range": 0.1}, "bytes"),
    "xglm": (
        "XGLMForCausalLM",
        {
            "d_model": 32, "ffn_dim": 64, "num_layers": 2, "attention_heads": 2, "max_position_embeddings": 256,
            "dropout": 0.0, "attention_dropout": 0.0, "init_std": 0.1,
        },
        "metaspace",
    ),
}  # fmt: skip
NO_PAD = {"llama", "mistral"}
"""Their tokenizers come without a padding token."""


def save(folder: Path, model_type: str, seed: int = 0, dtype: torch.dtype = torch.float32, **saving: Any) -> str:
    """Write config, weights and tokenizer; returns the folder. `saving` goes to transformers: max_shard_size."""
    name, values, kind = MODELS[model_type]
    words = tokenizers.make(kind)
    if model_type in NO_PAD:
        words.pad_token = None
    if model_type == "mt5":
        words.bos_token = words.mask_token = None
    tokens = {"vocab_size": len(words), "eos_token_id": words.eos_token_id, "bos_token_id": words.bos_token_id}
    tokens["pad_token_id"] = words.pad_token_id
    if "text_config" in values:
        values = {**values, "text_config": {**values["text_config"], **tokens}, "image_token_index": 4}
        tokens = {}
    torch.manual_seed(seed)
    network = getattr(transformers, name)
    network(network.config_class(**values, **tokens)).to(dtype).save_pretrained(folder, **saving)
    words.save_pretrained(folder)
    return str(folder)

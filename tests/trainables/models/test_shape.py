"""The arithmetic of weights against the networks of transformers themselves, and against totals their authors gave."""

import pytest
import torch
from transformers import AutoConfig, AutoModel, MT5EncoderModel

from trainables.config import Architecture
from trainables.errors import ModelError
from trainables.flops import linear_weights
from trainables.models.ladders import ladder, ladder_names
from trainables.models.shape import FAIRSEQ_OFFSET, MODEL_TYPES, embeddings, head_width, linear, matrices, parameters

RUNGS = [
    (name, size)
    for name in ladder_names()
    for size, rung in ladder(name).sizes.items()
    if rung.model is not None
]  # fmt: skip
GATED = ("llama", "mistral", "qwen2", "qwen3", "gemma3_text")


def network(shape: Architecture) -> torch.nn.Module:
    """The bare network of a shape, without memory for its weights."""
    common = {
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
    }
    inner = {"mt5": "d_ff", "xglm": "ffn_dim"}.get(shape.model_type, "intermediate_size")
    if shape.model_type != "bloom":  # whose feed-forward part is always four times as wide
        common[inner] = shape.intermediate
    if shape.model_type in GATED:
        common |= {"num_key_value_heads": shape.kv_heads or shape.heads, "head_dim": head_width(shape)}
    if shape.model_type == "mt5":
        common |= {"d_kv": head_width(shape)}
    if shape.model_type.startswith("xlm"):
        common |= {"max_position_embeddings": (shape.positions or 0) + FAIRSEQ_OFFSET, "type_vocab_size": 1}
    config = AutoConfig.for_model(shape.model_type, **common)
    with torch.device("meta"):
        if shape.model_type == "mt5":
            return MT5EncoderModel(config)
        return AutoModel.from_config(config, **({"add_pooling_layer": False} if "xlm" in shape.model_type else {}))


def counted(model: torch.nn.Module) -> int:
    return sum(value.numel() for value in model.parameters())


@pytest.mark.parametrize(("name", "size"), RUNGS, ids=["-".join(rung) for rung in RUNGS])
def test_every_published_size_has_the_weights_of_its_network(name: str, size: str) -> None:
    shape = ladder(name).size(size).architecture
    model = network(shape)
    assert (parameters(shape), linear(shape)) == (counted(model), linear_weights(model))


# Totals of the checkpoints on the Hub, as their pages give them; output weights of their own taken off by hand.
TOTALS = {
    ("qwen3", "8b"): 8_190_735_360 - 151_936 * 4096,
    ("qwen3", "0.6b"): 596_049_920,
    ("qwen2_5", "72b"): 72_706_203_648 - 152_064 * 8192,
    ("qwen2_5", "0.5b"): 494_032_768,
    ("llama2", "7b"): 6_738_415_616 - 32_000 * 4096,
    ("llama3", "8b"): 8_030_261_248 - 128_256 * 4096,
    ("llama3", "70b"): 70_553_706_496 - 128_256 * 8192,
    ("llama3", "1b"): 1_235_814_400,
    ("gemma3", "1b"): 999_885_952,
    ("bloom", "560m"): 559_214_592,
}


@pytest.mark.parametrize("rung", TOTALS, ids=["-".join(rung) for rung in TOTALS])
def test_published_totals(rung: tuple[str, str]) -> None:
    name, size = rung
    model = ladder(name).sizes[size].model
    assert model is not None
    assert model.parameters == TOTALS[rung]


def test_mistral_is_counted_too() -> None:
    shape = Architecture(
        hidden=64, layers=3, heads=4, kv_heads=2, intermediate=96, vocabulary=100, model_type="mistral"
    )
    assert parameters(shape) == counted(network(shape))


def test_matrices_are_those_of_one_layer() -> None:
    shape = ladder("qwen3").size("0.6b").architecture
    square, narrow, wide = (1024, 2048), (1024, 1024), (1024, 3072)
    assert matrices(shape) == (square, narrow, narrow, (2048, 1024), wide, wide, (3072, 1024))
    assert linear(shape) == 28 * sum(a * b for a, b in matrices(shape))


def test_what_is_not_known_is_said() -> None:
    scratch = ladder("lab").size("xs").architecture
    with pytest.raises(ModelError, match="vocabulary: not known"):
        embeddings(scratch)
    with pytest.raises(ModelError, match=f"there are {MODEL_TYPES[0]}"):
        parameters(scratch)
    blind = Architecture(hidden=8, layers=1, heads=1, intermediate=8, vocabulary=9, model_type="xlm-roberta")
    with pytest.raises(ModelError, match="positions"):
        parameters(blind)

"""Which files a model is made of, whether it has the ladder's shape, and what an import leaves behind."""

import json
from pathlib import Path

import pytest

from tests import zoo
from trainables import storage
from trainables.config import Architecture, ImportConfig, Places, Size
from trainables.errors import CheckpointError, ModelError
from trainables.models import backbone
from trainables.models.published import ORIGIN, bring_in, check_shape, chosen
from trainables.models.shape import MODEL_TYPES

BARE = ["config.json", "tokenizer.json"]
SHARDS = [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
INDEX = "model.safetensors.index.json"


def test_the_files_of_a_model() -> None:
    words = ["config.json", "merges.txt", "tokenizer_config.json", "vocab.json"]
    others = ["README.md", "pytorch_model.bin", "generation_config.json", "1_Pooling/config.json", "original/t.model"]
    assert chosen([*words, *others, "model.safetensors"], "m", "") == [*words, "model.safetensors"]
    assert chosen([*BARE, INDEX, *reversed(SHARDS)], "m", "") == [*BARE, INDEX, *SHARDS]
    assert chosen([*BARE, INDEX, *SHARDS, "model.safetensors"], "m", "") == [*BARE, INDEX, *SHARDS]


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (
            [*BARE, "pytorch_model.bin"],
            "m: no .* in pytorch_model.bin, which is never unpickled; do x",
        ),
        ([*BARE, *SHARDS], "has no weights"),
        ([*BARE, INDEX, SHARDS[0]], "1 of 2 files model-00001-of-00002.safetensors"),
        (["tokenizer.json", "model.safetensors"], "has no config.json"),
        (["config.json", "model.safetensors", "tokenizer_config.json"], "has no tokenizer"),
    ],
)
def test_what_is_not_a_model(names: list[str], line: str) -> None:
    with pytest.raises(ModelError, match=line):
        chosen(names, "m", "do x")


def shape(model_type: str, vocabulary: int) -> Architecture:
    """Of the models of `tests.zoo`."""
    gated = model_type in ("llama", "mistral", "qwen2", "qwen3", "gemma3_text")
    wide = 128 if model_type == "bloom" else 64
    return Architecture(
        hidden=32, layers=2, heads=2, kv_heads=1 if gated else None, head_dim=16, intermediate=wide,
        vocabulary=vocabulary, positions=128, model_type=model_type,
    )  # fmt: skip


@pytest.mark.parametrize("model_type", [*MODEL_TYPES, "gemma3"])
def test_a_model_of_every_network_is_told_from_another_shape(tmp_path: Path, model_type: str) -> None:
    zoo.save(tmp_path, model_type)
    content = json.loads((tmp_path / "config.json").read_text())
    rows = content.get("text_config", content)["vocab_size"]
    found = shape(model_type.replace("gemma3_text", "gemma3").replace("gemma3", "gemma3_text"), rows)
    check_shape(content, found, "here")
    for name, value in {"hidden": 64, "layers": 3, "heads": 4, "vocabulary": 7}.items():
        wrong = found.model_copy(update={name: value})
        with pytest.raises(ModelError, match=rf"here: config.json has {name} \d+ \(the ladder says {value}\); correct"):
            check_shape(content, wrong, "here")
    other = found.model_copy(update={"model_type": "bert"})
    with pytest.raises(ModelError, match=f"model_type {found.model_type} "):
        check_shape(content, other, "here")


def import_config(folder: Path, quantization: str = "nf4") -> ImportConfig:
    rows = json.loads((folder / "config.json").read_text())["vocab_size"]
    names = chosen(storage.names(str(folder)), "m", "")
    return ImportConfig(
        ladder="own",
        size=Size(name="s", family="decoder", architecture=shape("llama", rows)),
        quantization=quantization,
        files={name: storage.checksum(str(folder / name)) for name in names},
    )


def places(folder: Path) -> Places:
    return Places(root="", backbone="", snapshots=str(folder / "snapshots"), output=str(folder / "phase"))


@pytest.mark.parametrize("quantization", ["nf4", "int8", "none"])
def test_an_import_leaves_what_other_phases_load(tmp_path: Path, quantization: str) -> None:
    model = tmp_path / "model"
    zoo.save(model, "llama", max_shard_size="60KB")
    config = import_config(model, quantization)
    said: list[dict[str, float]] = []
    done = bring_in(config, str(model), places(tmp_path), said.append)
    checkpoint = tmp_path / "phase" / "checkpoint"
    assert [path.name for path in checkpoint.iterdir()] == [ORIGIN], "weights are not copied"
    loaded = backbone.load(str(checkpoint), str(tmp_path / "snapshots"), quantization, "causal")
    assert loaded.parameters == done.parameters and loaded.sha256 == done.snapshot
    assert said[-1] == {"step": 1, "steps": 2}


def test_other_files_are_refused_and_another_tokenizer_is_another_snapshot(tmp_path: Path) -> None:
    model = tmp_path / "model"
    zoo.save(model, "llama", max_shard_size="60KB")
    first = bring_in(import_config(model), str(model), places(tmp_path), lambda event: None)
    settings = json.loads((model / "tokenizer_config.json").read_text()) | {"model_max_length": 77}
    (model / "tokenizer_config.json").write_text(json.dumps(settings))
    config = import_config(model)
    bring_in(config, str(model), places(tmp_path), lambda event: None)
    assert len(list((tmp_path / "snapshots").glob("nf4-*"))) == 2
    shard = sorted(model.glob("*.safetensors"))[0]
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    other = config.model_copy(update={"quantization": "int8"})
    with pytest.raises(CheckpointError, match=f"{shard.name}: sha256 is .* fetch or pretrain the model again"):
        bring_in(other, str(model), places(tmp_path), lambda event: None)
    assert first.parameters > 0

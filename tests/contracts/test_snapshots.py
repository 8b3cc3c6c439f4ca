"""A frozen base is the same bytes for everyone, made once, and in little memory."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from tests import tokenizers, zoo
from tests.contracts.walk import digest
from trainables import storage
from trainables.errors import CheckpointError, ModelError
from trainables.models import backbone as backbones
from trainables.models import families
from trainables.models.families import FAMILIES
from trainables.models.quantising import WAYS
from trainables.models.snapshots import snapshot


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    """An untied decoder in several files, as the large ones are published, in bfloat16."""
    folder = tmp_path_factory.mktemp("llama")
    return zoo.save(folder, "llama", dtype=torch.bfloat16, max_shard_size="20KB")


def imported(model: str, folder: Path) -> str:
    """A checkpoint that only says where the model is."""
    folder.mkdir()
    storage.write_json(str(folder / "origin.json"), {"folder": model, "files": storage.checksums(model)})
    return str(folder)


@pytest.mark.parametrize("name", ["../secret.safetensors", "/etc/secret.safetensors", "pytorch_model.bin"])
def test_an_index_names_safetensors_beside_it_and_nothing_else(llama, tmp_path, name):
    model = Path(shutil.copytree(llama, tmp_path / "model"))
    (tmp_path / "secret.safetensors").write_bytes(b"x")
    index = model / "model.safetensors.index.json"
    told = json.loads(index.read_text())
    told["weight_map"][next(iter(told["weight_map"]))] = name
    index.write_text(json.dumps(told))
    with pytest.raises(CheckpointError, match="which is no safetensors file beside it; fetch") as error:
        snapshot(str(model), str(tmp_path / "snapshots"), "nf4")
    assert repr(name) in str(error.value) and "\n" not in str(error.value)


def test_code_that_comes_with_a_model_is_never_run(llama, tmp_path):
    model = Path(shutil.copytree(llama, tmp_path / "model"))
    (model / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Words: pass\n")
    for name, places in {"tokenizer_config.json": ["mine.Words", None], "config.json": "mine.Words"}.items():
        told = json.loads((model / name).read_text())
        kind = "AutoTokenizer" if name == "tokenizer_config.json" else "AutoConfig"
        told |= {"auto_map": {kind: places}, "tokenizer_class": "Words"}
        (model / name).write_text(json.dumps(told))
    with suppress(ModelError):  # or a class of transformers' own is taken
        snapshot(str(model), str(tmp_path / "snapshots"), "nf4")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("model_type", [*FAMILIES, "gemma3"])
@pytest.mark.parametrize("way", WAYS)
def test_a_snapshot_reloads_to_what_was_quantised_and_two_are_equal(tmp_path, model_type, way):
    source = zoo.save(tmp_path / "model", model_type, dtype=torch.bfloat16, max_shard_size="20KB")
    one, other = (snapshot(source, str(tmp_path / name), way) for name in ("one", "other"))
    assert storage.checksums(one) == storage.checksums(other)
    quantised = families.load(source, "cpu", "auto", quantization_config=WAYS[way]).state_dict()
    again = families.load(one, "cpu", "auto").state_dict()
    assert again.keys() == quantised.keys()
    assert all(torch.equal(again[name], quantised[name]) for name in quantised)
    assert any(value.dtype in (torch.uint8, torch.int8) for value in again.values())


def test_a_sharded_untied_decoder_keeps_its_output_weights_unquantised(llama, tmp_path):
    assert len(list(Path(llama).glob("model-*.safetensors"))) > 2
    path = Path(snapshot(imported(llama, tmp_path / "checkpoint"), str(tmp_path / "snapshots"), "nf4"))
    [weights] = load_file(path / "output.safetensors").values()
    whole = LlamaForCausalLM.from_pretrained(llama)
    assert weights.dtype == torch.bfloat16
    assert torch.equal(weights, whole.lm_head.weight)
    assert not torch.equal(weights, whole.model.embed_tokens.weight)
    facts = json.loads((path / "snapshot.json").read_text())
    assert facts["files"] == {name: storage.checksum(str(path / name)) for name in facts["files"]}
    assert "output.safetensors" in facts["files"]


def test_a_snapshot_is_made_once_and_shared_wherever_the_model_lies(llama, tmp_path):
    store = str(tmp_path / "snapshots")
    with ThreadPoolExecutor(3) as pool:
        found = set(pool.map(lambda _: snapshot(llama, store, "nf4"), range(3)))
    [path] = found
    written = Path(path, "snapshot.json").stat().st_mtime_ns
    assert snapshot(imported(llama, tmp_path / "checkpoint"), store, "nf4") == path
    assert Path(path, "snapshot.json").stat().st_mtime_ns == written
    assert snapshot(llama, store, "int8") != path


def test_another_configuration_is_another_snapshot(llama, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for file in Path(llama).iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 0.1}))
    assert snapshot(llama, str(tmp_path / "s"), "nf4") != snapshot(str(other), str(tmp_path / "s"), "nf4")


def test_unquantised_nothing_is_copied_and_the_files_are_still_looked_at(llama, tmp_path):
    checkpoint, store = imported(llama, tmp_path / "checkpoint"), tmp_path / "snapshots"
    assert snapshot(checkpoint, str(store), "none") == llama
    assert not store.exists()
    base = backbones.load(checkpoint, str(store), "none", "causal")
    assert not torch.equal(base.output_embedding, base.model.get_input_embeddings().weight)
    origin = storage.read_json(f"{checkpoint}/origin.json")
    origin["files"]["config.json"] = "0" * 64
    storage.write_json(f"{checkpoint}/origin.json", origin)
    backbones.forget()
    for way in ("none", "nf4"):
        with pytest.raises(CheckpointError, match="config.json: sha256 is .* but 000000000000 was recorded; fetch"):
            backbones.load(checkpoint, str(store), way, "causal")


def test_a_damaged_snapshot_is_named_and_made_again(llama, tmp_path):
    store = str(tmp_path / "snapshots")
    path = snapshot(llama, store, "nf4")
    before = digest(backbones.load(llama, store, "nf4", "causal").model)
    file = Path(path, "model-00001.safetensors")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    backbones.forget()
    with pytest.raises(CheckpointError, match="model-00001.safetensors: sha256 is .* made again"):
        backbones.load(llama, store, "nf4", "causal")
    assert digest(backbones.load(llama, store, "nf4", "causal").model) == before


@pytest.mark.parametrize("way", ["none", "nf4"])
def test_a_model_that_is_not_what_its_phase_recorded_is_not_loaded(llama, tmp_path, way):
    """Nor one that a file beside it points to, which no phase has written."""
    for checkpoint, file in ((str(shutil.copytree(llama, tmp_path / "own")), "config.json"),
                             (imported(llama, tmp_path / "import"), "origin.json")):  # fmt: skip
        recorded, store = storage.checksums(checkpoint), str(tmp_path / "snapshots" / Path(checkpoint).name)
        loaded = backbones.load(checkpoint, store, way, "causal", checksums=recorded)
        backbones.forget()
        if file == "config.json":
            origin = {"folder": str(tmp_path / "nowhere"), "files": {}}
            storage.write_json(f"{checkpoint}/origin.json", origin)
            again = backbones.load(checkpoint, store, way, "causal", checksums=recorded)
            assert digest(again.model) == digest(loaded.model)
        shutil.rmtree(store, ignore_errors=True)
        told = json.loads(Path(checkpoint, file).read_text())
        Path(checkpoint, file).write_text(json.dumps(told) + "\n")
        backbones.forget()
        with pytest.raises(CheckpointError, match=f"{file}: sha256 .* was recorded"):
            backbones.load(checkpoint, store, way, "causal", checksums=recorded)
        backbones.forget()


@pytest.mark.parametrize("gone", ["model.safetensors", "config.json"])
def test_a_model_without_a_file_is_named(tmp_path, gone):
    source = zoo.save(tmp_path / "model", "qwen3")
    Path(source, gone).unlink()
    with pytest.raises(CheckpointError, match=f"{gone}: missing; fetch or pretrain"):
        snapshot(source, str(tmp_path / "s"), "nf4")


def test_weights_that_are_not_in_the_files_are_not_invented(tmp_path):
    source = zoo.save(tmp_path / "model", "qwen3")
    tensors = load_file(f"{source}/model.safetensors")
    gone = [name for name in tensors if "layers.1.mlp" in name]
    save_file({name: value for name, value in tensors.items() if name not in gone}, f"{source}/model.safetensors")
    with pytest.raises(CheckpointError, match=r"layers.1.mlp.down_proj.weight and 2 more of Qwen3Model missing; fetch"):
        snapshot(source, str(tmp_path / "s"), "nf4")
    assert not (tmp_path / "s" / "snapshot.json").exists()


def test_a_model_without_a_usable_tokenizer_is_named(tmp_path):
    source = zoo.save(tmp_path / "model", "mt5")
    Path(source, "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="its tokenizer cannot be loaded .* needs tokenizer.json"):
        snapshot(source, str(tmp_path / "s"), "nf4")
    assert not list((tmp_path / "s").glob("nf4*")), "nothing half made is left"


MEASURED = """
import sys
from trainables.models import quantising, snapshots
source, store, warm = sys.argv[1:]
quantising.SHARD = 10 << 20
def peak():  # ru_maxrss would be that of the parent process, where it was more
    return next(1024 * int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
snapshots.snapshot(warm, store, "nf4")
before = peak()
snapshots.snapshot(source, store, "nf4")
print(peak() - before)
"""


def test_a_snapshot_is_made_in_less_memory_than_the_model_would_take(tmp_path):
    words = tokenizers.make("metaspace")
    config = LlamaConfig(
        hidden_size=512, intermediate_size=2048, num_hidden_layers=15, num_attention_heads=8, vocab_size=4096,
        eos_token_id=2, pad_token_id=1, tie_word_embeddings=False,
    )  # fmt: skip
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    model = model.to_empty(device="cpu").to(torch.bfloat16)
    for value in model.parameters():
        value.data.uniform_(-0.1, 0.1)
    model.save_pretrained(tmp_path / "model", max_shard_size="15MB")
    words.save_pretrained(tmp_path / "model")
    del model
    size = sum(file.stat().st_size for file in (tmp_path / "model").glob("*.safetensors"))
    assert size > 130e6
    warm = zoo.save(tmp_path / "warm", "llama")
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path / "model"), str(tmp_path / "snapshots"), warm],
        # glibc maps large blocks and gives them back at once: a real model's matrices, and with this the small ones.
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert 0 < int(done.stdout) < size, "mapped pages of the files included"

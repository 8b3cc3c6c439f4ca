"""Published models from the Hub to the report, by the commands that a user types: one encoder and one decoder.

The Hub is a stand-in on loopback; the models are tiny and random, but whole: configuration, real fast tokenizer, and
safetensors, the decoder's in three shards with output weights of its own. The texts are the lab's.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors import safe_open

from study.store import Store
from tests import zoo
from tests.hub_stand_in import HubStandIn, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
STUDY: dict[str, Any] = {
    "name": "published",
    "ladder": "tiny.yaml",
    "arms": {"none": None, "siqa": "siqa"},
    "targets": ["xcopa"],
    "seeds": [0],
    "training": {"batch_size": 12, "steps": {"default": 4}, "max_length": 48, "evaluations": 1},
    "search": {"trials": 1},
    "compute": {"slots": 1},
    "tracking": {"enabled": False},
    "report": {"bootstrap": 50},
}
"""One slot: a second process would take longer to import torch than all phases take."""


@pytest.fixture(scope="module")
def hub() -> Iterator[HubStandIn]:
    with serving() as found:
        yield found


def study(hub: HubStandIn, folder: Path, *arguments: str, code: int = 0) -> str:
    """Run the command line in a process of its own; returns what it printed."""
    environment = {name: value for name, value in os.environ.items() if name not in ("RAY_ADDRESS", "HF_TOKEN")}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2])}  # the working directory is another
    environment |= {"HF_ENDPOINT": hub.address, "NO_PROXY": "127.0.0.1", "HF_HOME": str(folder / "hf")}
    command = [sys.executable, "-m", "study", *arguments, "--storage", str(folder / "runs")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=250, cwd=folder)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def published(hub: HubStandIn, folder: Path, model_type: str, repo: str, **saving: Any) -> dict[str, Any]:
    """Put a tiny model on the Hub; returns its size of a ladder."""
    zoo.save(folder, model_type, **saving)
    hub.add(repo, {path.name: path.read_bytes() for path in folder.iterdir()}, kind="model")
    config = json.loads((folder / "config.json").read_text())
    names = {"hidden": "hidden_size", "layers": "num_hidden_layers", "heads": "num_attention_heads",
             "intermediate": "intermediate_size", "vocabulary": "vocab_size", "kv_heads": "num_key_value_heads",
             "head_dim": "head_dim"}  # fmt: skip
    shape = {name: config[key] for name, key in names.items() if key in config}
    return {**shape, "model_type": model_type, "model": {"repo": repo}}


def write(folder: Path, family: str, attention: str, rung: dict[str, Any], **changes: Any) -> str:
    """A study and its ladder, beside each other; the name of the study's file."""
    folder.mkdir()
    ladder = {"title": "Tiny", "family": family, "attention": attention, "sizes": {"t": rung}}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(ladder, sort_keys=False))
    (folder / "study.yaml").write_text(yaml.safe_dump({**STUDY, **changes}, sort_keys=False))
    return "study.yaml"


def walk(hub: HubStandIn, folder: Path, name: str) -> Store:
    """Type what a user types; checks what is said on the way, returns the store."""
    said = study(hub, folder, "fetch", name)
    assert "model.safetensors" in said or "-of-00003.safetensors" in said
    asked = len(hub.requests)
    assert "import-t" in study(hub, folder, "plan", name)
    said = study(hub, folder, "run", name)
    assert "7 of 7 phases done, 0 failed" in said
    assert len(hub.requests) == asked, "after the fetch nothing needs the Hub"
    (folder / "tiny.yaml").unlink()
    assert "page:" in study(hub, folder, "report", name), "the study's folder keeps the ladder"
    return Store(folder / "runs" / "published")


def check(store: Store, folder: Path) -> None:
    """The chain from the files of the Hub to the scores."""
    records = {record.kind: record for record in store.records() if record.arm in (None, "siqa")}
    brought = records["import"]
    origin = json.loads(Path(store.checkpoint_folder(brought.key), "origin.json").read_text())
    fetched = json.loads(Path(origin["folder"], "fetched.json").read_text())
    assert origin["files"] == {name: file["sha256"] for name, file in fetched["files"].items()}
    assert Path(origin["folder"]).parent.parent == folder / "runs" / "models"
    target = records["target"]
    assert target.parent == records["intermediate"].key and target.lineage[0] == brought.key
    assert target.parameters == brought.parameters > 0
    scores = records["evaluation"].scores
    assert {score.task for score in scores} == {"xcopa", "siqa"} and all(0 <= s.score <= 100 for s in scores)


def test_an_encoder(hub: HubStandIn, tmp_path: Path) -> None:
    rung = published(hub, tmp_path / "model", "xlm-roberta", "house/encoder")
    rung["positions"] = zoo.ROBERTA["max_position_embeddings"] - 2
    folder = tmp_path / "study"
    check(walk(hub, folder, write(folder, "encoder", "bidirectional", rung)), folder)


def test_a_decoder_in_shards(hub: HubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, values, words = zoo.MODELS["qwen3"]
    monkeypatch.setitem(zoo.MODELS, "qwen3", (name, {**values, "tie_word_embeddings": False}, words))
    model = tmp_path / "model"
    rung = published(hub, model, "qwen3", "house/decoder", max_shard_size="70KB")
    index = json.loads((model / "model.safetensors.index.json").read_text())["weight_map"]
    assert len(set(index.values())) == 3 and "lm_head.weight" in index
    folder = tmp_path / "study"
    store = walk(hub, folder, write(folder, "decoder", "causal", rung))
    check(store, folder)
    # The options of xcopa were scored by the language model's own output weights: they are in the snapshot.
    (output,) = Path(store.snapshots).glob("nf4-*/output.safetensors")
    with safe_open(output, "pt") as kept, safe_open(model / index["lm_head.weight"], "pt") as own:
        assert kept.get_tensor("lm_head.weight").equal(own.get_tensor("lm_head.weight"))

"""Which files are a published model, and are they the model that the ladder means?

Configuration, tokenizer and safetensors, in one file or in a numbered series with its index. Weights in any other form
are pickles, which are never read. What is imported stays where it is: an import leaves `origin.json`, which says where
the files are and what they contain, and the quantised snapshot that every other phase loads.

    chosen(["config.json", "model.safetensors", "tokenizer.json", "pytorch_model.bin"], "someone/model", "")
    # ["config.json", "tokenizer.json", "model.safetensors"]
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from trainables import storage
from trainables.config import Architecture, ImportConfig, Places
from trainables.errors import ModelError
from trainables.models.shape import parameters
from trainables.results import Report

CONFIG, SINGLE, INDEX, ORIGIN = "config.json", "model.safetensors", "model.safetensors.index.json", "origin.json"
SERIES = r"model-(\d+)-of-(\d+)\.safetensors"
TOKENIZERS = ("tokenizer.json", "*.model", "vocab.*")
"""One of these makes a tokenizer: all of it, SentencePiece's, or that of byte-level BPE."""
BESIDE = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt")
OTHER_WEIGHTS = ("*.bin", "*.pt", "*.pth", "*.h5", "*.msgpack")


def chosen(names: Collection[str], place: str, way_out: str) -> list[str]:
    """Files of a model among the names of a folder or repository, the configuration first, the weights last.

    Raises `ModelError` naming `place` and what it lacks; `way_out` says what to do about pickled weights.
    """
    if CONFIG not in names:
        raise ModelError(f"{place}: has no {CONFIG}; is this a transformers model?")
    words = tokenizer_files(names)
    if not any(_any(name, TOKENIZERS) for name in words):
        raise ModelError(f"{place}: has no tokenizer (tokenizer.json, a SentencePiece model or vocab.json)")
    series = sorted(name for name in names if re.fullmatch(SERIES, name))
    if series and INDEX in names:
        weights = [INDEX, *series]
        count = int(re.fullmatch(SERIES, series[0])[2])  # type: ignore[index]
        if len(series) != count:
            raise ModelError(f"{place}: {len(series)} of {count} files {series[0]} ... are there; get the others")
    elif SINGLE in names:
        weights = [SINGLE]
    else:
        pickled = next((name for name in sorted(names) if _any(name, OTHER_WEIGHTS)), None)
        told = f"its weights are in {pickled}, which is never unpickled; {way_out}" if pickled else "has no weights"
        raise ModelError(f"{place}: no {SINGLE} and no whole series of them; {told}")
    return [CONFIG, *words, *weights]


def tokenizer_files(names: Collection[str]) -> list[str]:
    """Those among the names of a folder or repository that make up its tokenizer."""
    return sorted(name for name in names if _any(name, (*TOKENIZERS, *BESIDE)))


def _any(name: str, patterns: tuple[str, ...]) -> bool:
    return "/" not in name and any(fnmatchcase(name, pattern) for pattern in patterns)


def check_shape(content: dict[str, Any], shape: Architecture, place: str) -> None:
    """Compare the content of a config.json with the ladder. Raises `ModelError` naming every number that differs."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.for_model(**content).get_text_config()
    except Exception as error:  # a configuration is foreign text: anything may be wrong with it
        reason = " ".join(str(error).split())[:160]
        raise ModelError(f"{place}: transformers cannot read its {CONFIG} ({reason})") from error
    said = {name: getattr(shape, name) for name in _NAMES} | {"model_type": shape.model_type}
    found = {name: _first(config, names) for name, names in _NAMES.items()} | {"model_type": config.model_type}
    wrong = [
        f"{name} {found[name]} (the ladder says {wanted})"
        for name, wanted in said.items()
        if wanted is not None and found[name] is not None and found[name] != wanted
    ]
    if wrong:
        raise ModelError(f"{place}: {CONFIG} has {', '.join(wrong)}; correct the ladder, or take another revision")


_NAMES = {
    "hidden": ("hidden_size",),
    "layers": ("num_hidden_layers",),
    "heads": ("num_attention_heads",),
    "kv_heads": ("num_key_value_heads",),
    "head_dim": ("head_dim", "d_kv"),
    "intermediate": ("intermediate_size", "ffn_dim", "d_ff"),
    "vocabulary": ("vocab_size",),
}
"""Numbers of a shape -> their names in transformers' configurations."""


def _first(config: Any, names: tuple[str, ...]) -> Any:
    return next((value for name in names if (value := getattr(config, name, None)) is not None), None)


@dataclass(frozen=True)
class Imported:
    """A model that phases can build on."""

    parameters: int
    """Of the bare backbone."""
    snapshot: str
    """sha256 of the snapshot."""
    seconds: float


def bring_in(config: ImportConfig, folder: str, places: Places, report: Report) -> Imported:
    """Leave `checkpoint/origin.json` in `places.output` and make the snapshot of the model in `folder`.

    Raises `ModelError` or `CheckpointError` when the files are not those that were fetched, or of another shape.
    """
    from trainables.models.snapshots import base

    started = time.perf_counter()
    report({"step": 0, "steps": 2})
    shape = config.size.architecture
    check_shape(storage.read_json(storage.join(folder, CONFIG)), shape, folder)
    report({"step": 1, "steps": 2})
    with storage.publish(storage.join(places.output, "checkpoint")) as checkpoint:
        origin = {"folder": folder, "files": config.files}
        storage.write_json(storage.join(checkpoint, ORIGIN), origin)
        made = base(checkpoint, places.snapshots, config.quantization)
    return Imported(parameters(shape), made.sha256, time.perf_counter() - started)

"""Which bytes is a frozen base loaded from?

All phases of a size use one snapshot: the model, quantised once to NF4 with double quantisation (Dettmers et al.
2023) or to int8 (LLM.int8(), Dettmers et al. 2022), saved, hashed, shared by every study on the same storage. Its
codes depend on the dtype it was quantised from, so that is the checkpoint's own, always
(`trainables.models.quantising`).

    snapshots/nf4-0123456789abcdef/
      config.json, model-*.safetensors with their index,
        tokenizer files                                   the bare network, as transformers saves it
      output.safetensors                                  output weights of an untied language model, unquantised
      snapshot.json                                       sha256 of the weights, and of what they were made from

Unquantised there is nothing to make: the base is the model's own files, hashed all the same.

A model is a folder (config.json, model.safetensors or shards with their index, tokenizer files), or a checkpoint
whose origin.json says which folder, and the sha256 its files must have.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoTokenizer

from trainables import locks, storage
from trainables.config import Quantization
from trainables.errors import CheckpointError, ModelError
from trainables.models import families
from trainables.models.basefiles import FACTS, Base, verify
from trainables.models.published import CONFIG, INDEX, ORIGIN, SINGLE, tokenizer_files
from trainables.models.quantising import quantise

VERSION = 1
"""Raise it when the same model no longer gives the same snapshot."""
OUTPUT = "output.safetensors"


def snapshot(folder: str, snapshots: str, quantization: Quantization) -> str:
    """Folder of the snapshot of the model in `folder`; made on the first call. Unquantised: the model's own folder.

    Raises `CheckpointError` when the model is incomplete or differs from its origin.json, `ModelError` when it is of
    no known family or its tokenizer cannot be loaded.
    """
    return base(folder, snapshots, quantization).folder


def base(
    folder: str, snapshots: str, quantization: Quantization, checksums: Mapping[str, str] = MappingProxyType({})
) -> Base:
    """What `snapshot` makes or finds, with its checksums; the same errors. The bytes are not looked at again.

    `checksums`: what the files in `folder` must be, {name: sha256}; else they are taken as they are.
    """
    source = _source(folder, checksums)
    if quantization == "none":
        return source
    key = hashlib.sha256(f"{VERSION} {source.sha256}".encode()).hexdigest()[:16]
    target = storage.join(snapshots, f"{quantization}-{key}")
    facts = storage.join(target, FACTS)
    if not storage.exists(facts):
        with _locked(target):
            if not storage.exists(facts):
                _make(source, target, quantization)
    return Base(target, storage.read_json(facts)["files"])


def output_weights(folder: str, names: tuple[str, ...]) -> Tensor | None:
    """(V, H) output weights of a language model in a local folder, under one of the names; None: there are none."""
    # In published multimodal checkpoints the text part's names have this in front.
    wanted = {prefix + name for name in names for prefix in ("", "language_model.")}
    for file in [*_weight_files(folder), OUTPUT]:
        path = os.path.join(folder, file)
        if os.path.exists(path):
            with safe_open(path, "pt") as tensors:
                for name in wanted.intersection(tensors.keys()):
                    return tensors.get_tensor(name)
    return None


def tokenizer(folder: str) -> Any:
    """The tokenizer in a local folder; one without a padding token pads with its end token (masks tell them apart).

    Raises `ModelError` when it cannot be loaded.
    """
    try:
        found = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:
        # transformers raises whatever the missing library or file happened to cause.
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"{folder}: its tokenizer cannot be loaded ({line}); the model needs tokenizer.json"
        ) from error
    if found.pad_token_id is None:
        found.pad_token = found.eos_token
    return found


def _source(folder: str, recorded: Mapping[str, str]) -> Base:
    """The model's own files. Those that are recorded are taken at their word here: see `verify`."""
    origin = storage.join(folder, ORIGIN)
    if ORIGIN in recorded or (not recorded and storage.exists(origin)):
        storage.verify(folder, {name: recorded[name] for name in recorded if name == ORIGIN})
        told = storage.read_json(origin)
        folder, recorded = told["folder"], told["files"]
    # The tokenizer is a part of the snapshot: another one makes another.
    names = [CONFIG, *tokenizer_files(storage.names(folder)), *_weight_files(folder)]
    return Base(folder, {name: recorded.get(name) or storage.checksum(storage.join(folder, name)) for name in names})


def _weight_files(folder: str) -> list[str]:
    """Raises `CheckpointError` when there are none, or one is missing."""
    names = [SINGLE]
    if storage.exists(storage.join(folder, INDEX)):
        names = sorted(set(storage.read_json(storage.join(folder, INDEX))["weight_map"].values()))
        if outside := [name for name in names if "/" in name or "\\" in name or not name.endswith(".safetensors")]:
            what = f"names {outside[0]!r:.80}, which is no safetensors file beside it"
            raise CheckpointError(f"{storage.join(folder, INDEX)}: {what}; fetch the model again")
    for name in [CONFIG, *names]:
        if not storage.exists(storage.join(folder, name)):
            raise CheckpointError(f"{storage.join(folder, name)}: missing; fetch or pretrain the model again")
    return names


@contextmanager
def _locked(target: str) -> Iterator[None]:
    """One process makes a snapshot, the others wait: beside it on a file system, per machine on an object store."""
    if storage.is_local(target):
        parent, name = os.path.split(storage.filesystem(target)[1])
    else:
        parent, name = tempfile.gettempdir(), f"study-{hashlib.sha256(target.encode()).hexdigest()[:16]}"
    with locks.taken(os.path.join(parent, f".{name}")):
        yield


def _make(source: Base, target: str, quantization: Quantization) -> None:
    with storage.local_copy(source.folder) as here, storage.publish(target) as out:
        verify(source, here)
        quantise(here, _weight_files(here), out, quantization)
        config, family = families.read(here)
        if not config.tie_word_embeddings and (weights := output_weights(here, family.output)) is not None:
            save_file({family.output[0]: weights}, os.path.join(out, OUTPUT))
        tokenizer(here).save_pretrained(out)
        names = [CONFIG, *_weight_files(out), *([OUTPUT] if Path(out, OUTPUT).exists() else [])]
        files = {name: storage.checksum(os.path.join(out, name)) for name in names}
        facts = {"quantization": quantization, "source": source.files, "files": files}
        Path(out, FACTS).write_text(json.dumps(facts, indent=1, sort_keys=True))

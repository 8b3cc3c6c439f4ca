"""Which sizes does a model family come in? One YAML file per ladder in `ladders/`, read here.

ladder("lab").size("xs").architecture.hidden                # 16
ladder("qwen3").sizes["0.6b"].model.repo                    # Qwen/Qwen3-0.6B-Base

A ladder is either pretrained on the spot (it has `pretrain`) or made of published models (each size has `model`). What
it says of a published model's shape must give the number of parameters it states.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from trainables.config import Architecture, Frozen, Size
from trainables.errors import ModelError, SpecError
from trainables.models.shape import parameters


class Pretraining(Frozen):
    """How the sizes of a scratch ladder are pretrained; the fields are those of `PretrainConfig`."""

    tokenizer: Literal["words", "subwords"]
    vocabulary: int
    steps: int
    batch_size: int
    learning_rate: float
    matrix_learning_rate: float
    max_length: int


class Model(Frozen):
    """A published model: where it is, and what is to be said of it."""

    repo: str | None = None
    """Its name on the Hub, owner/name."""
    revision: str | None = None
    """Full commit; None: the newest at the first fetch, which pins it."""
    path: str | None = None
    """In place of `repo`: folder or address of config.json, *.safetensors and tokenizer files."""
    parameters: int = Field(gt=0)
    """Of the bare backbone: embeddings and layers, no pooler, no output weights of its own. A ladder file may leave it
    out: the shape gives it."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.repo is None) == (self.path is None):
            raise ValueError("either `repo` (its name on the Hub) or `path` (a folder of yours)")
        if self.repo is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repo):
            raise ValueError("`repo` as owner/name")
        if self.revision is not None and (self.path is not None or not re.fullmatch(r"[\w./-]+", self.revision)):
            raise ValueError("`revision` as a commit, branch or tag of `repo`")
        return self


class Rung(Architecture):
    """One size of a ladder: its shape and, for published ones, the model."""

    model: Model | None = None
    languages: tuple[str, ...] | None = None
    """Where a size was pretrained on other languages than the rest of its ladder."""
    licence: str | None = None
    gated: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _counted(cls, value: Any) -> Any:
        """Fill in the number of parameters where the shape gives it; what is wrong with the shape is said later."""
        model = value.get("model") if isinstance(value, dict) else None
        if not isinstance(model, dict) or "parameters" in model:
            return value
        try:
            shape = Architecture(**{name: value[name] for name in Architecture.model_fields if name in value})
        except ValueError:
            return value
        return {**value, "model": {**model, "parameters": _weights(shape)}}

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.heads and self.head_dim is None and self.hidden % self.heads:
            raise ValueError(f"`head_dim`, because {self.heads} heads do not divide {self.hidden}")
        if self.kv_heads and self.heads % self.kv_heads:
            raise ValueError(f"`kv_heads` that divide the {self.heads} heads")
        if self.model is not None:
            found = _weights(self)
            if found != self.model.parameters:
                raise ValueError(f"model.parameters {found} by its shape, not {self.model.parameters}")
        return self


def _weights(shape: Architecture) -> int:
    """`parameters`, with errors as pydantic wants them."""
    try:
        return parameters(shape)
    except ModelError as error:
        raise ValueError(str(error)) from error


class Ladder(Frozen):
    """One model family at several sizes, trained by one recipe."""

    name: str
    title: str
    family: Literal["encoder", "decoder"]
    attention: Literal["causal", "bidirectional"]
    """Default attention mode of the family."""
    sizes: dict[str, Rung] = Field(min_length=1)
    """From the smallest to the largest."""
    pretrain: Pretraining | None = None
    """How a scratch ladder is pretrained; None: its sizes are published models."""
    languages: tuple[str, ...] = ()
    """Languages of the pretraining text, by the codes of the tasks; empty: not known."""
    licence: str = ""
    gated: bool = False
    """Whether the Hub asks for terms to be accepted, and so for a token."""
    source: str = ""
    """Where these facts are from."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        odd = [name for name in self.sizes if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,31}", name)]
        if odd:
            raise ValueError(f"sizes named by letters, digits, dot, dash, underscore, plus, not {odd[0]!r:.60}")
        bare = [name for name, rung in self.sizes.items() if rung.model is None]
        if self.pretrain is None and bare:
            raise ValueError(f"a `model` for size {bare[0]}, or `pretrain` for the ladder")
        if self.pretrain is not None and len(bare) < len(self.sizes):
            raise ValueError("either `pretrain` for the ladder or a `model` for each size, not both")
        return self

    def size(self, name: str) -> Size:
        """Raises `SpecError` naming the sizes there are."""
        if name not in self.sizes:
            raise SpecError(f"sizes: {name!r} is not a size of ladder {self.name}; it has {', '.join(self.sizes)}")
        shape = self.sizes[name].model_dump(include=set(Architecture.model_fields))
        return Size(name=name, family=self.family, architecture=Architecture(**shape))


def ladder_names() -> list[str]:
    return sorted(entry.name[: -len(".yaml")] for entry in _folder().iterdir() if entry.name.endswith(".yaml"))


@cache
def ladder(name: str) -> Ladder:
    """A shipped ladder. Raises `SpecError` with the nearest name when there is no such ladder."""
    if name not in ladder_names():
        near = get_close_matches(name, ladder_names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(ladder_names())}"
        raise SpecError(f"ladder: {name!r} is not known; {hint}")
    return Ladder(name=name, **yaml.safe_load(_folder().joinpath(f"{name}.yaml").read_text()))


def _folder():
    return files("trainables.models") / "ladders"

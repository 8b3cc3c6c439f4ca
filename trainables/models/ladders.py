"""Which sizes does a model family come in? One YAML file per ladder in `ladders/`, read here.

ladder("lab").size("xs").architecture.hidden      # 16
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import Field

from trainables.config import Architecture, Frozen, Size
from trainables.errors import SpecError


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
    """Of the bare backbone: embeddings and layers, no pooler, no output weights of its own."""


class Rung(Architecture):
    """One size of a ladder: its shape and, for published ones, the model."""

    model: Model | None = None
    languages: tuple[str, ...] | None = None
    """Where a size was pretrained on other languages than the rest of its ladder."""
    licence: str | None = None
    gated: bool | None = None


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
    """Languages of the pretraining text, by the codes of the tasks."""
    licence: str = ""
    gated: bool = False
    """Whether the Hub asks for terms to be accepted, and so for a token."""
    source: str = ""
    """Where these facts are from."""

    def size(self, name: str) -> Size:
        """Raises `SpecError` naming the sizes there are."""
        if name not in self.sizes:
            raise SpecError(f"sizes: {name!r} is not a size of ladder {self.name}; it has {', '.join(self.sizes)}")
        shape = self.sizes[name].model_dump(include=set(Architecture.model_fields))
        return Size(name=name, family=self.family, architecture=Architecture(**shape))


def ladder_names() -> list[str]:
    return sorted(entry.name[: -len(".yaml")] for entry in _folder().iterdir() if entry.name.endswith(".yaml"))


def ladder(name: str) -> Ladder:
    """Raises `SpecError` with the nearest name when there is no such ladder."""
    if name not in ladder_names():
        near = get_close_matches(name, ladder_names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(ladder_names())}"
        raise SpecError(f"ladder: {name!r} is not known; {hint}")
    return Ladder(name=name, **yaml.safe_load(_folder().joinpath(f"{name}.yaml").read_text()))


def _folder():
    return files("trainables.models") / "ladders"

"""What does a worker need to know to train or score? These frozen values, and nothing else.

A phase config is plain data: it is written into the record, hashed for the phase's identity (see
`study.plan`) and sent to whichever process trains. Paths that differ between machines are kept apart, in
`Places`, because they are not part of what a phase *is*.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PhaseKind = Literal["pretrain", "import", "intermediate", "target", "evaluation"]
Quantization = Literal["nf4", "int8", "none"]
Attention = Literal["causal", "bidirectional"]


class Frozen(BaseModel):
    """Immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Architecture(Frozen):
    """The shape of a backbone. Of a model that is pretrained on the spot the first four say everything."""

    hidden: int = Field(gt=0)
    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    intermediate: int = Field(gt=0)
    kv_heads: int | None = Field(default=None, gt=0)
    """Key and value heads (grouped-query attention); None: as many as heads."""
    head_dim: int | None = Field(default=None, gt=0)
    """None: hidden / heads."""
    vocabulary: int | None = Field(default=None, gt=0)
    """Rows of the embedding; None: what pretraining finds."""
    positions: int | None = Field(default=None, gt=0)
    """Longest row the model can read, in tokens."""
    model_type: str = ""
    """transformers' name of the network; empty: that of the scratch ladders (llama, xlm-roberta)."""
    tied: bool = True
    """Whether the language model's output weights are the embedding itself."""


class Size(Frozen):
    """One rung of a ladder."""

    name: str
    family: Literal["encoder", "decoder"]
    architecture: Architecture


class PretrainConfig(Frozen):
    """How a scratch ladder learns its languages (lab and mini ladders only)."""

    kind: Literal["pretrain"] = "pretrain"
    ladder: str
    size: Size
    tokenizer: Literal["words", "subwords"]
    vocabulary: int
    """Upper bound on the number of tokens (ignored by `words`, whose vocabulary is the world's)."""
    steps: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    """AdamW on embeddings, norms and heads."""
    matrix_learning_rate: float = Field(gt=0)
    """Muon on the hidden matrices."""
    max_length: int = Field(gt=0)
    seed: int


class ImportConfig(Frozen):
    """How a published model becomes the frozen base of a study: its files, quantised once."""

    kind: Literal["import"] = "import"
    ladder: str
    size: Size
    quantization: Quantization
    files: dict[str, str]
    """File name -> sha256 of what `study fetch` brought; where it came from does not matter."""


class Adapter(Frozen):
    """LoRA on every linear layer of the frozen backbone (Hu et al. 2021; Dettmers et al. 2023)."""

    rank: int = Field(default=8, gt=0)
    alpha: int = Field(default=16, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    rslora: bool = False
    """Scale by alpha / sqrt(rank) instead of alpha / rank (Kalajdzievski 2023)."""
    dora: bool = False
    """Learn magnitude and direction apart (Liu et al. 2024); slower."""
    handover: Literal["continue", "stack"] = "continue"
    """What a target phase does with the intermediate adapter: train it on, or freeze it and train a second one."""


class Sampling(Frozen):
    """How often a task of a mixture is trained on: in proportion to min(examples, cap) ** (1 / temperature)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    cap: int | None = Field(default=None, gt=0)
    """Examples that count at most, so that one huge set does not drown the others (Raffel et al. 2020)."""
    temperature: float = Field(default=1.0, ge=1)
    """1: in proportion to the sizes; towards infinity: all tasks alike."""


class TextMix(Frozen):
    """Running text (continued language modelling, domain text) among the tasks of an intermediate phase."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    files: tuple[str, ...] = Field(min_length=1)
    """jsonl, parquet or txt, with * and ?: below the data root, or absolute paths or addresses."""
    share: float = Field(gt=0, lt=1)
    """Share of the phase's steps. A step of text has as many tokens as an average step of the tasks, so it is the
    share of the tokens too, and the phase as a whole has as many tokens as without text."""
    domains: dict[str, float] = Field(default_factory=dict)
    """Domain -> weight; empty: all text in proportion to its size."""
    languages: dict[str, float] = Field(default_factory=dict)
    """Language -> weight; empty: all text in proportion to its size."""


class TuneConfig(Frozen):
    """One intermediate or target phase: tasks, adapter and budget. The learning rate is not in here: it is searched."""

    kind: Literal["intermediate", "target"]
    ladder: str
    size: Size
    quantization: Quantization
    attention: Attention
    adapter: Adapter
    tasks: dict[str, float]
    """Task name -> share of the steps (one task: {"siqa": 1.0}); with `sampling`, any numbers: it decides."""
    sampling: Sampling | None = None
    """Shares from the sizes of the training sets instead."""
    files: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Task -> training files used in place of its own: translated or multilingual versions."""
    text: TextMix | None = None
    """Running text mixed in, learned by the language model's own objective."""
    steps: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    """Examples per optimiser step, the same for every size of a ladder."""
    max_length: dict[str, int]
    """Task -> longest row in tokens; `text` is the length of a block of running text."""
    warmup: float = Field(ge=0, lt=1)
    """Share of the steps with a rising learning rate; it then falls linearly to zero."""
    weight_decay: float = Field(ge=0)
    head_learning_rate_scale: float = Field(gt=0)
    """New heads learn this many times faster than the adapter."""
    clip: float = Field(gt=0)
    evaluations: int = Field(gt=0)
    """How often the English dev set is scored during the run, evenly spaced, the last time at the end."""
    seed: int


class Cell(Frozen):
    """One thing to score: a task in a language on a split."""

    task: str
    language: str
    split: Literal["test", "dev"]


class EvaluationConfig(Frozen):
    """Score one checkpoint (or the bare backbone) on cells."""

    kind: Literal["evaluation"] = "evaluation"
    ladder: str
    size: Size
    quantization: Quantization
    attention: Attention
    max_length: dict[str, int]
    """Task -> longest row in tokens."""
    cells: tuple[Cell, ...]


class Places(Frozen):
    """Where things lie for this run. Never part of a phase's identity."""

    root: str
    """Data root: a folder in the layout of the original archives."""
    backbone: str
    """Folder of the pretrained model (a `pretrain` phase's checkpoint): config, safetensors, tokenizer."""
    snapshots: str
    """Folder of quantised snapshots, shared by every phase of the study."""
    output: str
    """Folder this phase writes into."""
    parent: str | None = None
    """Checkpoint folder (adapter/, heads/) of the phase this one continues from."""
    backbone_files: dict[str, str] = Field(default_factory=dict)
    parent_files: dict[str, str] = Field(default_factory=dict)
    """{name: sha256} of what was recorded of these two; files are hashed when they are loaded. Empty: as they are."""


class Runtime(Frozen):
    """How the work is cut up on this machine. Never part of a phase's identity."""

    micro_tokens: int = Field(default=8192, gt=0)
    """Padded tokens per forward pass; an optimiser step is cut into as many passes as needed."""
    recompute: bool = False
    """Gradient checkpointing: activations are computed again in the backward pass instead of kept."""
    compile: bool = False
    """torch.compile the backbone."""
    shard: bool = False
    """Spread the frozen base over the workers of the group (FSDP2) instead of one copy each."""
    threads: int = Field(default=1, gt=0)
    checkpoint_seconds: float = Field(default=120.0, gt=0)
    """A resumable state is written at least this often."""

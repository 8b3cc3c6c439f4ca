"""What is a study? One frozen value that says which models, phases and searches it is made of.

It is written as YAML (`study/studies/*.yaml`) and read by `study.specfile`, which also says what is wrong with a
file. Every field but `name` and `ladder` has a default: `{name: tiny, ladder: lab}` is the smallest study.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from study import halving
from study.explain import repeated, unknown
from study.gpus import cards
from trainables.config import Adapter, Attention, Frozen, Quantization, Sampling, TextMix
from trainables.models.ladders import Ladder, ladder

NONE = "none"
"""The arm without an intermediate phase: what every other arm is compared with."""
SHARED = ("calibrations", "data", "models", "snapshots")
"""Folders beside the studies of a storage, which they share: no study can have such a name."""

Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]
Positive = Annotated[int, Field(gt=0, le=10**9)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Share = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Block(Frozen):
    """A part of the spec: frozen, strict about keys, its docstrings shown by editors."""

    model_config = ConfigDict(use_attribute_docstrings=True, allow_inf_nan=False)


class Arm(Block):
    """What an intermediate phase is made of."""

    tasks: dict[str, Share] = Field(min_length=1)
    """Task name -> share of the steps, any positive numbers; they are scaled to sum to 1."""
    sampling: Sampling | None = None
    """Shares from the sizes of the training sets instead, e.g. `{cap: 65536, temperature: 2}`."""
    files: dict[str, tuple[str, ...]] = Field(default={})
    """Task -> training files in place of its own, below the data root or absolute: translated or multilingual
    versions, in the task's row format (jsonl, parquet, csv, tsv), with or without a `language` column."""
    text: TextMix | None = None
    """Running text mixed in, e.g. `{files: domain/*.jsonl, share: 0.3}`."""

    def shares(self) -> dict[str, float]:
        """Shares that sum to 1, by task name."""
        total = sum(self.tasks.values())
        return {task: self.tasks[task] / total for task in sorted(self.tasks)}


class Data(Block):
    """Where examples and pretraining text come from."""

    source: Literal["lab", "local", "hub"] = "lab"
    """`lab`: a miniature world generated into the study's folder. `local`: real benchmark files below `root`. `hub`:
    what `study fetch` brings from the Hugging Face Hub, once; every other command then works offline."""
    root: str | None = None
    """Folder with the benchmark files in the layout of their archives (source `local`), or into which they are fetched
    (source `hub`; null: `data/hub` below the storage, shared by its studies); also --data-root."""
    revisions: dict[str, str] = {}
    """Data set on the Hub -> full commit to fetch in place of the known one (source `hub` only)."""
    partial: bool = False
    """true: the root may hold a part of the benchmark. Languages that are there are scored, and what is there stands
    in for training, development or test sets that are not; the report names every case. false: that is an error."""
    seed: Seed = 0
    """Which miniature world (source `lab` only): another seed gives other words, grammar draws and examples."""


class Models(Block):
    """Which versions of published models are taken (ladders of published models only)."""

    revisions: dict[str, str] = {}
    """Repository on the Hub -> commit, branch, tag or pull request (`refs/pr/3`) in place of the ladder's. What is not
    a full commit is looked up at the first fetch and pinned to the commit found then."""


class Training(Block):
    """How one intermediate or target phase is trained; the same at every size, so that sizes are comparable."""

    batch_size: Positive = 16
    """Examples per optimiser step. 16: enough steps within a small example budget."""
    max_length: dict[str, Annotated[int, Field(ge=8, le=10**6)]] = Field(default={"default": 64})
    """Longest row in tokens: one number, or by task name, by head (`span`, `retrieve`, ...) or for running `text`, with
    a `default`. Longer rows are cut, sentences to tag and contexts of questions go into several rows. 64 holds every
    lab text and nearly every XCOPA or UD sentence; XTREME's scripts take 128, and 384 for questions."""
    warmup: float = Field(default=0.06, ge=0, lt=1)
    """Share of the steps with a rising learning rate. 0.06: what RoBERTa's fine-tuning used."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Decoupled (AdamW). 0: an adapter of rank 8 has little to decay."""
    head_learning_rate_scale: float = Field(default=1.0, gt=0)
    """New heads learn this many times faster than the adapter."""
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of the gradient."""
    evaluations: Positive = 2
    """Scorings of the English dev set during a run, evenly spaced, the last one at the end."""
    steps: dict[str, Positive] = Field(default={"default": 120})
    """Optimiser steps of a phase: by arm (intermediate) or target task; `default` for those not named."""


class SearchSpec(Block):
    """The learning-rate search of one phase. Equal for every arm, so that no arm is tuned harder."""

    trials: Annotated[int, Field(gt=0, le=1000)] = 4
    """Learning rates tried per phase. 4: a log-uniform window of one decade in steps of about a factor two."""
    window: tuple[float, float] = (1.0e-3, 1.0e-2)
    """Lowest and highest learning rate. The default suits LoRA on small models; lower it for billions."""
    seed: Seed = 0
    """Seed of the sampler."""
    transfer: bool = False
    """true: only the smallest size searches the window; larger ones half as often, from 1/4 to 1.6 of its best."""
    early_stopping: bool = False
    """true: later trials end at a dev scoring below more than half of the earlier ones there; they cannot win."""


class Compute(Block):
    """Where and in how many pieces the work is done. Changes nothing that a result depends on."""

    workers: Annotated[int, Field(ge=0, le=1024)] = 0
    """0: train in the trial's own, warm process. N: in a Ray Train group of N data-parallel workers."""
    cpus_per_trial: Annotated[int, Field(gt=0, le=1024)] = 1
    """Processor threads of a trial (of each worker). 1: several small trials side by side beat one wide one."""
    gpus_per_trial: Annotated[float, Field(ge=0, le=1024)] = 0.0
    """GPUs of a trial (of each worker); fractions share a card."""
    micro_tokens: Positive | None = None
    """Padded tokens per forward pass; a step is cut into as many passes as it needs. null: what the memory plan of
    `gpu` allows each size; without a GPU 8192."""
    gpu: str | None = None
    """The card that trials get (see `study plan --cost`), e.g. `a100-80`; null: the one that the trial's process finds.
    A group of workers needs it named: the process that plans for it has no GPU."""
    compile: bool = False
    """torch.compile the backbone: pays on long phases on a GPU, costs minutes at the start of each."""
    shard: bool = False
    """Spread the frozen base over the workers (FSDP2), for sizes that do not fit one card; needs workers >= 2."""
    checkpoint_seconds: float = Field(default=60.0, gt=0)
    """A resumable state is written at least this often (seconds): what a kill can cost."""
    slots: Annotated[int, Field(gt=0, le=100_000)] | None = None
    """Phases that run at the same time; null: as many as fit into the cluster."""


class Tracking(Block):
    """Where runs are shown."""

    enabled: bool = True
    """false: nothing is sent to MLflow. The store and the report do not depend on it."""
    uri: str | None = None
    """Address of an MLflow server; null: one is started on loopback, with its database in the study's folder."""


class Pretrain(Block):
    """Changes to the ladder's own pretraining recipe (ladders that are pretrained on the spot only)."""

    seed: Seed = 0
    """Seed of weights and order. One pretraining per size is shared by all seeds of the study."""
    steps: Positive | None = None
    """Optimiser steps; null: what the ladder says."""


class ReportSpec(Block):
    """How the report is computed; it can be made again at any time."""

    bootstrap: Annotated[int, Field(gt=0, le=1_000_000)] = 1000
    """Resamples behind every interval. 1000: the ends of a 95 % interval are then good to a few per cent."""
    gpu_hour_price: float | None = Field(default=None, ge=0)
    """Price of a GPU-hour in any currency, for the report and `study plan --cost`; null: money is left out."""
    in_domain: dict[str, tuple[str, ...]] = {}
    """Arm with running text -> targets that share its domain, which question 5 sets apart from the others."""


class StudySpec(Block):
    """A scaling study. Read it with `study.specfile.load`."""

    name: Slug
    """Names the study's folder below `storage`; letters, digits, dot, dash, underscore, plus."""
    ladder: str
    """Model family: one of trainables/models/ladders, or the YAML file of a ladder of your own."""
    own_ladder: Ladder | None = None
    """What the ladder file says; filled in from it."""
    sizes: tuple[str, ...] = Field(min_length=1)
    """Sizes of the ladder, default all of them."""
    quantization: Quantization = "nf4"
    """Frozen backbone in 4-bit NormalFloat (as QLoRA), in 8-bit integers (LLM.int8), or as it was published."""
    attention: Attention
    """Default: the ladder's own. Options scored by the language model need `causal`."""
    adapter: Adapter = Adapter()
    """LoRA on every linear layer. Rank 8: ranks above gain little in QLoRA's own sweep."""
    arms: dict[Slug, Arm | None] = Field(default={NONE: None})
    """Intermediate phases to compare: `none: null` and others, e.g. `siqa: siqa` or `two: {tasks: {siqa: 1, x: 3}}`."""
    targets: tuple[str, ...] = Field(default=("xcopa", "udpos", "tatoeba"), min_length=1)
    """Tasks that are tuned in English and scored in every language; retrieval tasks are scored without tuning."""
    direct: tuple[str, ...] = ()
    """Retrieval targets (lareqa, mewslix) to score as the intermediate phase left them, without a target phase, as
    Tatoeba and BUCC always are."""
    seeds: tuple[Seed, ...] = Field(default=(0, 1), min_length=1)
    """The learning rate is searched on the first; the others run the winner. Two: the least that shows noise."""
    data: Data = Data()
    models: Models = Models()
    training: Training = Training()
    search: SearchSpec = SearchSpec()
    compute: Compute = Compute()
    storage: str = "runs"
    """Folder or fsspec address below which studies are kept; also --storage."""
    tracking: Tracking = Tracking()
    pretrain: Pretrain = Pretrain()
    report: ReportSpec = ReportSpec()

    def family(self) -> Ladder:
        """The ladder of the study."""
        return self.own_ladder or ladder(self.ladder)

    def steps(self, name: str) -> int:
        """Optimiser steps of the arm or target task of this name."""
        return self.training.steps.get(name, self.training.steps["default"])

    def longest(self) -> int | None:
        """Longest row, in tokens, that every size of the study can read; None: no bound is known."""
        family = self.family()
        if family.pretrain:
            return 2 * family.pretrain.max_length  # see trainables.pretrain: so many positions are made
        known = [rung.positions for name, rung in family.sizes.items() if name in self.sizes and rung.positions]
        return min(known, default=None)

    def max_length(self, task: str) -> int:
        """Longest row, in tokens, of a task, or of running `text`."""
        from trainables.tasks import TASKS

        lengths = self.training.max_length
        names = [task, TASKS[task].head if task in TASKS else task, "default"]
        return next(lengths[name] for name in names if name in lengths)


def problems(spec: StudySpec) -> list[str]:
    """What the types cannot say: one line per problem, each starting with the path of the value."""
    family = spec.family()
    found = [f"name: found {spec.name!r}, allowed: any but {', '.join(SHARED)}"] if spec.name in SHARED else []
    found += [unknown(f"sizes.{i}", size, "size", family.sizes) for i, size in enumerate(spec.sizes)]
    found += [repeated(path, getattr(spec, path)) for path in ("sizes", "targets", "seeds")]
    found += _attention_problems(spec, family)
    repos = [rung.model.repo for rung in family.sizes.values() if rung.model and rung.model.repo]
    found += [unknown(f"models.revisions.{repo}", repo, "model of the ladder", repos) for repo in spec.models.revisions]
    if spec.pretrain != Pretrain() and family.pretrain is None:
        given = ", ".join(sorted(spec.pretrain.model_dump(exclude_defaults=True)))
        found.append(f"pretrain: found {given}, allowed: nothing, because ladder {spec.ladder} comes pretrained")
    found += _arm_problems(spec) + _task_problems(spec) + _value_problems(spec)
    return [line for line in found if line]


def _attention_problems(spec: StudySpec, family: Ladder) -> list[str]:
    if spec.attention == "causal" and family.family == "encoder":
        return ["attention: found 'causal', allowed for an encoder ladder: bidirectional"]
    if family.family == "encoder":
        return [
            f"arms.{name}.text: found text, allowed with encoders that can restore masked tokens, which mT5's cannot"
            for name, arm in spec.arms.items()
            if arm and arm.text and any(rung.model_type == "mt5" for rung in family.sizes.values())
        ]
    if spec.attention == "causal":
        return []
    if any(rung.model_type == "bloom" for rung in family.sizes.values()):  # its biases grow with the key's position
        return [f"attention: found 'bidirectional', allowed for ladder {spec.ladder}: causal (ALiBi looks back only)"]
    # Restoring masked tokens needs a mask token, which published decoders' tokenizers do not have.
    return [
        f"arms.{name}.text: found text, allowed for a published decoder only with `attention: causal`"
        for name, arm in spec.arms.items()
        if arm and arm.text and family.pretrain is None
    ]


def _arm_problems(spec: StudySpec) -> list[str]:
    found = []
    if NONE not in spec.arms:
        found.append("arms: the arm 'none' is missing; add `none: null`, every gain is measured against it")
    for name, arm in spec.arms.items():
        if name == NONE and arm is not None:
            found.append("arms.none: found tasks, allowed: null (it is the arm without an intermediate phase)")
        if name != NONE and arm is None:
            found.append(f"arms.{name}: found null, allowed: a task, a list of tasks, or {{tasks: {{name: share}}}}")
        if arm and arm.sampling and len(set(arm.tasks.values())) > 1:
            found.append(f"arms.{name}.sampling: found it beside unequal shares, allowed: one of them; list the tasks")
        weights = {"domains": arm.text.domains, "languages": arm.text.languages} if arm and arm.text else {}
        found += [
            f"arms.{name}.text.{kind}.{key}: found {weight:g}, allowed: more than 0"
            for kind, given in weights.items()
            for key, weight in given.items()
            if not weight > 0
        ]
    return found


def _task_problems(spec: StudySpec) -> list[str]:
    from trainables.tasks import TASKS

    found = [unknown(f"targets.{i}", task, "task", TASKS) for i, task in enumerate(spec.targets)]
    found += [
        f"targets.{i}: {task!r} is an intermediate task only; targets: {', '.join(_targets(TASKS))}"
        for i, task in enumerate(spec.targets)
        if task in TASKS and not TASKS[task].group
    ]
    for name, arm in spec.arms.items():
        for task in arm.tasks if arm else ():
            found.append(unknown(f"arms.{name}.tasks", task, "task", TASKS))
            if task in TASKS and TASKS[task].direct:
                found.append(f"arms.{name}.tasks: {task!r} is scored without tuning and cannot be an intermediate task")
        for task in arm.files if arm else ():
            if arm and task not in arm.tasks:
                found.append(
                    f"arms.{name}.files.{task}: found files, allowed for tasks of this arm: {', '.join(arm.tasks)}"
                )
    texts = [name for name, arm in spec.arms.items() if arm and arm.text]
    for name, inside in spec.report.in_domain.items():
        found.append(unknown(f"report.in_domain.{name}", name, "arm with text", texts))
        found += [unknown(f"report.in_domain.{name}.{i}", task, "task", TASKS) for i, task in enumerate(inside)]
    for place, task in enumerate(spec.direct):
        if task not in spec.targets or task not in TASKS or TASKS[task].head != "retrieve":
            allowed = ", ".join(one for one in spec.targets if one in TASKS and TASKS[one].head == "retrieve")
            found.append(
                f"direct.{place}: found {task!r}, allowed: retrieval targets of this study ({allowed or 'none'})"
            )
    names = ["default", *TASKS, *spec.arms]
    found += [unknown(f"training.steps.{name}", name, "task or arm", names) for name in spec.training.steps]
    lengths = ["default", "text", *sorted({task.head for task in TASKS.values()}), *TASKS]
    found += [
        unknown(f"training.max_length.{name}", name, "task or head", lengths) for name in spec.training.max_length
    ]
    if "default" not in spec.training.max_length:
        found.append("training.max_length: the entry `default` is missing; add e.g. `default: 128`")
    if "default" not in spec.training.steps:
        found.append("training.steps: the entry `default` is missing; add e.g. `default: 120`")
    return found


def _targets(tasks: dict[str, Any]) -> list[str]:
    return sorted(name for name, task in tasks.items() if task.group)


def _value_problems(spec: StudySpec) -> list[str]:
    found = []
    low, high = spec.search.window
    if not 0 < low < high <= 10:
        found.append(f"search.window: found [{low:g}, {high:g}], allowed: 0 < lowest < highest <= 10")
    if spec.data.source == "lab" and spec.data.root is not None:
        found.append(f"data.root: found {spec.data.root!r}, allowed only with `source: local` or `source: hub`")
    recipe = spec.family().pretrain
    if recipe and spec.data.source != "lab" and recipe.tokenizer == "words":
        source = spec.data.source
        found.append(f"data.source: found {source!r}, allowed for ladder {spec.ladder}: lab (whose words it knows)")
    longest = spec.longest()
    found += [
        f"training.max_length.{name}: found {length}, allowed for ladder {spec.ladder}: at most {longest}"
        for name, length in spec.training.max_length.items()
        if longest and length > longest
    ]
    if spec.compute.gpu is not None:
        found.append(unknown("compute.gpu", spec.compute.gpu, "GPU", cards()))
    found += _revision_problems(spec) + halving.problems(spec)
    if spec.compute.shard and spec.compute.workers < 2:
        found.append(
            f"compute.shard: found workers: {spec.compute.workers}, allowed: 2 or more, to spread the base over"
        )
    least = min(spec.training.steps.values(), default=spec.training.evaluations)
    if least < spec.training.evaluations:
        found.append(
            f"training.evaluations: found {spec.training.evaluations}, allowed: at most {least}, the fewest steps"
        )
    return found


def _revision_problems(spec: StudySpec) -> list[str]:
    from trainables.tasks import TASKS

    if spec.data.revisions and spec.data.source != "hub":
        return ["data.revisions: found commits, allowed only with `source: hub`"]
    tasks = [part for task in TASKS.values() for part in (task, *task.parts, *task.borrows.values())]
    repos = sorted({entry.repo for task in tasks for entry in task.hub})
    found = [unknown(f"data.revisions.{repo}", repo, "data set of a task", repos) for repo in spec.data.revisions]
    return found + [
        f"data.revisions.{repo}: found {commit!r:.60}, allowed: a commit (40 hexadecimal digits)"
        for repo, commit in spec.data.revisions.items()
        if not re.fullmatch(r"[0-9a-f]{40}", commit)
    ]

"""How is one intermediate or target phase trained at one learning rate?

    train(config, learning_rate, places, runtime, report) -> Outcome

There is no Ray in here. The same function runs in a trial's own process, in the workers of a Ray Train group, and
in the foreground under a debugger, and gives the same losses in all three.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch

from trainables import layers, loop, mixture, patience, retrieval, runningtext, scoring, storage
from trainables.batching import Stream
from trainables.config import Places, Runtime, TuneConfig
from trainables.data.layouts import Split
from trainables.data.root import Root
from trainables.encoded import Encoded, Source, encoded, labels
from trainables.encoding import Encoder, Items
from trainables.group import ALONE, Group
from trainables.mixture import TEXT
from trainables.models import heads
from trainables.models.backbone import Backbone, load
from trainables.models.heads import HeadSpec
from trainables.models.network import Network, network
from trainables.objective import Tuning
from trainables.results import Outcome, Report
from trainables.runningtext import LanguageModelling, TextSteps
from trainables.sharding import sharded
from trainables.tasks import get
from trainables.tasks.examples import score
from trainables.tasks.retrieving import RetrieveTask


@patience.long()
def train(
    config: TuneConfig,
    learning_rate: float,
    places: Places,
    runtime: Runtime,
    report: Report,
    group: Group = ALONE,
) -> Outcome:
    """Train one phase at one learning rate and write its checkpoint (unless it diverged or was stopped).

    Resumes by itself from `places.output`/resume. Raises `StudyError`s; after `Preempted` call it again.
    """
    torch.set_num_threads(runtime.threads)
    spread = runtime.shard and group.size > 1
    group = replace(group, lockstep=spread)
    backbone = _backbone(config, places, group)
    root = Root(places.root)
    wanted = _heads(config, root)
    torch.manual_seed(config.seed)
    with (
        network(backbone, config.adapter, places.parent, wanted, config.size.family, True, places.parent_files) as net,
        layers.arranged(backbone, runtime),
        sharded(net, group) if spread else nullcontext(),
    ):
        net.model.train()
        trained = {name: value for name, value in _named(net) if value.requires_grad}
        items = {name: _split(config, places, backbone, root, name, "train").items for name in config.tasks}
        tuning = objective(config, places, runtime, net, backbone, root, items)
        run = loop.Run(
            steps=config.steps,
            seed=config.seed,
            clip=config.clip,
            schedule=loop.Schedule(config.steps, config.warmup),
            tensors=trained,
            optimizers=(_optimizer(config, learning_rate, trained),),
            resume=storage.join(places.output, "resume"),
            checkpoint_seconds=runtime.checkpoint_seconds,
            evaluate=lambda: dev_score(config, net, places, backbone, root),
            evaluations=config.evaluations,
            group=group,
            sources=tuple(source for source, _ in tuning.turns),
        )
        trace = loop.train(run, tuning, report)
        checkpoint = storage.join(places.output, "checkpoint")
        if group.rank == 0 and not (trace.stopped or trace.diverged()):
            with storage.publish(checkpoint) as folder:
                net.save(folder)
        storage.remove(run.resume)
        facts = {
            "trainable_tensors": len(trained),
            "snapshot_sha256": backbone.sha256,
            "heads": {name: head.kind for name, head in net.heads.items()},
            "head_from": net.inherited,
            "dev_scores": trace.scores,
            "shares": _shares(config, items),
            "tokens_by_source": tuning.tokens(len(trace.losses)),
            "micro_tokens": tuning.budget(trace.halvings),
        }
        dev = trace.scores[-1][1] if trace.scores else None
        return trace.outcome(dev, checkpoint, backbone.parameters, facts)


def _backbone(config: TuneConfig, places: Places, group: Group) -> Backbone:
    """The base. The first worker makes its snapshot, where there is none yet, and the others wait for it."""
    if group.rank:
        group.wait()
    backbone = load(
        places.backbone,
        places.snapshots,
        config.quantization,
        config.attention,
        whole=not group.lockstep,
        checksums=places.backbone_files,
    )
    if not group.rank:
        group.wait()
    return backbone


def _heads(config: TuneConfig, root: Root) -> dict[str, HeadSpec]:
    """The heads this phase trains, by task."""
    causal = config.attention == "causal"
    found = {name: heads.choose(get(name), causal, labels(name, root)) for name in config.tasks}
    return {**found, TEXT: heads.running_text(causal)} if config.text else found


def objective(
    config: TuneConfig,
    places: Places,
    runtime: Runtime,
    net: Network,
    backbone: Backbone,
    root: Root,
    items: Mapping[str, Items],
) -> Tuning:
    """The batches of the phase: which task each step is of, and which examples."""
    shares = _shares(config, items)
    turns = mixture.turns(shares, config.steps, config.seed)
    text = _text(config, places, backbone, root, items, sum(source == TEXT for source, _ in turns))
    streams = {name: Stream(part.lengths.tolist(), config.batch_size, config.seed) for name, part in items.items()}
    return Tuning(net, backbone, items, streams, text, turns, runtime.micro_tokens, runtime.recompute)


def _shares(config: TuneConfig, items: Mapping[str, Items]) -> dict[str, float]:
    sizes = {name: len(part) for name, part in items.items()}
    return mixture.shares(config.tasks, sizes, config.sampling, config.text.share if config.text else 0.0)


def _text(
    config: TuneConfig, places: Places, backbone: Backbone, root: Root, items: Mapping[str, Items], steps: int
) -> TextSteps | None:
    """The phase's running text: steps with as many tokens as the average step of its tasks."""
    if config.text is None:
        return None
    length = config.max_length[TEXT]
    encoder = Encoder(backbone.tokenizer, config.size.family, length)
    blocks = runningtext.blocks(config.text.files, root, encoder, places.snapshots)
    shares = _shares(config, items)
    mean = sum(shares[name] * float(part.tokens.mean()) for name, part in items.items()) / (1 - shares[TEXT])
    count = runningtext.blocks_per_step(mean, config.batch_size, length)
    asked = LanguageModelling.of(backbone.tokenizer, config.attention == "causal")
    return runningtext.plan(blocks, config.text, steps, count, config.seed, asked)


def _optimizer(config: TuneConfig, learning_rate: float, trained: Mapping[str, torch.Tensor]) -> torch.optim.Optimizer:
    head = [value for name, value in trained.items() if name.startswith("heads.")]
    lora = [value for name, value in trained.items() if not name.startswith("heads.")]
    groups: list[dict[str, Any]] = [{"params": lora, "lr": learning_rate}]
    if head:
        groups.append({"params": head, "lr": learning_rate * config.head_learning_rate_scale})
    return torch.optim.AdamW(groups, weight_decay=config.weight_decay, fused=True)


def dev_score(config: TuneConfig, net: Network, places: Places, backbone: Backbone, root: Root) -> float:
    """English dev score in points; the mean over the tasks of a mixture."""
    scores = []
    for name in config.tasks:
        task = get(name)
        examples: Sequence[Any]
        answers: Sequence[Any]
        if isinstance(task, RetrieveTask):
            encoder = Encoder(backbone.tokenizer, config.size.family, config.max_length[name])
            examples, answers = retrieval.dev_rankings(net, encoder, task, root)
        else:
            split = _split(config, places, backbone, root, name, "dev")
            pad_id, tokens = backbone.tokenizer.pad_token_id, scoring.budget(net.device)
            answers = scoring.predict(net, name, split.items, pad_id, tokens)
            examples = split.examples
        scores.append(score(task.judge(e, a) for e, a in zip(examples, answers, strict=True)))
    return sum(scores) / len(scores)


def _split(config: TuneConfig, places: Places, backbone: Backbone, root: Root, task: str, split: Split) -> Encoded:
    files = config.files.get(task, ()) if split == "train" else ()
    encoder = Encoder(backbone.tokenizer, config.size.family, config.max_length[task])
    return encoded(Source(task, root, split, files=files), encoder, places.snapshots)


def _named(net: Network):
    yield from net.model.named_parameters()
    for name, value in net.heads.named_parameters():
        yield f"heads.{name}", value

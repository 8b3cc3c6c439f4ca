"""How does a scratch ladder learn its languages?

Only the lab and the mini ladder are pretrained here; real ladders come pretrained. A decoder learns to predict the
next token, an encoder to restore masked ones (25 %, of which 80/10/10 % masked, random, kept; Devlin et al. 2019).
Hidden matrices are trained by Muon, all else by AdamW: at this scale that is what makes languages align at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, XLMRobertaConfig, XLMRobertaForMaskedLM

from trainables import loop, storage
from trainables.batching import Stream, same_length_batches
from trainables.config import Places, PretrainConfig, Runtime
from trainables.data import corpus, tokenizer
from trainables.data.root import Root
from trainables.flops import FULL_TRAINING, flops, linear_weights
from trainables.group import Group
from trainables.results import Outcome, Report
from trainables.step import Pass, Planned

MASKED, CLIP, WARMUP, WEIGHT_DECAY = 0.25, 1.0, 0.06, 0.01


def build(config: PretrainConfig, words: Any) -> PreTrainedModel:
    """A randomly initialised model of the configured shape. The initial spread shrinks with the width."""
    shape = config.size.architecture
    common: dict[str, Any] = {
        "vocab_size": len(words),
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.intermediate,
        "pad_token_id": words.pad_token_id,
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
        "initializer_range": max(0.02, 0.25 / shape.hidden**0.5),
    }
    if config.size.family == "decoder":
        return LlamaForCausalLM(
            LlamaConfig(
                num_key_value_heads=shape.heads,
                max_position_embeddings=2 * config.max_length,
                tie_word_embeddings=True,
                **common,
            )
        )
    return XLMRobertaForMaskedLM(
        XLMRobertaConfig(
            max_position_embeddings=2 * config.max_length + words.pad_token_id + 1,
            type_vocab_size=1,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            **common,
        )
    )


def causal_loss(model: Any, ids: Tensor) -> Tensor:
    """Mean next-token cross-entropy of rows without padding (R, T)."""
    logits = model(input_ids=ids).logits
    return functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())


def masked_loss(model: Any, ids: Tensor, mask_id: int, first_id: int) -> Tensor:
    """Mean cross-entropy of restoring masked tokens of rows without padding (R, T); ends are never masked.

    `first_id` is the first id that is a word and not a special token.
    """
    rows, width = ids.shape
    count = max(1, round(MASKED * (width - 2)))
    order = torch.rand(rows, width)
    order[:, 0] = order[:, -1] = -1.0
    places = order.topk(count, 1).indices
    gold = ids.gather(1, places)
    draw = torch.rand(places.shape)
    words = torch.randint(first_id, model.config.vocab_size, places.shape)
    shown = ids.scatter(1, places, torch.where(draw < 0.8, mask_id, torch.where(draw < 0.9, words, gold)))
    hidden = model.roberta(input_ids=shown).last_hidden_state
    # Only masked places are projected on the vocabulary.
    hidden = hidden.gather(1, places[..., None].expand(-1, -1, hidden.shape[-1]))
    return functional.cross_entropy(model.lm_head(hidden).flatten(0, 1), gold.flatten())


@dataclass
class Pretraining:
    """The objective: one batch of documents of one length per step."""

    model: PreTrainedModel
    documents: list[list[int]]
    stream: Stream
    loss: Callable[[Any, Tensor], Tensor]
    config: PretrainConfig
    linear: int

    def passes(self, step: int, group: Group, halvings: int = 0) -> list[Planned]:
        """One pass, never cut: the masked tokens are drawn for the batch as a whole."""
        rows = [self.documents[index] for index in self.stream.batch(step)]
        whole = f"a batch of {len(rows)} documents of {len(rows[0])} tokens"
        return [Planned(lambda: self._pass(torch.tensor(rows)), whole)]

    def _pass(self, ids: Tensor) -> Pass:
        rows, width = ids.shape
        shape = self.config.size.architecture
        cost = flops(self.linear, shape.hidden, shape.layers, rows * width, width, FULL_TRAINING)
        return Pass(self.loss(self.model, ids), rows * width, cost)


def pretrain(config: PretrainConfig, places: Places, runtime: Runtime, report: Report) -> Outcome:
    """Pretrain one size on the text of the data root; writes the model and its tokenizer.

    Resumes by itself from `places.output`/resume. Raises `DataError` when the root holds no text.
    """
    torch.set_num_threads(runtime.threads)
    root = Root(places.root)
    texts = corpus.read(root)
    words = tokenizer.build(config.tokenizer, texts, root, config.vocabulary)
    documents = _encode(texts, words, config.max_length)
    torch.manual_seed(config.seed)
    model = build(config, words)
    model.train()
    run = _run(config, model, places, runtime)
    objective = Pretraining(
        model=model,
        documents=documents,
        stream=Stream([len(row) for row in documents], config.batch_size, config.seed, same_length_batches),
        loss=_loss(config, words),
        config=config,
        linear=linear_weights(model),
    )
    trace = loop.train(run, objective, report)
    checkpoint = storage.join(places.output, "checkpoint")
    if not trace.diverged():
        with storage.publish(checkpoint) as folder:
            model.save_pretrained(folder)
            words.save_pretrained(folder)
    storage.remove(run.resume)
    parameters = sum(value.numel() for value in model.base_model.parameters())
    facts = {"documents": len(documents), "vocabulary": len(words)}
    return trace.outcome(None, checkpoint, parameters, facts)


def _encode(texts: list[corpus.Document], words: Any, max_length: int) -> list[list[int]]:
    ids = words([document.text for document in texts], add_special_tokens=False)["input_ids"]
    return [[words.bos_token_id, *row[: max_length - 2], words.eos_token_id] for row in ids if row]


def _loss(config: PretrainConfig, words: Any) -> Callable[[Any, Tensor], Tensor]:
    if config.size.family == "decoder":
        return causal_loss
    first = max(words.all_special_ids) + 1
    return lambda model, ids: masked_loss(model, ids, words.mask_token_id, first)


def _run(config: PretrainConfig, model: PreTrainedModel, places: Places, runtime: Runtime) -> loop.Run:
    named = dict(model.named_parameters())
    matrices = {name for name, value in named.items() if value.ndim == 2 and ".layer" in name}
    muon = torch.optim.Muon(
        [named[name] for name in sorted(matrices)],
        lr=config.matrix_learning_rate,
        weight_decay=WEIGHT_DECAY,
        adjust_lr_fn="match_rms_adamw",
    )
    rest = [value for name, value in named.items() if name not in matrices]
    adamw = torch.optim.AdamW(rest, lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY, fused=True)
    return loop.Run(
        steps=config.steps,
        seed=config.seed,
        clip=CLIP,
        schedule=loop.Schedule(config.steps, WARMUP),
        tensors=named,
        optimizers=(muon, adamw),
        resume=storage.join(places.output, "resume"),
        checkpoint_seconds=runtime.checkpoint_seconds,
    )

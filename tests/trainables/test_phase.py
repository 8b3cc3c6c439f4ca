"""One phase at one learning rate: exact resume, any cut into passes, lineage of adapters and heads."""

import json
import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from trainables import loop, phase, state
from trainables.config import Adapter, Places, Runtime, Sampling, TextMix
from trainables.data.root import Root
from trainables.errors import CheckpointError, DataError, ModelError
from trainables.group import ALONE, Group
from trainables.models.backbone import load
from trainables.models.network import Network, network

TASKS = ["xcopa", "udpos", "panx", "xnli", "siqa"]


def losses(events):
    return [event["loss"] for event in events]


# A model that has seen thirty batches knows nothing of causes, so choices are trained for their checkpoint only.
@pytest.mark.parametrize("task", TASKS)
def test_every_trained_task_learns_and_leaves_a_checkpoint(task, places, tune_config):
    events = []
    outcome = phase.train(tune_config(task, steps=30), 5e-3, places(), Runtime(), events.append)
    assert outcome.status == "finished"
    if task not in ("xcopa", "siqa"):
        assert outcome.last_loss < outcome.first_loss
    assert 0 <= outcome.score <= 100
    assert [event["step"] for event in events] == list(range(1, 31))
    assert [event["step"] for event in events if "score" in event] == [15, 30]
    assert outcome.tokens > 0
    assert outcome.flops > outcome.tokens
    assert outcome.facts["trainable_tensors"] >= 28
    assert set(json.loads(Path(outcome.checkpoint, "heads", "heads.json").read_text())) == {task}


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(places, tune_config):
    runs = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        events = []
        phase.train(tune_config("udpos", seed=seed), 3e-3, places(name), Runtime(), events.append)
        runs.append(losses(events))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.parametrize("micro_tokens", [1, 100, 100_000])
@pytest.mark.parametrize("task", ["udpos", "siqa"])
def test_the_cut_into_passes_changes_no_loss(task, micro_tokens, places, tune_config):
    events, whole = [], []
    phase.train(tune_config(task), 3e-3, places("whole"), Runtime(), whole.append)
    phase.train(tune_config(task), 3e-3, places("cut"), Runtime(micro_tokens=micro_tokens), events.append)
    assert losses(events) == pytest.approx(losses(whole), rel=2e-4)


class Killed(Exception):
    pass


def test_a_phase_that_is_cut_off_goes_on_to_the_same_end(places, tune_config):
    config = tune_config("udpos", "xcopa", evaluations=3)
    whole = []
    first = phase.train(config, 3e-3, places("whole"), Runtime(), whole.append)
    before = []

    def kill(event):
        before.append(event)
        if event["step"] == 8:
            raise Killed

    with pytest.raises(Killed):
        phase.train(config, 3e-3, places("cut"), Runtime(checkpoint_seconds=1e-9), kill)
    after = []
    second = phase.train(config, 3e-3, places("cut"), Runtime(), after.append)
    assert losses(before[:7]) + losses(after) == losses(whole)
    assert second.facts["restarts"] == 1
    assert second.facts["dev_scores"] == first.facts["dev_scores"]
    one, two = (load_file(f"{o.checkpoint}/adapter/adapter_model.safetensors") for o in (first, second))
    assert all(one[name].equal(two[name]) for name in one)


def test_a_target_continues_the_intermediate_adapter_and_keeps_its_head(places, tune_config):
    middle = phase.train(tune_config("xnli", kind="intermediate"), 3e-3, places("middle"), Runtime(), lambda e: None)
    target = phase.train(tune_config("udpos"), 3e-3, places("target", middle.checkpoint), Runtime(), lambda e: None)
    assert target.facts["heads"] == {"xnli": "classify", "udpos": "tag"}
    old, new = (load_file(f"{o.checkpoint}/heads/heads.safetensors") for o in (middle, target))
    for name, value in old.items():
        assert new[name].equal(value)
    a, b = (load_file(f"{o.checkpoint}/adapter/adapter_model.safetensors") for o in (middle, target))
    assert any(not a[name].equal(b[name]) for name in a)
    assert target.facts["snapshot_sha256"] == middle.facts["snapshot_sha256"]


def test_a_learning_rate_far_too_high_is_an_outcome_and_not_an_error(places, tune_config):
    outcome = phase.train(tune_config("udpos", steps=40, clip=1e9), 30.0, places(), Runtime(), lambda e: None)
    assert outcome.status == "diverged"
    assert outcome.score is None
    assert outcome.checkpoint is None
    assert "loss" in outcome.note


def test_a_truncated_parent_is_one_clear_line(places, tune_config, tmp_path):
    middle = phase.train(tune_config("udpos"), 3e-3, places("middle"), Runtime(), lambda e: None)
    path = f"{middle.checkpoint}/heads/heads.json"
    with open(path, "w") as file:
        file.write("{")
    with pytest.raises(CheckpointError, match="heads cannot be loaded"):
        phase.train(tune_config("xcopa"), 3e-3, places("target", middle.checkpoint), Runtime(), lambda e: None)


def test_missing_training_data_is_named(places, tune_config, tmp_path):
    where = places().model_copy(update={"root": str(tmp_path / "empty")})
    with pytest.raises(DataError, match="xcopa"):
        phase.train(tune_config("xcopa"), 3e-3, where, Runtime(), lambda e: None)


def test_a_state_of_another_phase_is_not_taken_for_this_one(places, tune_config, tmp_path):
    with pytest.raises(Killed):
        phase.train(tune_config("udpos"), 3e-3, places(), Runtime(checkpoint_seconds=1e-9), _kill)
    assert (tmp_path / "out" / "resume" / state.STATE).exists()
    outcome = phase.train(tune_config("xnli"), 3e-3, places(), Runtime(), lambda e: None)
    assert outcome.steps == 12
    assert outcome.facts["restarts"] == 1
    assert not (tmp_path / "out" / "resume").exists()


def _kill(event):
    if event["step"] == 3:
        raise Killed


def test_a_phase_that_runs_out_of_memory_is_the_phase_planned_with_smaller_passes(places, tune_config, monkeypatch):
    """Passes of more than 60 padded tokens do not fit; the plan allowed 480."""
    planned, events, config = [], [], tune_config("udpos", adapter=Adapter(dropout=0.1))
    first = phase.train(config, 3e-3, places("planned"), Runtime(micro_tokens=60), planned.append)
    loss = Network.loss

    def limited(self, batch, task):
        found = loss(self, batch, task)
        if batch.input_ids.numel() > 60:
            raise torch.OutOfMemoryError("no room")
        return found

    monkeypatch.setattr(Network, "loss", limited)
    second = phase.train(config, 3e-3, places("full"), Runtime(micro_tokens=480), events.append)
    assert events == planned
    assert (second.facts["micro_tokens"], second.facts["halvings"]) == (60, 3)
    assert (first.facts["micro_tokens"], first.facts["halvings"]) == (60, 0)
    one, two = (load_file(f"{o.checkpoint}/adapter/adapter_model.safetensors") for o in (first, second))
    assert all(one[name].equal(two[name]) for name in one)


def test_an_example_that_does_not_fit_is_named(places, tune_config, monkeypatch):
    def full(self, batch, task):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(Network, "loss", full)
    line = r"^out of memory: udpos: one example of \d+ padded tokens does not fit; lower training.max_length, or .*$"
    with pytest.raises(ModelError, match=line):
        phase.train(tune_config("udpos"), 3e-3, places(), Runtime(), lambda e: None)


# Running text, mixtures, training files and matching.


@pytest.fixture
def asked(world, tmp_path):
    """Places whose root holds SQuAD questions in the words of the world, and running text."""
    words = [word for word in Path(world.root, "vocabulary.txt").read_text().split() if not word.startswith("-")][:60]
    rows = []
    for number in range(60):
        draw = random.Random(number)
        sentences = [" ".join(draw.choices(words, k=draw.randint(4, 9))) + "." for _ in range(1 + number % 4)]
        context, answer = " ".join(sentences), sentences[-1].split()[0]
        start = context.index(sentences[-1])
        answers = {"text": [answer], "answer_start": [start]}
        rows.append(
            {"id": str(number), "question": f"{words[number % 7]} {answer}", "context": context, "answers": answers}
        )
    root = tmp_path / "asked"
    (root / "squad").mkdir(parents=True)
    for split, part in (("train", rows[:48]), ("dev", rows[48:])):
        (root / "squad" / f"{split}-en.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    (root / "news.txt").write_text("\n".join(" ".join(random.Random(n).choices(words, k=20)) for n in range(40)))

    def make(name: str):
        return Places(root=str(root), backbone=world.backbone, snapshots=world.snapshots, output=str(tmp_path / name))

    return make


@pytest.mark.parametrize("task", ["squad", "lareqa"])
def test_questions_and_matches_are_learnt_and_leave_a_checkpoint(task, asked, tune_config):
    outcome = phase.train(tune_config(task, steps=30), 5e-3, asked("out"), Runtime(), lambda e: None)
    assert outcome.status == "finished"
    assert outcome.last_loss < outcome.first_loss
    assert 0 <= outcome.score <= 100
    assert outcome.facts["heads"] == {task: "span" if task == "squad" else "match"}


@pytest.mark.parametrize("task", ["squad", "lareqa"])
@pytest.mark.parametrize("micro_tokens", [1, 300])
def test_the_cut_into_passes_changes_no_loss_of_windows_or_of_company(task, micro_tokens, asked, tune_config):
    runs = []
    for name, tokens in (("whole", 10**6), ("cut", micro_tokens)):
        events = []
        config = tune_config(task, batch_size=20, steps=4, max_length={task: 24})
        phase.train(config, 3e-3, asked(name), Runtime(micro_tokens=tokens), events.append)
        runs.append(losses(events))
    assert runs[1] == pytest.approx(runs[0], rel=2e-4)


@pytest.mark.parametrize("task", ["lareqa", "squad", "text"])
def test_two_workers_have_the_loss_and_the_gradient_of_one(task, asked, tune_config):
    named, text = ("squad", TextMix(files=("news.txt",), share=0.5)) if task == "text" else (task, None)
    config, where = tune_config(named, batch_size=20, steps=6, text=text), asked("out")
    root = Root(where.root)
    backbone = load(where.backbone, where.snapshots, config.quantization, config.attention)
    wanted = phase._heads(config, root)
    torch.manual_seed(0)
    with network(backbone, config.adapter, None, wanted, config.size.family, trainable=True) as net:
        items = {named: phase._split(config, where, backbone, root, named, "train").items}
        tuning = phase.objective(config, where, Runtime(micro_tokens=700), net, backbone, root, items)
        step = next(place for place, (source, _) in enumerate(tuning.turns) if source == task)
        whole = _gradients(net, tuning, step, [ALONE])
        parts = _gradients(net, tuning, step, [Group(0, 2), Group(1, 2)])
    assert parts[0] == pytest.approx(whole[0], rel=1e-4)
    for one, other in zip(parts[1], whole[1], strict=True):
        assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("task", ["xnli", "udpos", "xcopa"])
def test_eight_passes_of_one_example_have_the_gradient_of_one_pass_of_eight(task, places, tune_config):
    _check_cut(tune_config(task, quantization="none"), places(), task)


@pytest.mark.parametrize("task", ["squad", "text"])
def test_one_window_or_block_at_a_time_has_the_gradient_of_all_together(task, asked, tune_config):
    text = TextMix(files=("news.txt",), share=0.5) if task == "text" else None
    _check_cut(tune_config("squad", quantization="none", text=text, steps=6), asked("out"), task)


def _check_cut(config, where, task):
    """The gradient of a step of a task, one example per pass, against that of the step as one pass: to 1e-6."""
    root = Root(where.root)
    backbone = load(where.backbone, where.snapshots, config.quantization, config.attention)
    torch.manual_seed(0)
    with network(backbone, config.adapter, None, phase._heads(config, root), config.size.family, True) as net:
        items = {name: phase._split(config, where, backbone, root, name, "train").items for name in config.tasks}
        cuts = {}
        for tokens in (1, 10**6):
            tuning = phase.objective(config, where, Runtime(micro_tokens=tokens), net, backbone, root, items)
            step = next(place for place, (source, _) in enumerate(tuning.turns) if source == task)
            loss, gradients = _gradients(net, tuning, step, [ALONE])
            cuts[len(tuning.passes(step, ALONE))] = loss, torch.cat([value.flatten() for value in gradients])
    assert min(cuts) == 1
    (one, whole), (other, parts) = cuts.pop(1), cuts.popitem()[1]
    assert other == pytest.approx(one, rel=1e-6)
    assert (parts - whole).norm() <= 1e-6 * whole.norm()


def _gradients(net, tuning, step, groups):
    """Loss and gradients of a step, summed over workers."""
    tensors = [value for _, value in phase._named(net) if value.requires_grad]
    for tensor in tensors:
        tensor.grad = None
    total = 0.0
    for group in groups:
        for forward in tuning.passes(step, group):
            one = forward()
            one.loss.backward()
            total += one.loss.item()
    return total, [torch.zeros_like(tensor) if tensor.grad is None else tensor.grad.clone() for tensor in tensors]


def test_running_text_takes_its_share_of_steps_and_of_tokens(places, tune_config, asked):
    text = TextMix(files=(f"{asked('x').root}/news.txt",), share=0.25)
    config = tune_config("udpos", kind="intermediate", text=text, steps=16, batch_size=16)
    events = []
    outcome = phase.train(config, 3e-3, places(), Runtime(), events.append)
    assert outcome.facts["shares"] == {"udpos": 0.75, "text": 0.25}
    tokens = outcome.facts["tokens_by_source"]
    assert sum(tokens.values()) == outcome.tokens
    assert tokens["text"] / outcome.tokens == pytest.approx(0.25, abs=0.08)
    assert outcome.facts["heads"] == {"udpos": "tag", "text": "clm"}
    again = []
    phase.train(config, 3e-3, places("again"), Runtime(micro_tokens=100), again.append)
    assert losses(again) == pytest.approx(losses(events), rel=2e-4)


def test_a_mixture_is_shared_out_by_the_sizes_of_its_tasks(places, tune_config):
    config = tune_config("udpos", "siqa", kind="intermediate", sampling=Sampling(cap=10, temperature=2))
    outcome = phase.train(config, 1e-3, places(), Runtime(), lambda e: None)
    assert outcome.facts["shares"] == {"udpos": 0.5, "siqa": 0.5}


def test_training_files_take_the_place_of_the_tasks_own(places, tune_config, tmp_path):
    rows = [{"words": ["a", "b"], "tags": ["X", "NOUN"], "language": "de"} for _ in range(9)]
    (tmp_path / "de.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = tune_config("udpos", files={"udpos": (str(tmp_path / "*.jsonl"),)}, batch_size=9, steps=2)
    outcome = phase.train(config, 1e-3, places(), Runtime(), lambda e: None)
    assert outcome.tokens == 2 * 9 * 4


def test_unlike_losses_are_not_compared_with_one_another():
    trace = loop.Trace([1.0, 9.0] * 20, sources=["task", "text"] * 20)
    assert not trace.diverged()
    trace.losses[-10:] = [1.0, 30.0] * 5
    assert trace.diverged() == "text: loss ended at 30.000, above its start 9.000"

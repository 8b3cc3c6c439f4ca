"""Two workers, with the base spread over them or not, train what one worker trains: real processes, gloo, CPU."""

import json
import multiprocessing
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from bitsandbytes.nn import Linear8bitLt
from safetensors.torch import load_file
from torch import nn
from torch.distributed.tensor import DTensor

from trainables import phase
from trainables.config import Places, Runtime
from trainables.errors import ModelError, Preempted
from trainables.group import Group
from trainables.layers import blocks
from trainables.models.network import network
from trainables.objective import Tuning
from trainables.sharding import sharded

PAIR = Group(0, 2)

MICRO = 200
"""Padded tokens per pass: several passes a step, and not as many for one worker as for the other."""
SHARDED = Runtime(micro_tokens=MICRO, shard=True)
RUNTIMES = {
    "spread": SHARDED,
    "spread-nf4": SHARDED,
    "spread-recompute": SHARDED.model_copy(update={"recompute": True}),
    "memory": Runtime(micro_tokens=MICRO),
    "notice": Runtime(micro_tokens=MICRO),
    "hopeless-first": Runtime(micro_tokens=MICRO),
    "hopeless-second": Runtime(micro_tokens=MICRO),
    "spread-hopeless-first": SHARDED,
    "spread-killed": SHARDED.model_copy(update={"checkpoint_seconds": 1e-9}),
    "spread-memory": SHARDED,
}
"""What the two workers do, one after the other; the last one ends them."""


def trouble(name, rank, say):
    """What happens to the second worker at its fifth step, or to both: a report that makes it happen.

    To the dev score of step 4 the first or the second worker's report answers that it is not worth going on.
    """

    def report(event):
        say(event)
        if event["step"] == 4 and name == "notice" and rank:
            os.kill(os.getpid(), signal.SIGTERM)
        if event["step"] == 4 and "memory" in name and rank:
            run_out_of_memory()
        if event["step"] == 6 and "killed" in name:
            raise KeyboardInterrupt
        return "score" in event and name.endswith(f"hopeless-{('first', 'second')[rank]}")

    return report


def run_out_of_memory():
    """Let the next pass of this process fail, once."""
    make = Tuning._pass

    def fail(self, *arguments):
        Tuning._pass = make
        raise torch.OutOfMemoryError("no room")

    Tuning._pass = fail


def base_here(rank, config, places):
    """Numbers of the layers that this worker holds while they are spread, and before."""
    base = phase._backbone(config, places, Group(rank, 2, lockstep=True))
    layers = blocks(base)
    whole = sum(value.numel() for layer in layers for value in layer.parameters())
    with network(base, config.adapter, None, {}, config.size.family, trainable=True) as net, sharded(net, PAIR):
        spread = [value for layer in layers for value in layer.parameters() if isinstance(value, DTensor)]
        return sum(value.to_local().numel() for value in spread), whole


def worker(rank, folder, configs, places):
    """One of two workers; what it saw goes to <folder>/<name>-<rank>.json."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    held, whole = base_here(rank, configs["spread"], places["spread"])
    Path(folder, f"held-{rank}.json").write_text(json.dumps(held / whole))
    for name, config in configs.items():
        events, said, outcome = [], "", None
        try:
            outcome = phase.train(
                config, 3e-3, places[name], RUNTIMES[name], trouble(name, rank, events.append), Group(rank, 2)
            )
        except (ModelError, Preempted, KeyboardInterrupt) as error:
            said = f"{type(error).__name__}: {error}"
        found = {"events": events, "said": said, "outcome": outcome and outcome.model_dump(mode="json")}
        Path(folder, f"{name}-{rank}.json").write_text(json.dumps(found))
        if name == "spread-memory":  # the other one waits for this one for good
            os._exit(0)


@pytest.fixture(scope="module")
def make_places(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sharding")

    def make(name):
        return Places(root=world.root, backbone=world.backbone, snapshots=world.snapshots, output=str(folder / name))

    return make


@pytest.fixture(scope="module")
def configs(tune_config):
    return {
        name: tune_config("udpos", quantization="nf4" if "nf4" in name else "none", steps=8, batch_size=7)
        for name in RUNTIMES
    }


@pytest.fixture(scope="module")
def pair(configs, make_places, tmp_path_factory):
    """name -> what the two workers saw."""
    folder = tmp_path_factory.mktemp("pair")
    places = {name: make_places(name) for name in configs}
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=worker, args=(rank, str(folder), configs, places)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(240)
        process.kill()
    return {
        name: [json.loads(path.read_text()) for path in sorted(folder.glob(f"{name}-[01].json"))]
        for name in ("held", *configs)
    }


def losses(events):
    return [event["loss"] for event in events]


@pytest.fixture(scope="module")
def alone(configs, make_places):
    """quantization -> outcome and events of one worker that nothing happens to."""
    found = {}
    for quantization in ("none", "nf4"):
        events = []
        config = configs["spread"].model_copy(update={"quantization": quantization})
        outcome = phase.train(
            config, 3e-3, make_places(f"alone-{quantization}"), Runtime(micro_tokens=MICRO), events.append
        )
        found[quantization] = outcome, events
    return found


def test_every_worker_holds_its_part_of_the_layers(pair):
    assert pair["held"] == [0.5, 0.5]


@pytest.mark.parametrize("name", ["spread", "spread-nf4", "spread-recompute"])
def test_a_base_spread_over_two_workers_gives_the_losses_and_the_adapter_of_one(name, pair, alone):
    expected, events = alone["nf4" if "nf4" in name else "none"]
    first, second = pair[name]
    assert losses(first["events"]) == losses(second["events"])
    assert losses(first["events"]) == pytest.approx(losses(events), rel=1e-5)
    assert first["outcome"]["tokens"] == expected.tokens
    assert first["outcome"]["score"] == pytest.approx(expected.score, abs=0.5)
    for file in ("adapter/adapter_model.safetensors", "heads/heads.safetensors"):
        one, other = load_file(f"{first['outcome']['checkpoint']}/{file}"), load_file(f"{expected.checkpoint}/{file}")
        assert one.keys() == other.keys(), "a checkpoint looks as if nothing had been spread"
        assert all(torch.allclose(one[key], other[key], atol=1e-4) for key in one)


def test_workers_agree_on_smaller_passes_when_one_of_them_runs_out_of_memory(pair, alone):
    first, second = pair["memory"]
    assert losses(first["events"]) == losses(second["events"])
    assert losses(first["events"]) == pytest.approx(losses(alone["none"][1]), rel=1e-5)
    for one in (first, second):
        assert one["outcome"]["facts"]["halvings"] == 1
        assert one["outcome"]["facts"]["micro_tokens"] == MICRO // 2


def test_running_out_of_memory_with_a_spread_base_is_one_line(pair):
    [said] = [one["said"] for one in pair["spread-memory"] if one["said"].startswith("ModelError")]
    assert said == "ModelError: out of memory with a sharded base; halve compute.micro_tokens, or take more workers"


@pytest.mark.parametrize("name", ["hopeless-first", "spread-hopeless-first"])
def test_both_workers_stop_at_the_step_at_which_the_first_is_told_to(name, pair, alone):
    found = pair[name]
    for one in found:
        assert (one["outcome"]["status"], one["outcome"]["steps"], one["outcome"]["score"]) == ("pruned", 4, None)
    assert losses(found[0]["events"]) == losses(found[1]["events"])
    assert losses(found[0]["events"]) == pytest.approx(losses(alone["none"][1])[:4], rel=1e-5)


def test_the_first_worker_alone_decides_whether_to_go_on(pair):
    """Its score is the one that is recorded, and another's may differ in its last digits."""
    assert [one["outcome"]["status"] for one in pair["hopeless-second"]] == ["finished", "finished"]


@pytest.mark.parametrize("name", ["notice", "spread-killed"])
def test_one_worker_goes_on_where_two_were_stopped(name, pair, alone, configs, make_places):
    first, second = pair[name]
    if name == "notice":
        assert first["said"] == second["said"]
        assert first["said"].startswith("Preempted: told to go after step 5 of 8"), "though only the second was told"
    after = []
    outcome = phase.train(configs[name], 3e-3, make_places(name), Runtime(micro_tokens=MICRO), after.append)
    assert losses(first["events"])[:5] + losses(after) == pytest.approx(losses(alone["none"][1]), rel=1e-5)
    assert outcome.facts["preemptions"] == (name == "notice")
    assert outcome.facts["restarts"] == (name != "notice")


def test_int8_is_refused():
    net = SimpleNamespace(model=nn.Sequential(Linear8bitLt(8, 8)))
    with pytest.raises(ModelError, match="int8 cannot be spread over workers; use quantization"), sharded(net, PAIR):
        pass


def test_sharding_alone_is_no_sharding(places, tune_config):
    runs = []
    for name, runtime in (("plain", Runtime()), ("shard", Runtime(shard=True))):
        events = []
        phase.train(tune_config("udpos"), 3e-3, places(name), runtime, events.append)
        runs.append(losses(events))
    assert runs[0] == runs[1]

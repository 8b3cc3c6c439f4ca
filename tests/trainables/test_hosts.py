"""A phase gives the same losses wherever it runs: in this process, in a warm worker, in a group of one or two."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from trainables import phase
from trainables.config import Adapter, Architecture, Places, PretrainConfig, Runtime, Size, TuneConfig
from trainables.errors import StudyError
from trainables.hosts import choose, own, trial_resources
from trainables.lab import write_root
from trainables.pretrain import pretrain
from trainables.results import Outcome, Report

SIZE = Size(name="t", family="decoder", architecture=Architecture(hidden=16, layers=1, heads=2, intermediate=32))
RUNTIME = Runtime(micro_tokens=1024)
STEPS = 8


def config() -> TuneConfig:
    return TuneConfig(
        kind="target", ladder="lab", size=SIZE, quantization="none", attention="causal", adapter=Adapter(),
        tasks={"udpos": 1.0}, steps=STEPS, batch_size=8, max_length={"udpos": 64}, warmup=0.0, weight_decay=0.0,
        head_learning_rate_scale=1.0, clip=1.0, evaluations=2, seed=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a lab root and a backbone of a few steps."""
    folder = tmp_path_factory.mktemp("world")
    write_root(str(folder / "data"), seed=0)
    recipe = PretrainConfig(
        ladder="lab", size=SIZE, tokenizer="words", vocabulary=1000, steps=5, batch_size=8,
        learning_rate=4e-3, matrix_learning_rate=1e-2, max_length=64, seed=0,
    )  # fmt: skip
    pretrain(recipe, places(folder, folder / "base"), RUNTIME, lambda event: None)
    return folder


@pytest.fixture(scope="module")
def local_ray() -> Iterator[None]:
    ray.init(address="local", num_cpus=3, include_dashboard=True, log_to_driver=False, logging_level=logging.ERROR)
    yield
    ray.shutdown()


def places(folder: Path, output: Path) -> Places:
    return Places(
        root=str(folder / "data"),
        backbone=str(folder / "base" / "checkpoint"),
        snapshots=str(folder / "snapshots"),
        output=str(output),
    )


def to_file(path: Path) -> Report:
    """A report that leaves a trace in the process that calls it. (A closure: workers cannot import this file.)"""

    def report(event: dict[str, float]) -> None:
        with open(path, "a") as file:
            file.write(f"{event['step']}\n")

    return report


def train(world: Path, name: str, host, report: Report | None = None) -> Outcome:
    output = world / name
    outcome = host(config(), 3e-3, places(world, output), RUNTIME, report or to_file(world / f"{name}.steps"))
    assert outcome.steps == STEPS
    assert (output / "checkpoint" / "adapter").is_dir()
    steps = (world / f"{name}.steps").read_text().split()
    assert steps == [str(step + 1) for step in range(STEPS)], "exactly one process reports, every step once"
    return outcome


@pytest.fixture(scope="module")
def expected(world: Path) -> Outcome:
    return train(world, "here", own)


def test_warm_worker_and_group_of_one_give_the_same_losses(world, local_ray, expected):
    for name, host in {"warm": choose(0, 1, 0.0, {}), "one": choose(1, 1, 0.0, {})}.items():
        found = train(world, name, host)
        assert found.curve == expected.curve
        assert found.score == expected.score
        assert (found.tokens, found.flops) == (expected.tokens, expected.flops)
    assert not (world / "one" / "group").exists(), "Ray Train's own files are thrown away"


def test_two_workers_give_the_same_losses_up_to_rounding(world, local_ray, expected):
    found = train(world, "two", choose(2, 1, 0.0, {}))
    assert [step for step, _ in found.curve] == [step for step, _ in expected.curve]
    assert [loss for _, loss in found.curve] == pytest.approx([loss for _, loss in expected.curve], abs=1e-4)
    assert found.tokens == expected.tokens


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_whose_worker_is_told_to_go_goes_on_at_once(world, local_ray, expected, workers):
    name = f"told-{workers}"
    steps, told = to_file(world / f"{name}.steps"), world / f"{name}.told"

    def report(event: dict[str, float]) -> None:
        from trainables import preemption

        steps(event)
        if event["step"] == 3 and not told.exists():
            told.touch()
            # In a worker of Ray Train the training has a thread of its own, which no signal reaches.
            preemption.give_notice() if workers else os.kill(os.getpid(), signal.SIGTERM)

    found = train(world, name, choose(workers, 1, 0.0, {}), report)
    assert [loss for _, loss in found.curve] == pytest.approx([loss for _, loss in expected.curve], abs=1e-4)
    assert (found.facts["preemptions"], found.facts["restarts"]) == (1, 0)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_run_that_is_not_worth_going_on_ends_at_once_for_all_workers(world, local_ray, expected, workers):
    """One process is asked; a group whose other worker went on would never end."""
    name = f"stopped-{workers}"
    steps = to_file(world / f"{name}.steps")

    def report(event):
        steps(event)
        return "score" in event and event["step"] == STEPS // 2

    output = world / name
    found = choose(workers, 1, 0.0, {})(config(), 3e-3, places(world, output), RUNTIME, report)
    assert (found.status, found.score, found.steps) == ("pruned", None, STEPS // 2)
    assert [step for step, _ in found.dev] == [STEPS // 2]
    whole = expected.dev[: len(found.dev)]
    assert [score for _, score in found.dev] == pytest.approx([score for _, score in whole], abs=1e-9)
    assert (world / f"{name}.steps").read_text().split() == [str(step + 1) for step in range(STEPS // 2)]
    assert 0 < found.flops < expected.flops and 0 < found.tokens < expected.tokens
    assert not (output / "checkpoint").exists() and not (output / "resume").exists()


DRAINED = """
import logging, sys, time, types
from pathlib import Path
import ray
from ray.core.generated.autoscaler_pb2 import DrainNodeReason
from trainables import hosts, preemption

ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)

def train(config, learning_rate, places, runtime, report):
    with preemption.listening() as noticed:
        Path(places).touch()
        end = time.monotonic() + 20
        while not noticed() and time.monotonic() < end:
            time.sleep(0.01)
        return noticed()

@ray.remote(max_retries=0)
def run(marker):
    sys.modules["trainables.phase"] = types.SimpleNamespace(train=train)  # the real one would import torch
    return hosts.own(None, 0.0, marker, None, None)

task = run.remote(sys.argv[1])
while not Path(sys.argv[1]).exists():
    time.sleep(0.01)
context = ray.get_runtime_context()
reason = DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
deadline = int((time.time() + 120) * 1000)
ray._raylet.GcsClient(address=context.gcs_address).drain_node(context.get_node_id(), reason, "spot", deadline)
print("told" if ray.get(task) else "not told")
"""


def test_the_notice_that_a_node_is_drained_reaches_the_run_on_it(tmp_path):
    """A Ray of its own: a drained node takes no work any more."""
    command = [sys.executable, "-c", DRAINED, str(tmp_path / "marker")]
    assert subprocess.run(command, capture_output=True, text=True, timeout=120).stdout == "told\n"


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_user_can_mend_arrives_as_it_was_raised(world, local_ray, tmp_path, workers):
    broken = places(world, tmp_path / "out").model_copy(update={"root": str(tmp_path / "nowhere")})
    with pytest.raises(StudyError, match="nowhere"):
        choose(workers, 1, 0.0, {})(config(), 3e-3, broken, RUNTIME, to_file(tmp_path / "steps"))


def test_only_a_trial_that_trains_itself_holds_the_gpu():
    assert choose(0, 1, 1.0, {}) is own
    place = {"size-14b": 0.001}
    assert trial_resources(0, 4, 1.0, place, {"driver": 0.001}) == {"CPU": 4.0, "GPU": 1.0, **place}
    for shape in ((2, 4, 1.0), (0, 4, 0.0)):
        assert trial_resources(*shape, place, {"driver": 0.001}) == {"driver": 0.001}


def test_same_seed_same_losses_twice_in_one_process(world, expected):
    again = phase.train(config(), 3e-3, places(world, world / "again"), RUNTIME, lambda event: None)
    assert again.curve == expected.curve

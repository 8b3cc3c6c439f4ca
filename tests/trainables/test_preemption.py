"""A run that is told to go writes its state at once, and goes on as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch

from tests.trainables.line import make
from trainables import loop, phase, preemption, state
from trainables.config import Runtime
from trainables.errors import Preempted, StorageError


def notice_at(step, seen):
    """A report that gives notice during step `step`, before its own end is known."""

    def report(event):
        seen.append(event)
        if event["step"] == step - 1:
            os.kill(os.getpid(), signal.SIGTERM)

    return report


def test_sigterm_is_noticed_inside_and_means_what_it_meant_outside():
    before = signal.getsignal(signal.SIGTERM)
    with preemption.listening() as noticed:
        assert not noticed()
        os.kill(os.getpid(), signal.SIGTERM)
        assert noticed()
    assert signal.getsignal(signal.SIGTERM) is before
    with preemption.listening() as noticed:
        assert not noticed()


def test_notice_that_came_before_the_run_counts():
    preemption.give_notice()
    with preemption.listening() as noticed:
        assert noticed()


# Step 5 is scored, step 8 is not.
@pytest.mark.parametrize("step", [5, 8])
def test_the_state_is_written_at_once_and_the_run_goes_on_to_the_same_end(tmp_path, step):
    def options(model):
        return {"dropout": 0.2, "evaluations": 4, "evaluate": lambda: float(model[0].weight.sum().detach())}

    def started(name):
        model = []
        run, objective, made = make(tmp_path / name, **options(model))
        model.append(made)
        return run, objective, made

    run, objective, model = started("whole")
    events = []
    whole = loop.train(run, objective, events.append)

    run, objective, _ = started("cut")
    before, after = [], []
    with pytest.raises(Preempted, match=f"after step {step} of 20; its state is written"):
        loop.train(run, objective, notice_at(step, before))
    run, objective, again = started("cut")
    trace = loop.train(run, objective, after.append)
    assert before + after == events
    assert (trace.losses, trace.scores) == (whole.losses, whole.scores)
    assert torch.equal(again.weight, model.weight)
    assert (trace.preemptions, trace.restarts) == (1, 0), "it was told to go, it did not fail"


def test_notice_in_the_last_step_is_too_late_to_matter(tmp_path):
    run, objective, _ = make(tmp_path, steps=6)
    assert len(loop.train(run, objective, notice_at(6, [])).losses) == 6


def test_a_state_that_could_not_be_written_is_not_promised(tmp_path):
    run, objective, _ = make(tmp_path)
    report = notice_at(3, [])

    def full(event):
        report(event)
        if event["step"] == 2:
            (tmp_path / "resume").write_text("in the way")

    with pytest.raises(StorageError, match="cannot write"):
        loop.train(run, objective, full)


CHILD = """
import json, sys
from trainables import phase
from trainables.config import Places, Runtime, TuneConfig
from trainables.errors import Preempted

config, places = (kind.model_validate_json(text) for kind, text in zip((TuneConfig, Places), sys.argv[1:3]))
def report(event):
    print(json.dumps(event), flush=True)
    if event["step"] == 6:
        sys.stdin.readline()
try:
    phase.train(config, 3e-3, places, Runtime(), report)
except Preempted as error:
    sys.exit(str(error))
"""


def test_a_phase_that_gets_sigterm_goes_on_to_the_same_end(places, tune_config):
    config = tune_config("udpos", evaluations=3)
    whole, after = [], []
    first = phase.train(config, 3e-3, places("whole"), Runtime(), whole.append)
    command = [sys.executable, "-c", CHILD, config.model_dump_json(), places("cut").model_dump_json()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        before = [json.loads(child.stdout.readline()) for _ in range(6)]
        child.send_signal(signal.SIGTERM)
        rest, errors = child.communicate(b"\n", timeout=60)
    before += [json.loads(line) for line in rest.splitlines()]
    assert errors.decode().splitlines()[-1].startswith("told to go after step 7 of 12")
    assert os.path.exists(f"{places('cut').output}/resume/{state.STATE}")
    second = phase.train(config, 3e-3, places("cut"), Runtime(), after.append)
    assert before + after == whole
    assert second.facts["preemptions"] == 1
    assert second.facts["restarts"] == 0
    assert second.curve == first.curve

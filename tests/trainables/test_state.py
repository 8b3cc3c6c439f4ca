"""States are written beside the training: whole or not at all, the newest of them, and never silently lost."""

import signal
import subprocess
import sys
import threading

import pytest
import torch

from tests.trainables.line import make
from trainables import loop, state, storage
from trainables.errors import StorageError


def tensors(value):
    return {"weight": torch.full((3,), float(value))}


def read(folder):
    """(value of the tensor, position) of a state."""
    found = tensors(-1)
    position = state.read(str(folder), found, ())
    return found["weight"][0].item(), position


def test_a_state_is_what_the_tensors_were_when_it_was_put(tmp_path):
    live = tensors(1)
    with state.Writer(str(tmp_path)) as writer:
        writer.put(live, (), {"step": 1})
        live["weight"].fill_(2.0)
    assert read(tmp_path) == (1.0, {"step": 1})


def test_one_state_is_written_at_a_time_and_of_the_waiting_ones_the_newest(tmp_path, monkeypatch):
    begun, go, steps = threading.Event(), threading.Event(), []
    write = storage.write_bytes

    def slow(path, data):
        begun.set()
        assert go.wait(10)
        write(path, data)
        steps.append(read(tmp_path)[1]["step"])

    monkeypatch.setattr(storage, "write_bytes", slow)
    with state.Writer(str(tmp_path)) as writer:
        writer.put(tensors(1), (), {"step": 1})
        assert begun.wait(10)
        for step in (2, 3, 4):  # returns although nothing is written yet
            writer.put(tensors(step), (), {"step": step})
        go.set()
        writer.flush()
        assert steps == [1, 4]
    assert read(tmp_path) == (4.0, {"step": 4})


def test_a_storage_that_refuses_is_told_at_the_next_state_and_at_the_end(tmp_path):
    (tmp_path / "file").write_text("in the way")
    folder = str(tmp_path / "file" / "resume")
    with pytest.raises(StorageError, match="cannot write .*file/resume"), state.Writer(folder) as writer:
        writer.put(tensors(1), (), {})
    writer = state.Writer(folder)
    writer.put(tensors(1), (), {})
    with pytest.raises(StorageError, match="cannot write"):
        writer.flush()
    writer.flush()  # said once


def test_what_ended_the_run_is_not_hidden_by_its_last_state(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KeyError, match="the reason"), state.Writer(str(tmp_path / "file")) as writer:
        writer.put(tensors(1), (), {})
        raise KeyError("the reason")


def test_a_run_whose_states_cannot_be_written_says_so(tmp_path):
    run, objective, _ = make(tmp_path, checkpoint_seconds=0.0)

    def report(event):
        if event["step"] == 1:
            (tmp_path / "resume").write_text("in the way")

    with pytest.raises(StorageError, match="cannot write"):
        loop.train(run, objective, report)


DYING = """
import os, sys, torch
from trainables import state
with state.Writer(sys.argv[1]) as writer:
    writer.put({"weight": torch.full((3,), 1.0)}, (), {"step": 1})
    writer.flush()
    os.replace = lambda *paths: os.kill(os.getpid(), 9)
    writer.put({"weight": torch.full((3,), 2.0)}, (), {"step": 2})
"""


def test_a_process_that_dies_while_it_writes_leaves_the_state_before(tmp_path):
    done = subprocess.run([sys.executable, "-c", DYING, str(tmp_path)])
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2, "the new state is there, but not in its place"
    assert read(tmp_path) == (1.0, {"step": 1})

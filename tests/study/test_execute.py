"""The driver: slots, lines, failures that stay where they belong, signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
import ray

from clusters.own_head import RAY
from study import execute
from study.lease import holder
from study.placement import Room
from study.plan import Row
from study.reach import check_answers
from study.spec import Compute
from study.store import Store
from tests.study.phases import pretrain_phase, record, spec, target_phase
from trainables.config import Places, Runtime
from trainables.errors import StorageError, StudyError
from trainables.lab import write_root
from trainables.pretrain import pretrain


@pytest.mark.parametrize("number", [1, int(signal.SIGTERM)])
def test_terminated_while_ray_starts(number, monkeypatch):
    """Ray's own handlers are in place then, which exit with either code; ours are put there when it is up."""

    def start(*_: object, **__: object) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(number))
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(execute.ray, "init", start)
    try:
        with pytest.raises(SystemExit) as stop:
            execute.on_worker(print)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stop.value.code == 143


def test_a_machine_too_busy_for_ray_is_one_line(monkeypatch):
    def start(*_: object, **__: object) -> None:
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(execute.ray, "init", start)
    with pytest.raises(
        StudyError, match=r"^Ray did not start on this machine \(Exception: The current .*; if the machine"
    ):
        execute.on_worker(print)


def test_terminated_inside_a_call_of_ray(tmp_path):
    """Ray turns what a signal handler raises inside ray.get or ray.wait into an exit with code 1."""
    waiting = tmp_path / "waiting"

    def wait() -> None:
        waiting.touch()
        time.sleep(50)

    def terminate() -> None:
        while not waiting.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=terminate, daemon=True).start()
    with pytest.raises(SystemExit) as stop:
        execute.on_worker(wait)
    assert stop.value.code == 143


def test_nothing_to_do_starts_no_ray(tmp_path):
    rows = [Row(pretrain_phase(), "done", "")]
    lines: list[str] = []
    assert execute.run(spec(), Store(tmp_path), rows, echo=lines.append) == 0
    assert lines == []


def test_a_failing_phase_blocks_its_descendants_with_one_line_each(tmp_path):
    """The data root of this study holds no text, so pretraining fails for real, in its worker."""
    root = tmp_path / "data"
    root.mkdir()
    (root / "README").write_text("no text here")
    study = spec(data={"source": "local", "root": str(root)})
    rows = [Row(pretrain_phase(), "run", "no record yet"), Row(target_phase(), "run", "no record yet")]
    store = Store(tmp_path / "study")
    lines: list[str] = []
    assert execute.run(study, store, rows, echo=lines.append) == 1
    assert lines[0] == "[0/2 0% ETA --:--] start   pretrain-xs"
    failed, blocked = lines[1:]
    assert failed.startswith("[0/2 0% ETA 00:00] failed  pretrain-xs  ")
    assert blocked.startswith("[0/2 0% ETA 00:00] blocked target-xs-s0  needs pretrain-xs, which failed: ")
    assert str(root) in failed and "Traceback" not in failed
    assert store.failure("pretrain-xs") in failed
    assert "Traceback" in Path(store.join("phases", "pretrain-xs", "log.txt")).read_text()


def test_a_failure_that_cannot_be_kept_blocks_no_other_phase(tmp_path, monkeypatch):
    """A worker is lost, and the storage refuses to take a note of it."""
    rows = [Row(pretrain_phase(), "run", "no record yet"), Row(target_phase(), "run", "no record yet")]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "README").write_text("not empty")
    study, lines = spec(data={"source": "local", "root": str(tmp_path / "data")}), []
    walk = execute._walk(study, Store(tmp_path / "study"), rows, lines.append, execute.NO_LIMITS, Room(Compute(), {}))
    walk.queue.take(1)
    monkeypatch.setattr("ray.get", Mock(side_effect=ray.exceptions.WorkerCrashedError))
    monkeypatch.setattr(Store, "write_failure", Mock(side_effect=StorageError("no space left")))
    walk._settle("pretrain-xs", None)
    assert walk.queue.over and "was killed 4 times" in lines[0] and "blocked target-xs-s0" in lines[1]


def test_searches_that_the_head_has_no_memory_for_wait_and_one_line_says_so(tmp_path, monkeypatch):
    searching, tuned = [target_phase(seed) for seed in range(4)], target_phase(9, tuned_by="found")
    rows = [Row(phase, "run", "no record yet") for phase in (*searching, tuned)]
    lines: list[str] = []
    room = Room(Compute(), {"xs": ""}, leaders=2, slots={"": 5})
    walk = execute._walk(spec(), Store(tmp_path), rows, lines.append, execute.NO_LIMITS, room)
    walk.nodes = {"xs": {}}
    started: list[str] = []
    monkeypatch.setattr(execute, "_submit", lambda job, *_: started.append(job.phase.key) or job.phase.key)
    for _ in range(3):
        walk._submit()
    assert started == [searching[0].key, searching[1].key, tuned.key]
    said = [line for line in lines if "memory" in line]
    assert said == ["2 searches at a time fill the head's memory; others wait for their turn"]
    walk.queue.finish(walk.flying.pop(searching[0].key))
    walk._submit()
    assert started[3:] == [searching[2].key]


def test_trials_that_run_at_a_time_are_no_more_than_the_slots_of_their_pool(tmp_path, monkeypatch):
    searching, tuned = [target_phase(seed) for seed in range(3)], target_phase(9, tuned_by="found")
    study = spec(compute={"gpus_per_trial": 1}, search={"trials": 4})
    room = Room(study.compute, {"xs": "xs"}, slots={"xs": 5})
    rows = [Row(phase, "run", "no record yet") for phase in (*searching, tuned)]
    walk = execute._walk(study, Store(tmp_path), rows, print, execute.NO_LIMITS, room)
    walk.nodes, walk.local = {"xs": {}}, False
    width: dict[str, int] = {}
    monkeypatch.setattr(
        execute, "_submit", lambda job, *others: width.update({job.phase.key: others[-1]}) or job.phase.key
    )
    walk._submit()
    assert sorted(width.values()) == [1, 1, 1, 2] and width[tuned.key] == 1, "one each, and what is left to one of them"
    walk._submit()
    assert len(width) == 4
    for phase in searching:
        walk.queue.put_back(walk.flying.pop(phase.key))
    room.slots["xs"] = 12
    walk._submit()
    assert sorted(width.values()) == [1, 3, 3, 3], "the fourth trial waits for the scores of three"


def test_a_worker_that_gets_sigterm_is_put_back_and_goes_on_to_the_same_end(tmp_path):
    """A real pretraining in a real worker process, against the same one that nobody disturbed."""
    root, phase = tmp_path / "data", pretrain_phase()
    write_root(str(root), seed=0)
    config = phase.config.model_copy(update={"vocabulary": 1000, "max_length": 64, "steps": 300, "batch_size": 8})
    phase = replace(phase, config=config)
    store, lines = Store(tmp_path / "study"), []

    def terminate() -> None:
        progress = Path(store.join("phases", phase.key, "progress.json"))
        while not progress.exists():
            time.sleep(0.01)
        os.kill(holder(store.join("phases", phase.key, "lease.json"))["pid"], signal.SIGTERM)

    killer = threading.Thread(target=terminate, daemon=True)
    killer.start()
    study = spec(data={"source": "local", "root": str(root)})
    assert execute.run(study, store, [Row(phase, "run", "no record yet")], echo=lines.append) == 0
    killer.join(1)
    states = [line.split("] ")[1].split()[0] for line in lines]
    assert states == ["start", "preempt", "done"]
    assert "told to go after step" in lines[1] and lines[1].endswith("(1 in this run)")
    facts = store.record(phase.key).facts
    assert (facts["preemptions"], facts["restarts"]) == (1, 0)
    places = Places(root=str(root), backbone="", snapshots=str(tmp_path / "s"), output=str(tmp_path / "whole"))
    whole = pretrain(config, places, Runtime(), lambda event: None)
    assert facts["curve"] == [list(point) for point in whole.curve]
    found = Path(store.checkpoint_folder(phase.key), "model.safetensors").read_bytes()
    assert found == Path(whole.checkpoint, "model.safetensors").read_bytes()


def test_on_worker_raises_what_the_function_raised_elsewhere(tmp_path):
    marker = tmp_path / "pid"

    def refuse() -> None:
        marker.write_text(str(os.getpid()))
        raise StorageError("cannot write /x: Read-only file system")

    with pytest.raises(StorageError, match="^cannot write /x: Read-only file system$"):
        execute.on_worker(refuse)
    assert marker.read_text() != str(os.getpid())


def test_a_local_cluster_asks_everybody_for_its_token(tmp_path):
    def knock() -> None:
        import ray

        address = ray.get_runtime_context().gcs_address
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        for number, mine in enumerate(({}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64})):
            env = clean | {"HOME": str(tmp_path)} | mine
            done = subprocess.run([RAY, "status", "--address", address], env=env, capture_output=True, text=True)
            (tmp_path / f"said-{number}").write_text(f"{done.returncode} {done.stdout}{done.stderr}")

    assert execute.on_worker(knock) == socket.gethostname()
    for number in range(2):
        said = (tmp_path / f"said-{number}").read_text()
        assert not said.startswith("0 ") and "authentication" in said.lower(), said


def test_an_address_that_nobody_answers_is_one_line():
    with pytest.raises(StudyError, match=r"^no Ray cluster answers at 127.0.0.1:1 .*--address"):
        execute.on_worker(os.getpid, address="127.0.0.1:1")


@pytest.mark.parametrize("address", ["..:80", f"{'a' * 300}:80", "ray://[::1]:1", "127.0.0.1:99999"])
def test_an_address_that_cannot_be_one_is_one_line(address):
    with pytest.raises(StudyError, match=r"^no Ray cluster answers at .*--address") as error:
        check_answers(address)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_address_of_ipv6_is_understood():
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with listening:
        check_answers(f"[::1]:{listening.getsockname()[1]}")


def test_foreground_names_the_missing_parent_and_the_missing_learning_rate(tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    (root / "x").write_text("x")
    study = spec(data={"source": "local", "root": str(root)})
    store = Store(tmp_path / "study")
    row = Row(target_phase(), "run", "")
    with pytest.raises(StudyError, match="needs pretrain-xs, which has no record; study run tiny --only pretrain-xs"):
        execute.foreground(study, store, row, 3e-3, print)
    store.write_record(record(pretrain_phase()))
    with pytest.raises(StudyError, match="--lr 3e-3"):
        execute.foreground(study, store, row, None, print)

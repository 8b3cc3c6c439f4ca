"""A run that is told to stop ends soon, loses nothing, and the same command goes on to the same end."""

from __future__ import annotations

import errno
import os
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from study import execute, holding, stopping
from study.placement import Room
from study.plan import Row
from study.records import Cost
from study.stopping import Limits, Stopped, moment
from study.store import Store
from study.work import Progress
from tests.study.phases import pretrain_phase, record, spec, target_phase
from trainables import patience, preemption
from trainables.errors import SpecError, StorageError, StudyError
from trainables.lab import write_root

NOW = datetime(2026, 11, 21, 9, 30)


def test_moments():
    assert moment("10:00", NOW) == datetime(2026, 11, 21, 10)
    assert moment("9:30", NOW) == datetime(2026, 11, 22, 9, 30), "that minute has come: tomorrow's"
    assert moment("2026-11-30 10:00", NOW) == datetime(2026, 11, 30, 10)
    aware = (NOW + timedelta(hours=2)).astimezone()
    assert moment(aware.isoformat(), NOW) == NOW + timedelta(hours=2)
    for text in ("25:00", "soon", "2026-11-21 09:00"):
        with pytest.raises(SpecError, match=r"^--until: found '.*', allowed: a "):
            moment(text, NOW)


def test_limits():
    assert Limits().reached(NOW, 1e9) == ""
    assert Limits(until=NOW).reached(NOW, 0) == "it is 2026-11-21 09:30"
    assert Limits(budget=2).reached(NOW, 1.99) == ""
    assert Limits(budget=2).reached(NOW, 2.0) == "2.00 device-hours are spent, the budget is 2"


def test_a_stop_is_for_the_runs_that_had_begun(tmp_path):
    store = Store(tmp_path / "s")
    first = stopping.last(store)
    assert first == "" and stopping.asked(store, first) == ""
    stopping.ask(store, "enough")
    second = stopping.last(store)
    assert stopping.asked(store, first) == "enough" and stopping.asked(store, second) == ""
    stopping.ask(store, "enough")
    assert [stopping.asked(store, before) for before in (first, second)] == ["enough", "enough"], "the same, but again"
    assert stopping.asked(store, stopping.last(store)) == ""
    Path(store.join("stop.json")).write_text("{")
    assert stopping.asked(store, second) == "a stop was asked for"


def told_at_the_next_report(progress: Progress, monkeypatch: pytest.MonkeyPatch) -> bool:
    told = []
    monkeypatch.setattr(preemption, "give_notice", lambda for_good: told.append(for_good))
    progress({"step": 1})
    return bool(told)


def test_a_run_that_begins_leaves_a_stop_to_the_run_that_it_is_for(tmp_path, monkeypatch):
    """`study stop` while a second `study run` begins: the first ends, the second goes on."""
    phase, study = long_phase(tmp_path)
    store, row = Store(tmp_path / "s"), Row(phase, "run", "no record yet")
    room = Room(study.compute, {})
    first = execute._walk(study, store, [row], print, Limits().begun(store), room).jobs[phase.key]
    stopping.ask(store, "enough")
    with pytest.raises(StudyError, match="no Ray cluster answers"):  # as far as its beginning
        execute.run(study, store, [row], address="127.0.0.1:1", echo=print)
    second = execute._walk(study, store, [row], print, Limits().begun(store), room).jobs[phase.key]
    assert told_at_the_next_report(first.progress(), monkeypatch)
    assert not told_at_the_next_report(second.progress(), monkeypatch)


def test_a_stop_is_heard_where_nothing_can_be_written_any_more(tmp_path, monkeypatch):
    store = Store(tmp_path / "s")
    stopping.ask(store, "the disk is full")
    monkeypatch.setattr(Store, "write_progress", Mock(side_effect=StorageError("no space left")))
    assert told_at_the_next_report(Progress(store.path, "k"), monkeypatch)


def test_a_report_waits_for_no_storage_that_is_away(tmp_path, monkeypatch):
    waited = Mock()
    monkeypatch.setattr("trainables.patience.time.sleep", waited)
    for owner, name in ((os, "makedirs"), (Path, "read_bytes")):
        monkeypatch.setattr(owner, name, Mock(side_effect=OSError(errno.EIO, "no answer")))
    with patience.long():
        Progress(str(tmp_path / "s"), "k")({"step": 1})
    assert waited.call_count == 0


def test_reports_to_a_storage_that_answers_slowly_take_a_tenth_of_the_time(tmp_path, monkeypatch):
    now, told = [100.0], []

    def slow(self: Store, key: str, said: dict) -> None:
        now[0] += 30.0
        told.append(said["step"])

    monkeypatch.setattr("study.work.time.monotonic", lambda: now[0])
    monkeypatch.setattr(Store, "write_progress", slow)
    report = Progress(str(tmp_path / "s"), "k")
    for step in range(1000):
        report({"step": step})
        now[0] += 1.0
    assert len(told) == 4 and now[0] == 100.0 + 1000.0 + 4 * 30.0


def long_phase(tmp_path: Path):
    root, phase = tmp_path / "data", pretrain_phase()
    write_root(str(root), seed=0)
    config = phase.config.model_copy(update={"vocabulary": 1000, "max_length": 64, "steps": 400, "batch_size": 8})
    return replace(phase, config=config), spec(data={"source": "local", "root": str(root)})


def test_a_stop_during_a_phase_writes_its_state_and_the_next_run_goes_on(tmp_path):
    """A real pretraining in a real worker process; the stop comes from another thread, as from another machine."""
    phase, study = long_phase(tmp_path)
    store, lines, asked = Store(tmp_path / "study"), [], []

    def ask() -> None:
        while not Path(store.join("phases", phase.key, "progress.json")).exists():
            time.sleep(0.01)
        stopping.ask(store, "of the test")
        asked.append(stopping.last(store))

    threading.Thread(target=ask, daemon=True).start()
    with pytest.raises(Stopped, match="of the test"):
        execute.run(study, store, [Row(phase, "run", "no record yet")], echo=lines.append)
    assert store.record(phase.key) is None and not store.failure(phase.key)
    assert any(line.startswith("stopping, because of the test: 1 phases in flight") for line in lines)
    assert "told to go after step" in lines[-1]
    assert stopping.asked(store, asked[0]) == "", (
        "who obeys does not ask again, which would end a run that has begun since"
    )
    rows, again = [Row(phase, "run", "no record yet")], []
    assert execute.run(study, store, rows, echo=again.append) == 0, "the stop was for the run before"
    facts = store.record(phase.key).facts
    assert (facts["preemptions"], facts["restarts"]) == (1, 0)
    assert len(facts["curve"]) and again[-1].startswith("[1/1 100%")


def test_a_stop_while_a_run_is_planned_is_for_that_run(tmp_path):
    phase, study = long_phase(tmp_path)
    store = Store(tmp_path / "s")
    stopping.ask(store, "of yesterday")
    limits = Limits(stopped=stopping.last(store))
    stopping.ask(store, "of the test")
    with pytest.raises(Stopped, match="^of the test$"):
        execute.run(study, store, [Row(phase, "run", "no record yet")], echo=[].append, limits=limits)


def test_a_limit_that_is_reached_starts_nothing(tmp_path):
    phase, study = long_phase(tmp_path)
    lines: list[str] = []
    with pytest.raises(Stopped, match="^it is "):
        rows = [Row(phase, "run", "no record yet")]
        execute.run(study, Store(tmp_path / "s"), rows, echo=lines.append, limits=Limits(until=datetime.now()))
    assert len(lines) == 1 and lines[0].endswith("0 phases in flight write their states")


def test_a_budget_ends_a_run_by_what_it_holds(tmp_path):
    """On a real Ray: a second and a half of one process."""
    phase, study = long_phase(tmp_path)
    row, limits = Row(phase, "run", "no record yet"), Limits(budget=1.5 / 3600)
    with pytest.raises(Stopped, match=r"^0\.00 device-hours are spent, the budget is 0.0004"):
        execute.run(study, Store(tmp_path / "s"), [row], echo=print, limits=limits)


GPUS = {"workers": 2, "gpus_per_trial": 1.0}


@pytest.mark.parametrize(
    ("free", "seconds"),
    [
        (8.0, 0.0),  # nothing is allocated: the phase waits for a node, or for its turn
        (6.0, 2 * 600.0),  # one trial in a group of two
        (0.0, 6 * 600.0),  # three trials at a time in groups of two: the fourth waits for their scores
    ],
)
def test_a_budget_counts_the_devices_that_are_held(tmp_path, monkeypatch, free, seconds):
    study = spec(compute=GPUS, search={"trials": 4})
    room = Room(study.compute, {"xs": ""})
    walk = execute._walk(
        study, Store(tmp_path / "s"), [Row(target_phase(), "run", "")], print, Limits(budget=100), room
    )
    now, walk.local = [0.0], False
    walk.flying = {"reference": walk.queue.take(1)[0]}
    monkeypatch.setattr("study.execute.time.monotonic", lambda: now[0])
    monkeypatch.setattr("study.execute.ray.cluster_resources", lambda: {"GPU": 8.0})
    monkeypatch.setattr("study.execute.ray.available_resources", lambda: {"GPU": free} if free else {})
    walk._look()
    before = walk.spent
    now[0] += 600.0
    walk._look()
    assert walk.spent - before == seconds


def test_a_budget_counts_what_is_ours_of_a_shared_cluster_and_all_devices_of_finished_phases(tmp_path):
    study = spec(compute=GPUS, search={"trials": 4})
    assert holding.most(target_phase(), study, local=False) == 6.0, "the fourth trial waits for the scores of three"
    assert holding.most(target_phase(), study, local=True) == 2.0
    assert holding.most(target_phase(tuned_by="other"), study, local=False) == 2.0
    assert holding.most(pretrain_phase(), study, local=False) == 1.0
    assert holding.held(study.compute, {"GPU": 64.0}, {"GPU": 4.0}, most=8.0) == 8.0, "others hold 52"
    assert holding.held(spec(compute={"cpus_per_trial": 4}).compute, {"CPU": 16.0}, {"CPU": 8.0}, most=4.0) == 2.0
    finished = [
        record(phase).model_copy(update={"cost": Cost(seconds=60)}) for phase in (target_phase(), pretrain_phase())
    ]
    assert holding.used(study, finished) == 2 * 60 + 60
    quarters = spec(compute={"gpus_per_trial": 0.25})
    assert holding.used(quarters, finished) == 30

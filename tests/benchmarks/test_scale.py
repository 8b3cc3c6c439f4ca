"""The benchmarks of bookkeeping walk a real study with idle workers, and count what they say they count."""

import json

import pytest

from study.store import Store
from tests.benchmarks import overhead, requests_s3, stopwatch
from tests.s3_server import serving


def test_a_study_that_sleeps_trains_nothing_and_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setitem(overhead.STUDY, "sizes", ["xs"])
    monkeypatch.setitem(overhead.STUDY, "arms", {"none": None})
    monkeypatch.setitem(overhead.STUDY, "search", {"trials": 2})
    found = overhead.measured(tmp_path, "sleeping", seeds=1, sleep=0.25)
    # A pretraining, a search of two trials and a scoring, one after the other.
    assert (found["phases"], found["slots"]) == (3, 1)
    assert found["training [s]"] == pytest.approx(4 * 0.25)
    assert 0 < found["not in a phase [share]"] < found["not training [share]"] < 1
    assert found["training [s]"] == pytest.approx(found["wall [s]"] * (1 - found["not training [share]"]))
    records = Store(tmp_path / "sleeping").scan(verify=True)
    assert len(records[0]) == 3 and records[1] == {}


def test_gaps_are_between_trials_of_one_search_in_one_process(tmp_path):
    def line(process, end, seconds, output):
        return json.dumps({"process": process, "end": end, "seconds": seconds, "output": output})

    lines = [
        line(1, 10.0, 5.0, "s/phases/a/trials/0"),
        line(2, 12.0, 5.0, "s/phases/a/trials/1"),
        line(1, 15.5, 5.0, "s/phases/a/trials/2"),  # 0.5 s besides its steps
        line(2, 30.0, 5.0, "s/phases/b/trials/0"),  # another search
        line(1, 21.0, 5.25, "s/phases/a/trials/3"),  # 0.25 s
    ]
    file = tmp_path / "marks"
    file.write_text("\n".join(lines) + "\n")
    assert stopwatch.gaps(file) == [0.5, 0.25]


def test_waiting_phases_cost_no_requests_and_finished_ones_few(tmp_path):
    with serving() as bucket:
        found = requests_s3.counted(tmp_path, bucket)
    # The lock, the record and every file are at least one put each.
    assert found["a phase of target"] > found["a phase of target, dear"] >= 5
    assert found["a second at work, lease"] == pytest.approx(3 / 5), "look, read and write every five seconds"
    assert found["a finished phase, in a plan, dear"] < 1, "listed together"
    assert found["a finished phase, in a plan"] < 3, "its record is read (two requests), its files are not"

"""What a new user types, from nothing to the report: the small lab through the command line, and its mishaps.

One study is run once for this module; the tests look at what it left, then damage it and run it again.
"""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas
import pytest

from study.specfile import load
from study.store import Store

SECRETS = {"HF_TOKEN": "planted-5e1d0c", "AWS_SECRET_ACCESS_KEY": "planted-77ab31", "MY_PASSWORD": "planted-90c2ff"}
"""In the environment of every command."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def study(*arguments: str, code: int = 0) -> str:
    """Run the command line in a process of its own; returns what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"} | SECRETS
    done = subprocess.run(
        [sys.executable, "-m", "study", *arguments], capture_output=True, text=True, env=environment, timeout=500
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("runs"))
    said = study("run", "lab", "--smoke", "--storage", folder)
    store = Store(f"{folder}/{load('lab', smoke=True).name}")
    return SimpleNamespace(folder=folder, said=said, store=store)


def scores(store: Store) -> dict[tuple[str, str, str], float]:
    return {(r.key, s.task, s.language): s.score for r in store.records() for s in r.scores}


def test_the_run_says_what_happens_and_where_the_results_are(lab):
    lines = lab.said.splitlines()
    assert sum(" done " in line for line in lines) == len(lab.store.records()) == 16
    assert "16 of 16 phases done, 0 failed" in lab.said
    page = next(line for line in lines if line.startswith("report: ")).removeprefix("report: ")
    assert Path(page).stat().st_size > 20_000
    assert any(line.startswith("runs in MLflow: study ui lab") for line in lines)
    assert "overhead of a warm trial" in lab.said


def test_a_secret_of_the_environment_is_in_nothing_that_is_kept_or_said(lab):
    """Records, logs, states, the report, and the rows of MLflow's database."""
    kept = [path for path in Path(lab.folder).rglob("*") if path.is_file()]
    assert {".json", ".txt", ".db", ".html"} <= {path.suffix for path in kept}
    assert not [path for path in kept if b"planted-" in path.read_bytes()]
    assert "planted-" not in lab.said


def test_every_search_spent_the_same_and_says_whether_it_is_bracketed(lab):
    searched = [record for record in lab.store.records() if record.search]
    assert {len(record.trials) for record in searched} == {2}
    assert {record.search.verdict for record in searched} <= {"interior", "edge"}
    assert all(record.winner.score == max(t.score for t in record.trials if t.score is not None) for record in searched)


def test_ancestors_are_shared_and_lineage_is_written_down(lab):
    records = {record.key: record for record in lab.store.records()}
    kinds = [record.kind for record in records.values()]
    assert (kinds.count("pretrain"), kinds.count("intermediate"), kinds.count("target")) == (2, 2, 4)
    target = next(r for r in records.values() if r.kind == "target" and r.size == "xs" and r.arm == "siqa")
    assert [records[key].kind for key in target.lineage] == ["pretrain", "intermediate", "target"]
    tuned = [record for record in records.values() if record.size == "xs" and record.winner]
    assert len({record.facts["snapshot_sha256"] for record in tuned}) == 1, "one frozen base for every phase of a size"


def test_near_languages_are_easier_than_far_ones(lab):
    frame = pandas.read_csv(Path(lab.store.path, "report", "languages.csv"))
    rows = frame[(frame.target == "tatoeba") & (frame["size"] == "s")].sort_values("distance")
    assert rows.score_none.iloc[0] > rows.score_none.iloc[-1]


def test_mlflow_has_a_run_per_trial_and_cell_and_none_is_left_running(lab):
    with sqlite3.connect(Path(lab.store.path, "mlflow", "mlflow.db")) as database:
        live = "from runs join tags using (run_uuid) where lifecycle_stage = 'active' and key = 'kind' group by"
        states = dict(database.execute(f"select status, count(*) {live} status"))
        kinds = dict(database.execute(f"select value, count(*) {live} value"))
    assert set(states) == {"FINISHED"}
    assert kinds["trial"] == sum(len(record.trials) for record in lab.store.records())
    assert kinds["scaling"] == 4


def test_a_second_run_has_nothing_to_do_also_without_a_tracker(lab, tmp_path):
    before = {record.key: record.finished for record in lab.store.records()}
    spec = tmp_path / "again.yaml"
    text = (Path(__file__).parents[2] / "study" / "studies" / "lab.yaml").read_text()
    spec.write_text(text + "\ntracking: {uri: 'http://127.0.0.1:9'}\n")
    said = study("run", str(spec), "--smoke", "--storage", lab.folder)
    assert "16 of 16 phases done" in said
    assert "start" not in said
    assert {record.key: record.finished for record in lab.store.records()} == before


def test_a_damaged_checkpoint_costs_its_own_phase_and_no_score(lab):
    before = scores(lab.store)
    target = next(r for r in lab.store.records() if r.kind == "target" and r.size == "xs" and r.arm == "none")
    file = Path(lab.store.path, target.checkpoint.path, "adapter", "adapter_model.safetensors")
    file.write_bytes(file.read_bytes()[:-10])
    rows = json.loads(study("plan", "lab", "--smoke", "--storage", lab.folder, "--json"))["phases"]
    again = [row for row in rows if row["action"] == "run"]
    assert [row["key"] for row in again] == [target.key]
    assert "checksum differs" in again[0]["reason"]
    study("run", "lab", "--smoke", "--storage", lab.folder)
    assert scores(lab.store) == before
    assert lab.store.record(target.key).checkpoint.files == target.checkpoint.files, "trained to the same bytes again"


def test_one_phase_in_the_foreground_gives_the_loss_it_had_under_ray(lab):
    target = next(r for r in lab.store.records() if r.kind == "target" and r.size == "xs" and r.arm == "siqa")
    trial = next(trial for trial in target.trials if trial.number == target.winner.trial)
    slug = target.key.rsplit("-", 1)[0]
    rate = repr(trial.learning_rate)
    said = study(
        "run", "lab", "--smoke", "--storage", lab.folder, "--only", slug, "--lr", rate, "--foreground"
    )  # fmt: skip
    losses = [line for line in said.splitlines() if line.startswith("step ")]
    assert len(losses) == trial.steps
    shown = [float(line.split("loss ")[1].split()[0]) for line in losses]
    assert shown == pytest.approx([loss for _, loss in trial.curve], rel=1e-3)


def test_status_and_report_work_on_what_is_there(lab):
    told = json.loads(study("status", "lab", "--smoke", "--storage", lab.folder, "--json"))
    assert told["kinds"]["evaluation"]["done"] == 8
    assert "index.html" in study("report", "lab", "--smoke", "--storage", lab.folder)

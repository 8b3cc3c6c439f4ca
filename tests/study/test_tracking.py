"""Does MLflow show the store, once, whatever happens to the server?"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pandas as pd
import pytest

from study.around import tracked
from study.mirror import Mirror
from study.mirror_source import groups
from study.plan import Row
from study.records import Record
from study.report import write
from study.store import Store
from study.tracking import MAX_RESULTS, Experiment, behind, connect, mirror, open_experiment
from study.tracking_server import Server, answers, serve, server_folder
from tests.study.phases import pretrain_phase, spec
from tests.study.small_store import SEEDS, SIZES, write_store
from trainables import storage
from trainables.errors import StudyError

ROOT = Path(__file__).parents[2]
TRIALS = len(SIZES) * (1 + len(SEEDS) * 2 * 3)  # pretraining; two trials of intermediate, target none, target siqa
CELLS = len(SIZES) * (1 + len(SEEDS) * 3)
ADAPTERS = len(SIZES) * len(SEEDS) * 3


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the module; every test has a study of its own name."""
    found = serve(Store(tmp_path_factory.mktemp("server") / "served"))
    found.wait()
    yield found
    found.stop()


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address that nobody answers, nor can come to: the port is taken, and not listened on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Store:
    return write_store(tmp_path, request.node.name)


def live(url: str, name: str) -> dict[str, list[str]]:
    """{run name: its statuses} of a study."""
    client = connect(url)
    found: dict[str, list[str]] = {}
    for run in client.search_runs([client.get_experiment_by_name(name).experiment_id], max_results=MAX_RESULTS):
        found.setdefault(run.info.run_name, []).append(run.info.status)
    return found


def whole(url: str, store: Store) -> None:
    """Everything is there, once, and closed."""
    runs = live(url, Path(store.path).name)
    assert len(runs) == TRIALS + CELLS + 4
    assert all(statuses == ["FINISHED"] for statuses in runs.values()), runs


def the_run(client, experiment: Experiment, condition: str):
    (run,) = client.search_runs([experiment.id], condition)
    return run


def test_runs_tags_params_metrics_and_artifact(server: Server, store: Store) -> None:
    client = connect(server.url)
    counts, experiment = mirror(store, client)
    assert (counts.runs, counts.models, counts.refused) == (TRIALS + CELLS + 4, ADAPTERS, 0)
    whole(server.url, store)
    where = "tags.size = 's' and tags.arm = 'siqa' and tags.task = 'xcopa' and tags.seed = '1'"
    cell = the_run(client, experiment, f"tags.kind = 'cell' and {where}")
    assert cell.info.run_name == "cell s siqa xcopa 1"
    assert cell.data.metrics["score"] == 59.5 and cell.data.metrics["baseline/majority"] == 50.0
    assert cell.data.tags["params"] == "90400" and cell.data.tags["phase"] == "evaluation"
    assert cell.data.tags["lineage"].startswith("pretrain-s > intermediate-s-siqa-1 > target-s-siqa-xcopa-1")
    assert cell.data.params["config.adapter.rank"] == "8"
    assert cell.info.end_time - cell.info.start_time == 30_000
    assert client.list_artifacts(cell.info.run_id)[0].path == "record.json"
    text = Path(client.download_artifacts(cell.info.run_id, "record.json")).read_text()
    assert Record.model_validate_json(text).key == cell.data.tags["key"]
    trial = the_run(client, experiment, f"tags.kind = 'trial' and tags.status = 'diverged' and {where}")
    assert [(p.step, p.value) for p in client.get_metric_history(trial.info.run_id, "loss")] == [(50, 0.8)]


def test_scaling_runs_have_parameters_as_steps(server: Server, store: Store) -> None:
    client = connect(server.url)
    _, experiment = mirror(store, client)
    run = the_run(client, experiment, "tags.kind = 'scaling' and tags.arm = 'siqa' and tags.task = 'xcopa'")
    assert run.data.tags["step"] == "thousands of parameters"
    for name, value in (("score", 59.25), ("gain", 4.0)):
        assert [(p.step, p.value) for p in client.get_metric_history(run.info.run_id, name)] == [
            (36, value),
            (90, value),
        ]


def test_adapters_are_found_by_their_scores(server: Server, store: Store) -> None:
    client = connect(server.url)
    _, experiment = mirror(store, client)
    order = [{"field_name": "metrics.xcopa", "ascending": False}]
    found = client.search_logged_models([experiment.id], "metrics.`xcopa` > 59.1", order_by=order)
    assert {model.name for model in found} == {f"target-{size}-siqa-xcopa-1" for size in SIZES}
    assert str(found[0].status) == "READY" and found[0].tags["sha256"]
    values = {(metric.key, metric.step): metric.value for metric in found[0].metrics}
    assert values[("dev_score", 100)] == 70.0 and values[("xcopa/et", 0)] == 55.0
    files = {file.path for file in client.list_logged_model_artifacts(found[0].model_id)}
    assert files == {"adapter", "record.json"}


def test_a_second_mirror_writes_nothing(server: Server, store: Store) -> None:
    client = connect(server.url)
    mirror(store, client)
    assert mirror(store, client)[0].runs == 0
    storage.remove(store.join("tracking"))  # without markers the server is asked
    counts, _ = mirror(store, client)
    assert (counts.runs, counts.models) == (0, 0)
    whole(server.url, store)


def test_a_changed_record_replaces_its_run(server: Server, store: Store) -> None:
    """Parameters of an MLflow run cannot be changed, so a phase that was made again gets a new run."""
    client = connect(server.url)
    mirror(store, client)
    record = store.record("target-s-none-xcopa-0")
    store.write_record(record.model_copy(update={"identity": {**record.identity, "config": {"size": "other"}}}))
    counts, experiment = mirror(store, client)
    assert (counts.runs, counts.models) == (2, 1)
    whole(server.url, store)
    assert len(client.search_logged_models([experiment.id], max_results=100)) == ADAPTERS


def test_scaling_runs_grow_with_the_study(server: Server, store: Store) -> None:
    for record in store.records():
        if record.kind == "evaluation" and record.size == "s":
            storage.remove(store.phase_folder(record.key))
    client = connect(server.url)
    mirror(store, client)
    write_store(Path(store.path).parent, Path(store.path).name)
    _, experiment = mirror(store, client)
    whole(server.url, store)
    run = the_run(client, experiment, "tags.kind = 'scaling' and tags.arm = 'none' and tags.task = 'xcopa'")
    assert [p.step for p in client.get_metric_history(run.info.run_id, "score")] == [36, 90]


def test_half_written_runs_are_replaced(server: Server, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect(server.url)
    calls = []

    def cut(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 8:
            raise ConnectionError("the cable")
        return real(*arguments, **options)

    real = client.set_terminated
    monkeypatch.setattr(client, "set_terminated", cut)
    with pytest.raises(ConnectionError):
        mirror(store, client)
    assert ["RUNNING"] in live(server.url, Path(store.path).name).values()
    monkeypatch.undo()
    mirror(store, client)
    whole(server.url, store)


def test_a_deleted_experiment_is_restored(server: Server, store: Store) -> None:
    client = connect(server.url)
    experiment = open_experiment(store, client, Path(store.path).name)
    client.delete_experiment(experiment.id)
    mirror(store, client)
    whole(server.url, store)


def test_a_thread_survives_its_server(tmp_path: Path) -> None:
    """The server dies in the middle; the next round starts another, and nothing is lost or doubled."""
    store, warnings = write_store(tmp_path), []
    thread = Mirror(store, warn=warnings.append, interval=0.2)
    thread.start()
    _until(lambda: thread.counts.runs > 0 or list(Path(store.path).glob("tracking/*.json")))
    os.killpg(thread._server.process.pid, signal.SIGKILL)
    first = thread.url
    assert thread.stop(60.0), warnings
    assert not answers(first) and not answers(thread.url)
    assert _group(thread._server.process.pid) == []
    whole(f"sqlite:///{store.path}/mlflow/mlflow.db", store)


def test_an_unreachable_tracker_costs_one_line(
    tmp_path: Path, server: Server, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, warnings = write_store(tmp_path, "unreachable"), []
    asked = Mock(wraps=connect)
    monkeypatch.setattr("study.mirror.connect", asked)
    thread = Mirror(store, uri=nowhere, warn=warnings.append, interval=0.1)
    thread.start()
    _until(lambda: asked.call_count > 2)
    assert not thread.stop(30.0)
    assert len(warnings) == 1 and "\n" not in warnings[0] and "study ui" in warnings[0]
    assert not storage.exists(store.join("tracking"))
    mirror(store, connect(server.url))
    whole(server.url, store)


def test_the_next_run_of_a_finished_study_writes_what_a_dead_server_missed(
    tmp_path: Path, server: Server, nowhere: str
) -> None:
    store, rows = write_store(tmp_path, "finished"), [Row(pretrain_phase(), "done", "")]
    away, there = (spec(tracking={"uri": uri}) for uri in (nowhere, server.url))
    with tracked(away, store, rows):
        pass
    assert behind(store)
    with tracked(there, store, rows):
        pass
    whole(server.url, store)
    assert not behind(store)
    with tracked(away, store, rows):
        pass  # nobody is asked


def test_a_look_at_what_is_new_is_no_journey_for_every_phase(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    listed, read = Mock(wraps=storage.names), Mock(wraps=storage.read_json)
    monkeypatch.setattr(storage, "names", listed)
    monkeypatch.setattr(storage, "read_json", read)
    found = groups(store, [replace(pretrain_phase(), key=f"pretrain-xs-{number}") for number in range(100)])
    assert behind(store) and len(found) > 10
    assert listed.call_count < 10, "phases that have not begun are not asked for their trials"
    assert not [call for call in read.call_args_list if "/tracking/" in call.args[0]], "markers are read together"


def test_the_server_ends_with_its_parent(tmp_path: Path) -> None:
    code = "import sys, time\nfrom study.store import Store\nfrom study.tracking_server import serve\n"
    code += "print(serve(Store(sys.argv[1])).process.pid, flush=True)\ntime.sleep(600)"
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert parent.stdout is not None
    leader = int(parent.stdout.readline())
    _until(lambda: len(_group(leader)) >= 2)
    parent.kill()
    parent.wait()
    _until(lambda: not _group(leader))


@pytest.mark.parametrize("which", [0, 1], ids=["watch", "mlflow"])
def test_of_a_server_that_lost_a_process_nothing_is_left(tmp_path: Path, which: int) -> None:
    """First in its group is `watch`, then `mlflow server`, then its worker."""
    server = serve(Store(tmp_path))
    _until(lambda: len(_group(server.process.pid)) >= 3)
    os.kill(sorted(map(int, _group(server.process.pid)))[which], signal.SIGKILL)
    _until(server.ended)
    server.stop()
    _until(lambda: not _group(server.process.pid))
    server.stop()


def test_storage_that_is_not_local_gets_a_local_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folders = {server_folder(Store(f"memory://bucket/{name}")) for name in ("lab", "other")}
    assert len(folders) == 2 and all(folder.is_relative_to(tmp_path) for folder in folders)
    assert server_folder(Store(tmp_path / "lab")) == tmp_path / "lab" / "mlflow"


def test_a_taken_port_is_named(server: Server, tmp_path: Path) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    with pytest.raises(StudyError, match=f"port {port} .* is taken"):
        serve(Store(tmp_path), port)


def _group(leader: int) -> list[str]:
    """Processes of a group, zombies left out (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = entry.read_text().rsplit(")", 1)[1].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(group) == leader and state != "Z":
            found.append(entry.parent.name)
    return found


def _until(condition, seconds: float = 150.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def test_the_report_is_one_run_written_once_per_content(server: Server, store: Store) -> None:
    client = connect(server.url)
    mirror(store, client)
    write(store)
    counts, experiment = mirror(store, client)
    assert counts.runs == 1
    run = the_run(client, experiment, "tags.kind = 'summary'")
    assert run.data.metrics["cells"] + run.data.metrics["missing_cells"] == len(SIZES) * 2 * 2 * len(SEEDS)
    assert run.data.tags["mlflow.note.content"].startswith("### 1. ")
    drawn = {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "figures")}
    assert drawn == {path.name for path in Path(store.join("report", "figures")).glob("*.png")}
    text = Path(client.download_artifacts(run.info.run_id, "gains.csv")).read_text()
    assert text == Path(store.join("report", "gains.csv")).read_text()
    table = json.loads(Path(client.download_artifacts(run.info.run_id, "tables/cost_by_kind.json")).read_text())
    kept = pd.read_csv(store.join("report", "cost_by_kind.csv"))
    assert table["columns"] == list(kept) and [row[0] for row in table["data"]] == list(kept["kind"])
    write(store)
    assert mirror(store, client)[0].runs == 0
    storage.remove(store.join("tracking"))
    assert mirror(store, client)[0].runs == 0
    assert the_run(client, experiment, "tags.kind = 'summary'").info.run_id == run.info.run_id

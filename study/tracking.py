"""How does a study appear in MLflow? As a projection of its store: flat runs, adapters as LoggedModels, curves.

One call writes what is missing and notes in `tracking/<key>.json` what has been written where, so nothing is
written twice and a call that fails is simply made again. `mlflow/` and `tracking/` can be deleted at any time.
The only file that imports MLflow; `study.mirror` calls it beside the training.

    counts, experiment = mirror(store, connect("http://tracker:5000"))
"""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from filelock import FileLock, Timeout

from study.mirror_rows import Adapter, File, Point, Row
from study.mirror_source import Group, groups
from study.mirror_views import TAG as VIEW_TAG
from study.mirror_views import views
from study.store import Store
from study.tracking_server import HOST, server_folder
from trainables import many, scratch, storage
from trainables.errors import StudyError

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from study.plan import Phase

LOCK_SECONDS = 30.0
MAX_RESULTS = 1000
BATCH = 900
"""Metrics per request; MLflow takes 1000 values, parameters included."""
UPLOAD_BYTES = 200 * 10**6
"""A larger adapter stays where it is; MLflow gets its address, size and sha256."""
STUDY_TAG = "study.mirror"
TRAINING_TAG = {"mlflow.experimentKind": "custom_model_development"}
"""Opens the pages for training (runs, models) instead of those for language-model applications."""
ROW_TAG, DIGEST_TAG, STORE_TAG = "study.row", "study.digest", "study.store"

CLIENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # else one more request and two lines of output per run
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # the next round is the retry
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}

Known = dict[str, tuple[str, str]]
"""{row id: (id in MLflow, digest)}"""


@dataclass
class Experiment:
    """An MLflow experiment, and once asked for, what it already holds of this store."""

    id: str
    where: str
    """Made with the experiment: markers of another, or of a deleted, experiment do not count."""
    scope: str
    """Which store the rows belong to, when stores of the same study share a server."""
    views: dict[str, str]
    """{tag: value} of the ready-made views that it has."""
    runs: Known | None = None
    models: Known | None = None


@dataclass
class Counts:
    """What one round wrote."""

    runs: int = 0
    models: int = 0
    refused: int = 0
    """Groups the server will never take (a 4xx answer)."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.runs + other.runs, self.models + other.models, self.refused + other.refused)


def connect(uri: str) -> MlflowClient:
    """A client that fails soon. Imports MLflow, which takes seconds: call it off the main thread."""
    for name, value in CLIENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def open_experiment(store: Store, client: MlflowClient, name: str) -> Experiment:
    """The experiment of a study, made, marked or restored where needed. Two requests at most."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        with suppress(MlflowException):  # another driver made it in between, or it is refused: the next line tells
            client.create_experiment(name, tags={STUDY_TAG: uuid.uuid4().hex, **TRAINING_TAG})
        found = client.get_experiment_by_name(name)
    if found is None:
        raise StudyError(f"MLflow at {client.tracking_uri} does not make experiment {name!r}; check its permissions")
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    where = found.tags.get(STUDY_TAG)
    if where is None:
        where = uuid.uuid4().hex
        client.set_experiment_tag(found.experiment_id, STUDY_TAG, where)
    shared = {name: value for name, value in found.tags.items() if name.startswith(VIEW_TAG)}
    return Experiment(found.experiment_id, where, _scope(store, client), shared)


def mirror(
    store: Store,
    client: MlflowClient,
    phases: Iterable[Phase] = (),
    experiment: Experiment | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> tuple[Counts, Experiment | None]:
    """Write what MLflow does not have yet. Returns what was written and the experiment, to pass in next time.

    With the plan's `phases`, finished trials of unfinished phases are written too. `stopped` is asked before every
    group. Raises whatever the client raises when the server is away; nothing is lost by that.
    """
    found, counts = groups(store, phases), Counts()
    if not found:
        return counts, experiment
    try:
        with FileLock(_lock_path(store), timeout=LOCK_SECONDS):
            experiment = experiment or open_experiment(store, client, found[0].study)
            _share_views(client, experiment, found)
            markers = _markers(store, found)
            for group in found:
                if stopped():
                    break
                if markers[group.key] != (experiment.where, True):
                    _write_group(store, client, experiment, group, counts)
    except Timeout:  # another process of this machine is at it
        pass
    return counts, experiment


def _share_views(client: MlflowClient, experiment: Experiment, found: Iterable[Group]) -> None:
    """Ready-made charts of what has been scored so far; a request only where one changed."""
    targets = sorted({row.tags["task"] for group in found if group.key == "scaling" for row in group.rows})
    for name, view in views(targets).items():
        if experiment.views.get(VIEW_TAG + name) != view:
            client.set_experiment_tag(experiment.id, VIEW_TAG + name, view)
            experiment.views[VIEW_TAG + name] = view


def behind(store: Store) -> bool:
    """Whether there is something that no experiment was ever told. Asks no server."""
    return not all(whole for _, whole in _markers(store, groups(store)).values())


def _markers(store: Store, found: Sequence[Group]) -> dict[str, tuple[str, bool]]:
    """{key of a group: (where it was written, whether as it is now)}"""
    paths = {group.key: store.join("tracking", f"{group.key}.json") for group in found}
    contents = many.read(list(paths.values()))
    return {group.key: _marker(contents[paths[group.key]], group) for group in found}


def _marker(content: bytes | None, group: Group) -> tuple[str, bool]:
    try:
        marker = json.loads(content or b"")
        rows = {name: entry["digest"] for name, entry in marker["rows"].items()}
        return str(marker["where"]), rows == group.digests
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", False


def _write_group(store: Store, client: MlflowClient, experiment: Experiment, group: Group, counts: Counts) -> None:
    from mlflow.exceptions import MlflowException

    if experiment.runs is None or experiment.models is None:
        experiment.runs, experiment.models = _runs(client, experiment), _models(client, experiment)
    entries = {}
    try:
        for row in group.rows:
            counts.runs += _write_run(client, experiment, experiment.runs, experiment.models, row)
            entries[row.id] = {"run": experiment.runs[row.id][0], "digest": row.digest}
        if group.adapter is not None:
            counts.models += _write_model(store, client, experiment, experiment.runs, experiment.models, group.adapter)
            model = experiment.models[group.adapter.id][0]
            entries[f"{group.adapter.id}/adapter"] = {"model": model, "digest": group.adapter.digest}
    except MlflowException as error:
        if error.get_http_status_code() >= 500:
            raise
        counts.refused += 1
        experiment.runs = experiment.models = None  # read again, which clears what was half written
        return
    marker = {"where": experiment.where, "uri": client.tracking_uri, "experiment": experiment.id, "rows": entries}
    storage.write_json(store.join("tracking", f"{group.key}.json"), marker)


def _write_run(client: MlflowClient, experiment: Experiment, runs: Known, models: Known, row: Row) -> bool:
    """Create, fill and close one run: five requests. A run with an older digest is replaced."""
    from mlflow.entities import Param

    old, digest = runs.get(row.id, ("", ""))
    if digest == row.digest:
        return False
    tags = {**row.tags, ROW_TAG: row.id, DIGEST_TAG: row.digest, STORE_TAG: experiment.scope}
    run = client.create_run(experiment.id, start_time=row.start or row.end, tags=tags, run_name=row.name).info.run_id
    model = models.get(row.model or "", (None, ""))[0]
    about_model = [point for point in row.points if model and _describes_model(point, row)]
    metrics = _metrics([point for point in row.points if point not in about_model], row.end)
    metrics += _metrics(about_model, row.end, model)
    params = [Param(name, value) for name, value in row.params.items()]
    for start in range(0, max(len(metrics), 1), BATCH):
        client.log_batch(run, metrics=metrics[start : start + BATCH], params=params if start == 0 else ())
    if row.document:
        client.log_text(run, row.document, "record.json")
    _log_files(client, run, row.files)
    client.set_terminated(run, "FAILED" if row.failed else "FINISHED", row.end)
    if old:
        client.delete_run(old)
    runs[row.id] = (run, row.digest)
    return True


def _log_files(client: MlflowClient, run: str, files: Iterable[File]) -> None:
    """Artifacts of a run under their names; of a csv also MLflow's own table, which its pages can show."""
    with scratch.folder("mlflow") as folder:
        for file in files:
            path = Path(folder, file.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(storage.read_bytes(file.path))
            if path.suffix == ".csv" and len(table := pd.read_csv(path)):
                client.log_table(run, table, f"tables/{path.stem}.json")
        if any(Path(folder).iterdir()):
            client.log_artifacts(run, folder)


def _describes_model(point: Point, row: Row) -> bool:
    task = row.tags.get("task", "")
    return point.key == task or point.key.startswith(f"{task}/")


def _write_model(
    store: Store, client: MlflowClient, experiment: Experiment, runs: Known, models: Known, adapter: Adapter
) -> bool:
    """Create, fill and finalise one LoggedModel."""
    old, digest = models.get(adapter.id, ("", ""))
    if digest == adapter.digest:
        return False
    source = runs[adapter.source][0] if adapter.source in runs else None
    tags = {**adapter.tags, ROW_TAG: adapter.id, DIGEST_TAG: adapter.digest, STORE_TAG: experiment.scope}
    model = client.create_logged_model(experiment.id, adapter.name, source, tags, adapter.params, "adapter").model_id
    with scratch.folder("mlflow") as folder:
        Path(folder, "record.json").write_text(adapter.document)
        client.log_model_artifacts(model, folder)
    if adapter.bytes <= UPLOAD_BYTES and storage.exists(store.join(adapter.folder)):
        with storage.local_copy(store.join(adapter.folder)) as folder:
            client.log_model_artifacts(model, folder)
    if source and adapter.points:
        client.log_batch(source, metrics=_metrics(adapter.points, None, model))
    client.finalize_logged_model(model, "READY")
    if old:
        client.delete_logged_model(old)
    models[adapter.id] = (model, adapter.digest)
    return True


def _metrics(points: Iterable[Point], moment: int | None, model: str | None = None) -> list[Any]:
    from mlflow.entities import Metric

    now = moment or round(time.time() * 1000)
    return [Metric(point.key, point.value, now, point.step, model_id=model) for point in points]


def _runs(client: MlflowClient, experiment: Experiment) -> Known:
    """Runs of this store by row id. What was cut off half-way, and doubles, are deleted on the way."""
    known: Known = {}
    token = None
    while True:
        page = client.search_runs(
            [experiment.id], max_results=MAX_RESULTS, page_token=token, order_by=["attributes.start_time"]
        )
        for run in page:
            row, digest = run.data.tags.get(ROW_TAG), run.data.tags.get(DIGEST_TAG, "")
            if row is None or run.data.tags.get(STORE_TAG, "") != experiment.scope:
                continue
            if run.info.status == "RUNNING":
                client.set_terminated(run.info.run_id, "FAILED")
            if run.info.status == "RUNNING" or row in known:
                client.delete_run(run.info.run_id)
            else:
                known[row] = (run.info.run_id, digest)
        token = page.token
        if not token:
            return known


def _models(client: MlflowClient, experiment: Experiment) -> Known:
    """As `_runs`, for LoggedModels."""
    known: Known = {}
    token = None
    while True:
        page = client.search_logged_models([experiment.id], max_results=100, page_token=token)
        for model in page:
            row = model.tags.get(ROW_TAG)
            if row is None or model.tags.get(STORE_TAG, "") != experiment.scope:
                continue
            if str(model.status) != "READY" or row in known:
                client.delete_logged_model(model.model_id)
            else:
                known[row] = (model.model_id, model.tags.get(DIGEST_TAG, ""))
        token = page.token
        if not token:
            return known


def _scope(store: Store, client: MlflowClient) -> str:
    """Address of the store; empty on the study's own server, which may move with the study's folder."""
    if client.tracking_uri.startswith(f"http://{HOST}:"):
        return "own"
    return f"{socket.gethostname()}:{store.path}" if storage.is_local(store.path) else store.path


def _lock_path(store: Store) -> str:
    folder = server_folder(store)
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder / "mirror.lock")

"""What does a worker do with one phase, from the lease to the record?

    run_phase(Job(phase, spec, store.path, root), tune) -> Result("done", ...)

There is no Ray in here: `tune` says how the trials of a phase are run (one in this process, or a search on Ray),
and everything else, the order of the writes above all, is the same wherever a phase runs: lease, work, checkpoint,
record last. A failure is one line in failure.json; its traceback goes to log.txt.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from study import halving, models, narrowing, phaselog, stopping
from study.assemble import evaluation_record, import_record, pretrain_record, recorded, tuning_record
from study.lease import Lease, LeaseHeld
from study.records import Record, Search, Trial
from study.runtime import runtime
from study.sampler import best, startup
from study.spec import StudySpec
from study.store import Store
from trainables import patience, preemption, storage
from trainables.config import EvaluationConfig, ImportConfig, Places, PretrainConfig, Runtime, TuneConfig
from trainables.errors import CheckpointError, Preempted, StorageError, StudyError
from trainables.results import Outcome, Report
from trainables.rungs import rungs

if TYPE_CHECKING:
    from study.plan import Phase

OUTCOME = "outcome.json"
LOCAL_SECONDS, REMOTE_SECONDS = 1.0, 10.0
"""Least time between two reports of a phase. Each is three requests to an object store: at one a second a thousand
phases would ask for as many as a prefix of S3 answers."""
REST = 9.0
"""How many times as long as a report took none follows."""
Host = Callable[[TuneConfig, float, Places, Runtime, Report], Outcome]
"""Where a trial trains: this process (`trainables.phase.train`), or one of `trainables.hosts`."""


@dataclass(frozen=True)
class Job:
    """One phase of one study: all a worker needs, and plain data."""

    phase: Phase
    spec: StudySpec
    store_path: str
    data_root: str
    """Absolute: workers have another working directory than the driver."""
    stopped: str = ""
    """The last stop before this run began: it is not for this run (see `study.stopping`)."""

    @property
    def store(self) -> Store:
        return Store(self.store_path)

    def places(self, output: str) -> Places:
        """Where this phase reads, and the folder it writes into. Raises `CheckpointError` when a record is gone."""
        phase, store = self.phase, self.store
        return Places(
            root=self.data_root,
            backbone=store.checkpoint_folder(phase.backbone),
            snapshots=store.snapshots,
            output=output,
            parent=store.checkpoint_folder(phase.parent) if phase.parent else None,
            backbone_files=self._recorded(phase.backbone),
            parent_files=self._recorded(phase.parent),
        )

    def _recorded(self, key: str | None) -> dict[str, str]:
        """{name: sha256} of the files that a phase built on has left; none of this phase itself."""
        if key is None or key == self.phase.key:
            return {}
        kept = recorded(self.store, key).checkpoint
        return kept.files if kept else {}

    def model_folder(self) -> str:
        """Where the published model of an import lies. Raises `DataError` when it is not fetched."""
        size = self.phase.size
        model = models.wanted(self.spec)[size]
        found = models.files(models.root_of(self.store), model)
        models.check_fetched({size: found}, {size: model})
        return found.folder if found else ""

    def progress(self, extra: dict[str, float] | None = None, least: dict[int, float] | None = None) -> Progress:
        """What this phase reports to; `extra` goes with every report, `least` is of `study.halving`."""
        return Progress(self.store_path, self.phase.key, extra or {}, self.stopped, least or {})

    def runtime(self) -> Runtime:
        """How the work is cut up in this process. Raises `StudyError` when the size does not fit its GPU."""
        return runtime(self.spec, self.phase.size, self.store)


@dataclass(frozen=True)
class Result:
    """How a phase ended, for the driver."""

    key: str
    status: Literal["done", "failed", "held", "preempted"]
    """`held`: another live driver works on it; `preempted`: its process had to go, its next start goes on."""
    line: str
    """done: what came out; otherwise: why."""
    seconds: float = 0.0
    """Wall seconds."""


@dataclass(frozen=True)
class Tuned:
    """All trials of a tuning phase, and how their learning rates were chosen."""

    trials: Sequence[Trial]
    search: Search | None = None


Tune = Callable[[Job], Tuned]


@patience.long()
def run_phase(job: Job, tune: Tune) -> Result:
    """Run one phase unless its record is there. Never raises for what a user can mend."""
    key, store, started = job.phase.key, job.store, time.perf_counter()
    with phaselog.to(storage.join(store.phase_folder(key), "log.txt")) as log:
        try:
            with Lease(store, key) as lease:
                record = store.record(key)
                if record is None:
                    log.info("%s starts", key)
                    record = _make(job, tune)
                    if not _published(store, lease, record):
                        return Result(key, "held", "another driver took this phase over")
                    with suppress(StorageError):  # the phase is done; what is left has no reader
                        storage.remove(_trials(job))
            seconds = time.perf_counter() - started
            return Result(key, "done", _summary(record), seconds)
        except LeaseHeld as error:
            return Result(key, "held", str(error))
        except Preempted as error:
            log.info("%s: %s", key, error)
            return Result(key, "preempted", str(error), time.perf_counter() - started)
        except Exception as error:
            log.exception("%s failed", key)
            line = one_line(error)
            keep_failure(store, key, line)
            return Result(key, "failed", line, time.perf_counter() - started)


@patience.patient
def _published(store: Store, lease: Lease, record: Record) -> bool:
    """Write a record; False when another driver has the phase by now, which is asked again at every try: while a
    storage is away for minutes the lease runs out."""
    if lease.lost:
        return False
    with patience.once():
        store.write_record(record)
    return True


def one_line(error: BaseException) -> str:
    """An error as one line; an unexpected one with its type."""
    text = " ".join(str(error).split())
    return text if isinstance(error, StudyError) else f"{type(error).__name__}: {text[:300]}"


def keep_failure(store: Store, key: str, line: str) -> None:
    with suppress(StorageError):  # the storage itself may be what failed; the driver prints the line all the same
        store.write_failure(key, line)


def _make(job: Job, tune: Tune) -> Record:
    config = job.phase.config
    begun = _now()
    if isinstance(config, PretrainConfig):
        return _pretrain(job, config, begun)
    if isinstance(config, ImportConfig):
        return _import(job, config, begun)
    if isinstance(config, EvaluationConfig):
        return _evaluate(job, config, begun)
    tuned = tune(job)
    winner = best(tuned.trials)
    if winner is None:
        rates = ", ".join(f"{trial.learning_rate:.1e}" for trial in tuned.trials)
        raise StudyError(f"{job.phase.key}: all trials diverged (learning rates {rates}); lower search.window")
    outcome = read_outcome(job, winner.number)
    kept = storage.join(job.store.trial_folder(job.phase.key, winner.number), "checkpoint")
    with storage.local_copy(kept) as here, storage.publish(job.store.checkpoint_folder(job.phase.key)) as folder:
        shutil.copytree(here, folder, dirs_exist_ok=True)
    return tuning_record(job.phase, job.spec, job.store, tuned.trials, tuned.search, winner, outcome, begun)


def _pretrain(job: Job, config: PretrainConfig, begun: str) -> Record:
    from trainables.pretrain import pretrain

    key = job.phase.key
    report = job.progress()
    outcome = pretrain(config, job.places(job.store.phase_folder(key)), job.runtime(), report)
    if outcome.status == "diverged":
        raise StudyError(f"{key}: pretraining diverged ({outcome.note}); lower the ladder's learning rates")
    return pretrain_record(job.phase, job.spec, job.store, outcome, begun)


def _import(job: Job, config: ImportConfig, begun: str) -> Record:
    from trainables.models.published import bring_in

    key = job.phase.key
    places = job.places(job.store.phase_folder(key))
    done = bring_in(config, job.model_folder(), places, job.progress())
    return import_record(job.phase, job.spec, job.store, done, begun)


def _evaluate(job: Job, config: EvaluationConfig, begun: str) -> Record:
    from trainables.evaluate import evaluate

    key = job.phase.key
    started = time.perf_counter()
    places = job.places(job.store.phase_folder(key))
    with doubting(job):
        scores = evaluate(config, places, job.runtime(), job.progress())
    return evaluation_record(job.phase, job.spec, job.store, scores, time.perf_counter() - started, begun)


@patience.long()
def run_trial(job: Job, number: int, learning_rate: float, host: Host, started: float | None = None) -> Trial:
    """Train one trial and write it down. `started` (`time.monotonic()`): when it began to wait for its worker."""
    key, store = job.phase.key, job.store
    started = time.monotonic() if started is None else started
    folder = store.trial_folder(key, number)
    config = job.phase.config
    if not isinstance(config, TuneConfig):
        raise TypeError(f"{key} is not a tuning phase")
    report = job.progress({"trial": number, "learning_rate": learning_rate}, _cutoffs(job, config, number))
    places = job.places(folder)
    with doubting(job):
        outcome = host(config, learning_rate, places, job.runtime(), report)
    storage.write_json(storage.join(folder, OUTCOME), outcome.model_dump(mode="json"))
    trial = Trial(
        number=number,
        learning_rate=learning_rate,
        wall_seconds=max(outcome.seconds, time.monotonic() - started),
        **outcome.model_dump(include={"status", "score", "dev", "steps", "tokens", "flops", "seconds", "note"}),
        curve=tuple((step, loss) for step, loss in outcome.curve if math.isfinite(loss)),
        first_loss=_finite(outcome.first_loss),
        last_loss=_finite(outcome.last_loss),
    )
    store.write_trial(key, trial)
    return trial


def _cutoffs(job: Job, config: TuneConfig, number: int) -> dict[int, float]:
    """Least dev scores with which a trial goes on. All trials before it have ended, unless it is one of the first."""
    if not job.spec.search.early_stopping or number < startup(narrowing.trials(job.phase, job.spec)):
        return {}
    before = [trial for trial in finished_trials(job) if trial.number < number]
    return halving.cutoffs(rungs(config.steps, config.evaluations, config.warmup), before)


@contextmanager
def doubting(job: Job) -> Iterator[None]:
    """What cannot be loaded may be what a finished phase left: then the next plan reads it."""
    try:
        yield
    except CheckpointError:
        for key in {job.phase.backbone, job.phase.parent} - {None, job.phase.key}:
            job.store.doubt(str(key))
        raise


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def read_outcome(job: Job, number: int) -> Outcome:
    """What a finished trial left beside its checkpoint. Raises `CheckpointError` when it is gone."""
    path = storage.join(job.store.trial_folder(job.phase.key, number), OUTCOME)
    try:
        return Outcome.model_validate(storage.read_json(path))
    except (FileNotFoundError, ValueError) as error:
        raise CheckpointError(f"{path}: missing or damaged; run the study again") from error


def finished_trials(job: Job) -> list[Trial]:
    """Trials of an earlier run that still hold: diverged, pruned, or with their checkpoint and outcome in place."""
    found = []
    for trial in job.store.trials(job.phase.key):
        folder = job.store.trial_folder(job.phase.key, trial.number)
        whole = all(storage.exists(storage.join(folder, name)) for name in ("checkpoint", OUTCOME))
        if trial.status in ("diverged", "pruned") or (trial.status == "finished" and whole):
            found.append(trial)
    return found


def tune_once(job: Job, host: Host) -> Tuned:
    """The single trial of a phase whose learning rate another phase's search found."""
    rate = tuned_rate(job)
    kept = [trial for trial in finished_trials(job) if trial.learning_rate == rate]
    return Tuned(kept[:1] or [run_trial(job, 0, rate, host)])


def tuned_rate(job: Job) -> float:
    """The recorded winner's learning rate of `tuned_by`. Raises `StudyError` when that phase has no record."""
    return _winning_rate(job, job.phase.tuned_by or "")


def search_window(job: Job) -> tuple[float, float]:
    """Learning rates between which a phase searches. Raises `StudyError` when what narrows it has no record."""
    twin = job.phase.narrowed_by
    return job.spec.search.window if twin is None else narrowing.around(_winning_rate(job, twin))


def _winning_rate(job: Job, other: str) -> float:
    record = job.store.record(other, verify=False)
    if record is None or record.winner is None:
        raise StudyError(f"{job.phase.key}: takes the learning rate of {other}, which has no record")
    return record.winner.learning_rate


def _trials(job: Job) -> str:
    """Once the record is written the trials stand in it, and the losers' checkpoints have no reader left."""
    return storage.join(job.store.phase_folder(job.phase.key), "trials")


def _summary(record: Record) -> str:
    parts = []
    if record.winner is not None and record.winner.score is not None:
        parts += [f"dev {record.winner.score:.1f}", f"lr {record.winner.learning_rate:.1e}"]
        parts.append(f"{len(record.trials)} trial{'s' * (len(record.trials) != 1)}")
        if pruned := sum(trial.status == "pruned" for trial in record.trials):
            parts.append(f"{pruned} stopped early")
    if record.scores:
        parts.append(f"{len(record.scores)} scores")
    return "  ".join(parts)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass
class Progress:
    """A `Report` that keeps the phase's progress.json and log fresh, hears when the study is to stop, and says when a
    trial is not worth going on.

    Plain data: it travels to other processes.
    """

    store_path: str
    key: str
    extra: dict[str, float] = field(default_factory=dict)
    stopped: str = ""
    """See `Job.stopped`."""
    least: dict[int, float] = field(default_factory=dict)
    """{step: least dev score with which the trial goes on}, see `study.halving`."""
    rests: float = -math.inf
    """Until when it says nothing (monotonic, of the process that trains)."""

    def __call__(self, event: dict[str, float]) -> bool:
        if "score" in event:
            phaselog.LOG.info("%s %s", self.key, {**self.extra, **event})
        self._speak(event)
        return "score" in event and event["score"] < self.least.get(int(event["step"]), -math.inf)

    def _speak(self, event: dict[str, float]) -> None:
        begun = time.monotonic()  # the time of day may be set back meanwhile
        if begun < self.rests:
            return
        with patience.once():
            self._tell(event)
        least = REMOTE_SECONDS if storage.is_remote(self.store_path) else LOCAL_SECONDS
        # However slowly the storage answers, or that it is away: a tenth of the time is lost to it, not more.
        self.rests = begun + max(least, (1 + REST) * (time.monotonic() - begun))

    def _tell(self, event: dict[str, float]) -> None:
        store = Store(self.store_path)
        try:
            store.write_progress(self.key, {**self.extra, **event, "time": time.time()})
        except StorageError as error:  # a storage that is full says so at the checkpoint, where it matters
            if patience.passes(error):  # it is away
                return
        with suppress(StorageError):
            if stopping.asked(store, self.stopped):
                preemption.give_notice(for_good=True)

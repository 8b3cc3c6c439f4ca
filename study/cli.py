"""What can be typed? A study in order: fetch -> plan -> run -> status -> report -> export, and ui, doctor, schema.

Commands only wire: they load the spec, call one function, show what it returns. Everything heavy is imported
inside a command, so that the help is there at once.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clusters import command as clusters
from study import simulating
from study.guard import FAILED, RESUME, STOPPED, Guarded, exit_on_terminate, fetched_by
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.spec import StudySpec
    from study.store import Store

HELP = """Scaling studies of two-step cross-lingual transfer.

Examples:

\b
  study fetch my/study.yaml                       bring its data and models from the Hub, once
  study plan lab                                  what would be run, and why
  study plan my/study.yaml --cost --gpu all       memory, tokens, GPU-hours and price on every kind of GPU
  study plan my/study.yaml --power                what effects the study could see
  study simulate my/study.yaml --out FOLDER       a study with known effects, and its report
  study calibrate my/study.yaml                   measure this GPU for a minute: later costs rest on it
  study run lab                                   run what is missing; again after any interruption
  study run mini_xtreme --data-root FOLDER        the same on real benchmark data
  study run lab --only 'target-xs-*' --smoke      some phases of the small variant, and what they need
  study status lab                                how far it is, from another terminal
  study stop lab                                  ask its runs to end, from anywhere; `run` goes on
  study report lab                                write the report (also of half a study)
  study export lab --to FOLDER                    write the benchmark's submission folders
  study ui lab                                    browse every run in MLflow
  study clusters render my/study.yaml --provider aws   the file of a cluster that holds it
  study submit my/study.yaml --storage s3://b/runs     run it there as a job; again resumes
  study doctor                                    what is installed, and what is in the way
"""

app = typer.Typer(cls=Guarded, help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Spec = Annotated[str, typer.Argument(help="A study's YAML file, or the name of a shipped one: lab, mini_xtreme.")]
Storage = Annotated[str | None, typer.Option(help="Folder or fsspec address to keep studies in.", show_default="runs")]
DataRoot = Annotated[str | None, typer.Option(help="Folder with the benchmark files, for studies on real data.")]
Smoke = Annotated[bool, typer.Option("--smoke", help="The small, quick variant: the file's `smoke:` block applies.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Address = Annotated[str | None, typer.Option(help="Ray cluster to run on; default: a local one in this machine.")]


@app.command()
def fetch(
    spec: Spec, storage: Storage = None, data_root: DataRoot = None, smoke: Smoke = False, json: Json = False
) -> None:
    """Bring the data and models of a study from the Hub, checked; the rest runs offline. Again after any interruption.

    Example: study fetch my/study.yaml --data-root /mnt/data
    """
    from study import fetch_models, models, show
    from study.fetch import fetch as bring

    exit_on_terminate()
    study, store = _open(spec, storage, data_root, smoke)
    echo = _to_stderr if json else print
    wanted = fetch_models.look_up(study, store, echo)  # first: what is wrong with a model shows at once
    data = None if study.data.source != "hub" and models.wanted(study) else bring(study, echo)
    facts = (data, [fetch_models.bring(model, echo) for model in wanted])
    show.as_json(show.fetched_json(*facts)) if json else show.fetched_text(*facts)


@app.command()
def plan(
    spec: Spec,
    storage: Storage = None,
    data_root: DataRoot = None,
    smoke: Smoke = False,
    costs: Annotated[bool, typer.Option("--cost", help="What it takes: memory, tokens, GPU-hours, price.")] = False,
    gpu: Annotated[str | None, typer.Option(help="With --cost: card, or `all`.", show_default="the study's")] = None,
    rate: Annotated[
        float | None, typer.Option(help="With --cost: per GPU-hour.", show_default="the study's", min=0)
    ] = None,
    power: Annotated[bool, typer.Option("--power", help="What effects it would show, from simulated studies.")] = False,
    json: Json = False,
) -> None:
    """Show every phase with what would happen to it and why. Runs nothing.

    Examples: study plan lab --smoke

    study plan my/study.yaml --cost --gpu a100-80 --rate 1.80
    """
    from study import cost, show
    from study.plan import counts, rows

    if not costs and (gpu is not None or rate is not None):
        raise SpecError(f"{'--gpu' if gpu else '--rate'}: found without --cost, which it belongs to; add --cost")
    if power:
        return simulating.show_power(spec, storage, data_root, smoke, json)
    study, store = _open(spec, storage, data_root, smoke)
    if costs:
        from study.costing import show_costs

        return show_costs(study, store, gpu, rate, json)
    found = rows(study, store)
    facts = (study, store, found, counts(study, found), cost.estimate(study, found))
    show.as_json(show.plan_json(*facts)) if json else show.plan_text(*facts)


@app.command()
def calibrate(
    spec: Annotated[str | None, typer.Argument(help="Study whose sizes are measured.")] = None,
    storage: Storage = None,
    seconds: Annotated[float, typer.Option(help="About how long, the making of the models left out.", min=1)] = 60,
    smoke: Smoke = False,
    json: Json = False,
) -> None:
    """Measure training steps on this device, with random weights of the real shapes; `plan --cost` then uses it.

    Example: study calibrate my/study.yaml --seconds 60
    """
    from study.costing import calibrated

    study = _open(spec, storage, None, smoke)[0] if spec else None
    calibrated(study, storage, seconds, _to_stderr, json)


@app.command()
def run(
    spec: Spec,
    storage: Storage = None,
    data_root: DataRoot = None,
    smoke: Smoke = False,
    only: Annotated[
        str | None, typer.Option(help="Run the phases of this name or pattern, and what they need.")
    ] = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Run the one phase of --only in this process, for debugging.")
    ] = False,
    lr: Annotated[float | None, typer.Option(help="Learning rate of the phase run with --foreground.")] = None,
    until: Annotated[str | None, typer.Option(help="Stop at this time, e.g. 10:00; run again to go on.")] = None,
    budget: Annotated[float | None, typer.Option(help="Stop at so many device-hours of the study.", min=0)] = None,
    address: Address = None,
    json: Json = False,
) -> None:
    """Run what is missing, then write the report. Stop it at any time; the same command goes on.

    Examples: study run lab

    study run lab --until 10:00 --budget 40

    study run lab --only target-xs-none-xcopa-s0 --lr 3e-3 --foreground
    """
    from datetime import datetime

    from study import execute
    from study.around import finish, remember, run_foreground, tracked
    from study.plan import matching, rows, with_needs
    from study.stopping import Limits, Stopped, last, moment

    exit_on_terminate()
    study, store = _open(spec, storage, data_root, smoke)
    limits = Limits(moment(until, datetime.now()) if until else None, budget, last(store))
    _check_cluster(study, address)
    found = rows(study, store)
    chosen = matching(found, only) if only else found
    if foreground or lr is not None:
        from study.foreground import check_options

        check_options(chosen, only, foreground, lr)
    store.check_writable()
    remember(study, store, found)
    echo = _to_stderr if json else print
    if foreground:
        run_foreground(study, store, found, chosen[0], lr, address)
        return
    rows_to_run = with_needs(found, chosen)
    stopped, failed = "", 0
    with tracked(study, store, rows_to_run):
        try:
            failed = execute.run(study, store, rows_to_run, address=address, echo=echo, limits=limits)
        except Stopped as reason:
            stopped = str(reason)
        finish(study, store, failed, spec, smoke, json)  # the report is written while MLflow still listens
    if stopped:
        _to_stderr(f"stopped, because {stopped}; {RESUME}")
    if stopped or failed:
        raise typer.Exit(STOPPED if stopped else FAILED)


@app.command()
def stop(spec: Spec, storage: Storage = None, smoke: Smoke = False) -> None:
    """Ask the runs of a study to end, wherever they are: they write their states and go. `run` goes on again.

    Example: study stop lab
    """
    from study.stopping import ask

    store = _open(spec, storage, None, smoke, stored=True)[1]
    store.check_there()
    ask(store, "`study stop` was called")
    print(f"{store.path}: its runs will end within about a minute; `study status` shows what is still at work")


@app.command()
def status(
    spec: Spec, storage: Storage = None, data_root: DataRoot = None, smoke: Smoke = False, json: Json = False
) -> None:
    """Show how far the study is: finished, running, failed, and the time to go. Needs no cluster.

    Example: study status lab
    """
    from study import cost, show
    from study.plan import rows
    from study.status import status as status_of

    study, store = _open(spec, storage, data_root, smoke, stored=True)
    found = rows(study, store)
    facts = (study, store, status_of(study, store, found), cost.estimate(study, found))
    show.as_json(show.status_json(*facts)) if json else show.status_text(*facts)


@app.command()
def report(spec: Spec, storage: Storage = None, smoke: Smoke = False, json: Json = False) -> None:
    """Write the report from what is in the store, complete or not.

    Example: study report lab
    """
    from study import show
    from study.progress import bar
    from study.report import write

    study, store = _open(spec, storage, None, smoke, stored=True)
    store.check_there()
    with bar(quiet=json) as progress:
        paths = write(store, settings=study.report.model_dump(mode="json"), progress=progress)
    if json:
        show.as_json(paths)
    else:
        for name, path in paths.items():
            print(f"{name}: {path}")


@app.command()
def export(
    spec: Spec,
    storage: Storage = None,
    data_root: DataRoot = None,
    smoke: Smoke = False,
    size: Annotated[str | None, typer.Option(help="Only this size.")] = None,
    arm: Annotated[str | None, typer.Option(help="Only this arm.")] = None,
    seed: Annotated[int | None, typer.Option(help="Only this seed.")] = None,
    to: Annotated[str | None, typer.Option(help="Folder to write into.", show_default="export, in the study's")] = None,
    json: Json = False,
) -> None:
    """Write what is scored in the benchmark's official folder layout, checked, with a card per (size, arm, seed).

    Example: study export mini_xtreme --data-root FOLDER --size m --seed 0 --to submissions
    """
    from study import show
    from study.export import export as write
    from study.plan import data_root as root_of
    from trainables.data.root import Root

    study, store = _open(spec, storage, data_root, smoke, stored=True)
    root = Root(root_of(study, store))
    found = write(store, study.model_dump(mode="json"), root, to or store.join("export"), size, arm, seed)
    show.as_json(show.export_json(found)) if json else show.export_text(found)


@app.command()
def ui(
    spec: Spec,
    storage: Storage = None,
    smoke: Smoke = False,
    port: Annotated[int | None, typer.Option(help="Port on loopback; default: a free one.", min=1, max=65535)] = None,
) -> None:
    """Open MLflow on the study's runs; Ctrl-C ends it.

    Example: study ui lab
    """
    from study import mirror

    study, store = _open(spec, storage, None, smoke, stored=True)
    mirror.ui(store, port, study.tracking.uri)


@app.command()
def doctor(
    storage: Annotated[str, typer.Option(help="Storage to test.")] = "runs",
    data_root: DataRoot = None,
    tracking: Annotated[str | None, typer.Option(help="MLflow address to test.")] = None,
    address: Address = None,
    json: Json = False,
) -> None:
    """Check this machine: packages, processor, GPU, memory, storage, data, tracker, a worker.

    Example: study doctor --storage /mnt/runs --data-root ../data
    """
    from dataclasses import asdict

    from study import show
    from study.doctor import checks

    found = checks(storage, data_root, tracking, address)
    if json:
        show.as_json([asdict(check) for check in found])
    else:
        show.table(("", "what", "found", "fix"), [(check.state, check.name, check.found, check.fix) for check in found])
    if any(check.state == "fail" for check in found):
        raise typer.Exit(FAILED)


@app.command()
def schema() -> None:
    """Print the JSON schema of a study file, for editors.

    Example: study schema > study.schema.json
    """
    from study import show
    from study.specfile import schema as schema_of

    show.as_json(schema_of())


app.command()(clusters.submit)
app.add_typer(clusters.jobs, name="job")
app.add_typer(clusters.app, name="clusters")
app.command()(simulating.simulate)


def main() -> None:
    """Entry point of the console script."""
    app(prog_name="study")


def _open(
    name: str, storage: str | None, data_root: str | None, smoke: bool, stored: bool = False
) -> tuple[StudySpec, Store]:
    """The spec with what the command line said, and its store. `stored`: without --data-root, that of the last run."""
    from study.specfile import load
    from study.store import Store
    from trainables.storage import filesystem, join

    changes: dict[str, Any] = {}
    if storage is not None:
        changes["storage"] = storage
    if data_root is not None:
        changes["data"] = {"root": data_root if "://" in data_root else str(Path(data_root).absolute())}
    fetched_by(_fetch(name, storage, data_root, smoke))
    spec = load(name, smoke=smoke, changes=changes)
    filesystem(spec.storage)  # an unusable address is named now, not in the middle of something
    store = Store(join(spec.storage, spec.name))
    if stored and spec.data.source != "lab" and spec.data.root is None:
        root = (store.spec().get("data") or {}).get("root")
        spec = spec.model_copy(update={"data": spec.data.model_copy(update={"root": root})})
    return spec, store


def _fetch(name: str, storage: str | None, data_root: str | None, smoke: bool) -> str:
    """The command that brings the data and models of a study, as it can be typed."""
    options = {"--storage": storage, "--data-root": data_root}
    given = [part for option, value in options.items() if value is not None for part in (option, value)]
    return shlex.join(["study", "fetch", name, *given, *(["--smoke"] if smoke else [])])


def _check_cluster(study: StudySpec, address: str | None) -> None:
    """Raises `SpecError` for an address or a storage that cannot be used on a cluster, when there is one."""
    from study import passwords
    from study.store import check_shared

    cluster = address or os.environ.get("RAY_ADDRESS")
    if cluster:
        passwords.check("--address", cluster)
        check_shared("storage", study.storage, f"on a cluster ({cluster})")


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

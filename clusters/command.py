"""What can be typed about clusters? `study clusters render`, `study submit`, and `study job` for what was submitted.

Wired into the command line by `study.cli`; everything heavy is imported inside a command.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

INTERRUPTED = 130

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
jobs = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Spec = Annotated[str, typer.Argument(help="A study's YAML file, or the name of a shipped one.")]
Address = Annotated[
    str | None,
    typer.Option(help="The cluster's job server, http://HOST:8265.", show_default="RAY_API_SERVER_ADDRESS"),
]
Id = Annotated[str, typer.Argument(help="The job's id, as `study submit` printed it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


class Provider(StrEnum):
    """Whose machines."""

    AWS = "aws"
    GCP = "gcp"
    KUBERAY = "kuberay"


@app.callback()
def clusters() -> None:
    """Files for clusters that grow from zero: AWS, GCP, Kubernetes."""


@app.command()
def render(
    spec: Spec,
    provider: Annotated[Provider, typer.Option(help="Whose machines.")],
    out: Annotated[Path | None, typer.Option(help="File to write.", show_default="the terminal")] = None,
    gpu: Annotated[
        list[str] | None, typer.Option(help="Choose among these cards only; may be given again.", show_default="all")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of yours, e.g. region=eu-west-1; again for more."),
    ] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="Of the small, quick variant.")] = False,
) -> None:
    """Write the file of a cluster for a study: a group of workers per size class, from the memory plan.

    Example: study clusters render clusters/example.yaml --provider aws --set region=eu-west-1 --out aws.yaml
    """
    from clusters.render import render as text_of
    from clusters.site import site
    from study.specfile import load
    from trainables.storage import write_bytes

    text = text_of(load(spec, smoke=smoke), provider.value, site(provider.value, set_ or []), gpu or [])
    if out is None:
        print(text, end="")
        return
    write_bytes(str(out), text.encode())
    print(f"{out}: written")


def submit(
    spec: Spec,
    address: Address = None,
    storage: Annotated[
        str | None, typer.Option(help="Address that all nodes reach.", show_default="the study's")
    ] = None,
    data_root: Annotated[str | None, typer.Option(help="Folder or address with the benchmark files.")] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="The small, quick variant.")] = False,
    only: Annotated[str | None, typer.Option(help="Only these phases, and what they need.")] = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Bring data and models there instead of running.")] = False,
    secret: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A variable that the cluster knows; again for more.")
    ] = None,
    python: Annotated[str, typer.Option(help="Python on the cluster.")] = "python",
    working_dir: Annotated[Path, typer.Option(help="Folder to upload: code and study files.")] = Path("."),
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is submitted.")] = False,
    json: Json = False,
) -> None:
    """Run a study on a cluster as a job, and follow it. Ctrl-C leaves it running; submitting again resumes.

    Ends with the exit code of the study. Prints the plain `ray job submit` line, which does the same.

    Example: study submit my/study.yaml --address http://127.0.0.1:8265 --storage s3://bucket/runs
    """
    from clusters import jobs as ray_jobs
    from clusters.secret_names import check_names
    from clusters.submitting import Order, command, new_id
    from clusters.upload import check

    names = secret or []
    check_names(names)
    wanted = Order(spec, storage, data_root, smoke, only, fetch, python)
    run = ray_jobs.entrypoint(command(wanted, working_dir), names)
    job = ray_jobs.Job(ray_jobs.address_of(address), new_id(Path(spec).stem), run, working_dir)
    size = check(working_dir)
    _say(f"uploading {size / 1e6:.1f} MB; the same by hand: {job.line(follow=not detach)}")
    ray_jobs.submit(job)
    _say(f"submitted: {job.id}; study job status {job.id}, study job stop {job.id}")
    code = 0 if detach else _follow(job.address, job.id, json)
    if json:
        _print_json(
            {"id": job.id, "address": job.address, "line": job.line(not detach), "exit_code": None if detach else code}
        )
    raise typer.Exit(code)


@jobs.callback()
def job_group() -> None:
    """Jobs that `study submit` started: status, logs, stop."""


@jobs.command()
def status(job: Id, address: Address = None, json: Json = False) -> None:
    """Say whether a job runs, and how it ended.

    Example: study job status lab-0a1b2c3d
    """
    from clusters import jobs as ray_jobs

    known = ray_jobs.details(ray_jobs.address_of(address), job)
    code = ray_jobs.exit_code(known) if known.status in ray_jobs.ENDED else None
    if json:
        _print_json({"id": job, "status": known.status.value, "exit_code": code, "message": known.message})
    else:
        print(f"{job}: {known.status.value}" + ("" if code is None else f", exit code {code}"))


@jobs.command()
def logs(
    job: Id, address: Address = None, follow: Annotated[bool, typer.Option("--follow", help="Until it ends.")] = False
) -> None:
    """Print what a job has printed; with --follow until it ends, then with its exit code.

    Example: study job logs lab-0a1b2c3d --follow
    """
    from clusters import jobs as ray_jobs

    where = ray_jobs.address_of(address)
    if follow:
        raise typer.Exit(_follow(where, job, False))
    print(ray_jobs.logs(where, job), end="")


@jobs.command()
def stop(job: Id, address: Address = None) -> None:
    """End a job; what is finished is kept, and submitting the study again goes on.

    Example: study job stop lab-0a1b2c3d
    """
    from clusters import jobs as ray_jobs

    known = ray_jobs.stop(ray_jobs.address_of(address), job)
    print(f"{job}: {known.status.value}")


def _follow(address: str, job: str, quiet: bool) -> int:
    """The exit code of a job, its lines passed on; 130 when we leave it."""
    from clusters import jobs as ray_jobs

    try:
        return ray_jobs.follow(address, job, _say_as_it_is if quiet else _print_as_it_is)
    except KeyboardInterrupt:
        _say(f"left; the job goes on: study job logs {job} --follow")
        return INTERRUPTED


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _say_as_it_is(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def _print_as_it_is(text: str) -> None:
    print(text, end="", flush=True)


def _print_json(value: dict[str, object]) -> None:
    from study.show import as_json

    as_json(value)

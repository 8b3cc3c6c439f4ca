"""What can be typed about clusters? `study clusters render`: the file of a cluster that holds a study.

Wired into the command line by `study.cli`; everything heavy is imported inside a command.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Files for clusters that grow from zero: AWS, GCP, Kubernetes.", no_args_is_help=True, rich_markup_mode=None
)


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
    spec: Annotated[str, typer.Argument(help="A study's YAML file, or the name of a shipped one.")],
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

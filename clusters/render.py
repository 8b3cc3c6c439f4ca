"""How does a study become the file of a cluster that can run it, and nothing larger?

    render(load("clusters/example.yaml"), "aws", site("aws", ["region=eu-west-1"]))      # the YAML text

Worker groups come from the memory plan of every size (`clusters.machines`), so a plan that no group can hold is refused
before anything starts. The files of this folder are what this writes for `example.yaml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from clusters import kube, machine_files
from clusters.machines import groups, why
from study.spec import StudySpec

HEADS = {
    "aws": "Start with `ray up -y FILE`, end with `ray down -y FILE`",
    "gcp": "Start with `ray up -y FILE`, end with `ray down -y FILE`",
    "kuberay": "Start with `kubectl apply -f FILE`, end with `kubectl delete -f FILE`",
}


class _Plain(yaml.SafeDumper):
    """Without anchors: equal parts are written out."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def render(spec: StudySpec, provider: str, site: dict[str, str], only: Sequence[str] = ()) -> str:
    """The cluster file of a study, with what it rests on as comments. Raises `StudyError` (see `machines.groups`)."""
    found = groups(spec, provider, only)
    name = kube.dns_name(spec.name)
    if provider == "kuberay":
        value = kube.config(spec.name, found, site)
    else:
        value = machine_files.config(name, found, provider, site)
    lines = [f"Written by `study clusters render` for the study {spec.name}; clusters/README.md tells the whole way."]
    lines += [f"{HEADS[provider]}.", "Settings, which --set NAME=VALUE changes:"]
    lines += [f"  {key}={value}" for key, value in site.items()]
    lines.append("Sizes and their cards, by the memory plan:")
    for group in found:
        lines.append(f"  {group.card} ({group.machine.type}, {group.machine.gpus} GPU)")
        lines += [f"    {line}" for line in why(spec, group)]
    comment = "".join(f"# {line}\n" for line in lines)
    return comment + yaml.dump(value, Dumper=_Plain, sort_keys=False, width=110, allow_unicode=True)

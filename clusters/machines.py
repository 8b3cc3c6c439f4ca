"""Which machines can be rented where, and which of them holds a trial? The table is `machines.yaml`.

    groups(spec, "aws")     # [Group("l4-24", g6.2xlarge, ("0.6b", "1.7b", "4b"), 1), Group("l40s-48", ..., ("8b",), 1)]

One group per size class: the sizes whose trials train on the same card.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import yaml
from pydantic import Field

from study.gpus import card
from study.placement import cards_for, fitted
from study.spec import StudySpec
from trainables.config import Frozen
from trainables.errors import StudyError

SPOT, ON_DEMAND = "spot", "on-demand"
"""As Ray's label `ray.io/market-type` calls them."""


class Machine(Frozen):
    """One kind of machine."""

    type: str
    """The provider's name for it."""
    cpus: int = Field(gt=0)
    memory: int = Field(gt=0)
    """GiB."""
    gpus: int = Field(default=0, ge=0)
    spot: bool = True
    on_demand: bool = True


class Offer(Frozen):
    """What one provider has."""

    head: Machine
    cards: dict[str, tuple[Machine, ...]]
    """By card, from the cheapest GPU-hour; each card's machines from small to large."""


@dataclass(frozen=True)
class Group:
    """The workers of one size class."""

    card: str
    machine: Machine
    sizes: tuple[str, ...]
    gpus: int
    """Of a machine, those that trials can use at the same time: for others it may have too few processors."""


@lru_cache(maxsize=1)
def offers() -> dict[str, Offer]:
    """The table, by provider."""
    table = yaml.safe_load((files("clusters") / "machines.yaml").read_text())
    return {name: Offer.model_validate(facts) for name, facts in table.items()}


def groups(spec: StudySpec, provider: str, only: Sequence[str] = ()) -> list[Group]:
    """The worker groups of a study, from the cheapest card.

    `only`: cards to choose among, default `compute.gpu`, else all of the provider's.
    Raises `StudyError`, one line per thing that is in the way: a study without GPUs, a card that the provider does not
    have, a size that no card holds (with the nearest that fits), a trial that is larger than every machine.
    """
    if not spec.compute.gpus_per_trial:
        raise StudyError("compute.gpus_per_trial: found 0, a cluster's groups are made for GPUs; set it to 1 or more")
    offer = offers()[provider]
    wanted = list(only) or ([spec.compute.gpu] if spec.compute.gpu else list(offer.cards))
    for name in wanted:
        card(name)  # an unknown name gets its own line
        if name not in offer.cards:
            raise StudyError(f"gpu: {provider} has no machine with {name}; it has {', '.join(offer.cards)}")
    chosen = cards_for(spec, [card(name) for name in offer.cards if name in wanted])
    sizes = {name: tuple(size for size, one in chosen.items() if one.name == name) for name in offer.cards}
    machines = {name: _machine(spec, provider, name) for name, held in sizes.items() if held}
    return [Group(name, one, sizes[name], _usable(spec, one)) for name, one in machines.items()]


def _machine(spec: StudySpec, provider: str, name: str) -> Machine:
    """The smallest machine that holds a worker of a trial."""
    compute = spec.compute
    offered = offers()[provider].cards[name]
    for one in offered:
        if one.gpus >= compute.gpus_per_trial and one.cpus >= compute.cpus_per_trial:
            return one
    most = offered[-1]
    raise StudyError(
        f"compute: a trial asks for {compute.gpus_per_trial:g} GPUs and {compute.cpus_per_trial} CPUs on one machine,"
        f" {provider}'s largest with {name} has {most.gpus} and {most.cpus}; lower compute, or set compute.workers"
    )


def _usable(spec: StudySpec, machine: Machine) -> int:
    compute = spec.compute
    trials = min(int(machine.gpus / compute.gpus_per_trial), machine.cpus // compute.cpus_per_trial)
    return max(1, int(trials * compute.gpus_per_trial))


def pools(found: Sequence[Group]) -> Iterator[tuple[Group, str, int]]:
    """(group, market, priority) of every pool of machines.

    Autoscaler v2 launches the highest priority that holds a demand and could be had lately: spot, with on-demand to
    fall back on.
    """
    for group in found:
        if group.machine.spot:
            yield group, SPOT, 1
        if group.machine.on_demand:
            yield group, ON_DEMAND, 0


def why(spec: StudySpec, group: Group) -> list[str]:
    """What the choice of a group's card rests on: a line per size."""
    lines = []
    for size in group.sizes:
        fit = fitted(spec, size, card(group.card))
        again = ", activations computed again" if fit.recompute else ""
        lines.append(f"{size}: {fit.peak / 1e9:.1f} GB at most, passes of up to {fit.micro_tokens} tokens{again}")
    return lines

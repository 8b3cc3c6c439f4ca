"""What is known of a language, and which group does it belong to?

Facts are given, none is invented: the lab states its own, those of real languages stand with their sources in
languages.yaml, and what a ladder was pretrained on is said by its file. What nobody knows makes a group "unknown".

    groups({"de": ..., "ja": ..., "en": ...}, ("base", "large"))     # Group("distance", "near", ...), ...

English, the language of training, is in no group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

ENGLISH = "en"
UNKNOWN = "unknown"
NEAR, MIDDLE, FAR = "near", "middle", "far"
SEEN, UNSEEN = "seen", "unseen"
DISTANCES = ("syntactic", "genetic", "phonological", "inventory", "featural")
"""Kinds of distance from English in languages.yaml."""
FEWEST = 3
"""Languages with a distance below which nothing is said about distance."""


@dataclass(frozen=True)
class Language:
    """Facts about one language; None, "" or an absent key where nobody knows."""

    code: str
    name: str = ""
    family: str = ""
    script: str = ""
    distance: float | None = None
    """From English, 0 to 1: the lab's own, or the syntactic one."""
    resource: int | None = None
    """Resource class of Joshi et al. (2020), 0 to 5."""
    text: float | None = None
    """GiB of web text in CC-100."""
    distances: Mapping[str, float] = field(default_factory=dict)
    """{one of `DISTANCES`: distance from English}"""
    seen: Mapping[str, bool] = field(default_factory=dict)
    """{size: whether it was pretrained on text in this language}"""


@dataclass(frozen=True)
class Group:
    """Languages that share one fact. `members` is {size: codes}; only for `seen` do the sizes differ."""

    kind: str
    name: str
    members: Mapping[str, tuple[str, ...]]


def cuts(languages: Mapping[str, Language]) -> tuple[float, float] | None:
    """Largest distance of a near and of a middle language: terciles of the known distances; None with too few."""
    known = [language.distance for language in others(languages) if language.distance is not None]
    if len(known) < FEWEST or len(set(known)) < FEWEST:
        return None
    low, high = np.quantile(known, [1 / 3, 2 / 3], method="lower")
    return float(low), float(high)


def groups(languages: Mapping[str, Language], sizes: Sequence[str]) -> list[Group]:
    """All groups of all kinds that have a member: by distance, pretraining, resource class, family and script."""
    terciles = cuts(languages)
    kinds: dict[str, Callable[[Language, str], str]] = {
        "distance": lambda language, _: tercile(language, terciles),
        "pretraining": lambda language, size: _seen(language, size),
        "resource class": lambda language, _: UNKNOWN if language.resource is None else str(language.resource),
        "family": lambda language, _: language.family or UNKNOWN,
        "script": lambda language, _: language.script or UNKNOWN,
    }
    found = []
    for kind, place in kinds.items():
        names = {(language.code, size): place(language, size) for language in others(languages) for size in sizes}
        for name in sorted(set(names.values()), key=_rank):
            members = {
                size: tuple(language.code for language in others(languages) if names[language.code, size] == name)
                for size in sizes
            }
            found.append(Group(kind, name, members))
    return found


def others(languages: Mapping[str, Language]) -> Iterable[Language]:
    """All but English, in the order of their codes."""
    return [languages[code] for code in sorted(languages) if code != ENGLISH]


def tercile(language: Language, terciles: tuple[float, float] | None) -> str:
    """Near, middle or far by `cuts`; unknown without them or without a distance."""
    if terciles is None or language.distance is None:
        return UNKNOWN
    return NEAR if language.distance <= terciles[0] else MIDDLE if language.distance <= terciles[1] else FAR


def _seen(language: Language, size: str) -> str:
    known = language.seen.get(size)
    return UNKNOWN if known is None else SEEN if known else UNSEEN


def _rank(name: str) -> tuple[int, str]:
    """Near before far, seen before unseen, names by alphabet, unknown last."""
    first = (NEAR, MIDDLE, FAR, SEEN, UNSEEN)
    return (first.index(name) if name in first else len(first) + (name == UNKNOWN), name)

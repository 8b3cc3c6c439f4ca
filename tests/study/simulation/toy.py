"""A small planted study for tests; every field can be given in its place."""

from __future__ import annotations

from typing import Any

from study.simulation.planted import Planted

CODES = {"en": 0.0, "de": 0.3, "sw": 0.6, "ja": 0.9}
QUIET = dict.fromkeys(
    ("seed", "checkpoint", "wobble", "languages", "language_gains", "language_sizes", "retention"), 0.0
)
"""No noise but that of examples."""


def toy(**changes: Any) -> Planted:
    """Three sizes a factor of ten apart, three seeds, one tuned target and one scored directly, arms none and siqa."""
    value: dict[str, Any] = {
        "sizes": {"s": 10**8, "m": 10**9, "l": 10**10},
        "languages": {code: {"distance": distance, "seen": code != "sw"} for code, distance in CODES.items()},
        "targets": {
            "xcopa": {"languages": list(CODES), "level": 60.0, "slope": 8.0, "examples": 200},
            "tatoeba": {"languages": ["de", "sw", "ja"], "level": 50.0, "slope": 5.0, "examples": 200, "direct": True},
        },
        "arms": {"none": None, "siqa": {"tasks": ["siqa"], "gain": {"level": 4.0, "slope": 2.0}}},
        "seeds": [0, 1, 2],
        "resamples": 100,
        "dev_examples": 200,
        **changes,
    }
    return Planted.model_validate(value)

"""Which studies are simulated to see whether intervals hold? Small and large, with every kind of noise there is."""

from __future__ import annotations

from typing import Any

import numpy as np

from study.simulation.planted import Planted

TARGETS = ("xcopa", "udpos", "xnli")

SCENARIOS: dict[str, dict[str, Any]] = {
    "three sizes, three seeds": {},
    "two seeds": {"seeds": 2},
    "five seeds, 20 languages": {"seeds": 5, "languages": 20},
    "five sizes": {"sizes": 5, "languages": 8},
    "five sizes, saturating": {"sizes": 5, "curve": {"ceiling": 80.0, "rate": 0.4}, "noise": {"seed": 0.5}},
    "domain text": {"text": True, "languages": 9},
    "parallel test sets": {"parallel": True, "languages": 12, "noise": {"meaning": 0.8, "difficulty": 0.8}},
    "noisy checkpoints": {"noise": {"checkpoint": 2.5}},
    "seed noise falls with size": {"noise": {"seed_growth": 0.4}, "seeds": 5},
    "seed noise falls with size, three seeds": {"noise": {"seed_growth": 0.4}},
    "quiet seeds, few examples": {"noise": {"seed": 0.1, "checkpoint": 0.1, "wobble": 0.0}, "examples": 150},
    "few, very different languages": {"noise": {"language_gains": 4.0, "languages": 8.0}, "languages": 5},
}


def planted_for(name: str, study: int, effects: bool = True) -> Planted:
    """The study of this number. Distances of its languages are drawn, so that they are a sample of all languages."""
    made_of = SCENARIOS[name]
    rng = np.random.default_rng([study, 99])
    codes = ["en", *(f"l{n}" for n in range(1, made_of.get("languages", 6)))]
    gain = {"level": 4.0, "slope": 2.0, "targets": {"xcopa": 2.0}, "per_distance": -2.0}
    spoken = {"targets": ["udpos"], "languages": codes[1:4], "everywhere": 0.5, "on_targets": 2.0, "in_languages": 1.0}
    text = {**_arm("siqa", **gain), "text": spoken}
    value = {
        "sizes": {f"z{n}": int(10 ** (8 + 0.5 * n)) for n in range(made_of.get("sizes", 3))},
        "languages": {
            code: {"distance": round(float(rng.uniform(0, 1)), 3), "seen": bool(rng.uniform() < 0.5)} for code in codes
        },
        "per_distance": -10.0,
        "targets": {
            target: {
                "languages": codes,
                "examples": made_of.get("examples", 300),
                "parallel": made_of.get("parallel", False),
                "level": 58.0 + 4 * place,
                "slope": 10.0 - 2 * place,
                **made_of.get("curve", {}),
            }
            for place, target in enumerate(TARGETS)
        },
        "arms": {
            "none": None,
            "siqa": _arm("siqa", **gain),
            "csqa": _arm("csqa", level=-1.0, slope=0.0),
            **({"siqa+text": text, "siqa+more": text} if made_of.get("text") else {}),
        },
        "seeds": list(range(made_of.get("seeds", 3))),
        "noise": made_of.get("noise", {}),
        "resamples": 300,
    }
    if not effects:
        value["arms"] = {arm: made and _without_effect(made) for arm, made in value["arms"].items()}
        value["noise"] = {**value["noise"], "language_gains": 0.0, "language_sizes": 0.0}
    return Planted.model_validate(value)


def _arm(task: str, **gain: Any) -> dict[str, Any]:
    return {"tasks": [task], "gain": gain, "retention": {"level": 92.0, "slope": 3.0}}


def _without_effect(arm: dict[str, Any]) -> dict[str, Any]:
    text = {name: arm["text"][name] for name in ("targets", "languages")} if "text" in arm else None
    return {"tasks": arm["tasks"], "text": text, "retention": {"level": 100.0}}

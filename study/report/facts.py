"""What is known of the languages of a study? The table of XTREME-R's languages, a lab's own file, and the ladder.

A lab states its languages in its data; for the rest there is `analysis/languages.yaml`, where every column has its
source. Whether a model was pretrained on a language is said by its ladder, or by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

import yaml

from study.analysis.languages import DISTANCES, Language
from study.store import Store
from trainables import storage
from trainables.errors import CheckpointError, SpecError
from trainables.models.ladders import ladder


def languages(store: Store, spec: Mapping[str, Any], codes: Sequence[str]) -> dict[str, Language]:
    """{code: its facts} for all `codes`; empty facts where nobody states any."""
    known = published()
    for name in storage.names(store.join("data")):
        if not name.startswith("lab-"):
            continue
        try:
            known.update(_lab(storage.read_json(store.join("data", name, "languages.json"))))
        except (FileNotFoundError, CheckpointError):
            continue
    texts = pretraining(spec)
    seen = {code: {size: code in text for size, text in texts.items()} for code in codes}
    return {code: replace(known.get(code, Language(code)), seen=seen[code]) for code in codes}


def published() -> dict[str, Language]:
    """The 50 languages of XTREME-R."""
    text = files("study.analysis").joinpath("languages.yaml").read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    columns = table.pop("columns")
    found = {}
    for code, values in table.items():
        row = dict(zip(columns, values, strict=True))
        found[code] = Language(
            code=code,
            name=row["name"],
            family=row["family"],
            script=row["script"],
            distance=row["syntactic"],
            resource=row["resource"],
            text=row["text"],
            distances={kind: row[kind] for kind in DISTANCES if row[kind] is not None},
        )
    return found


def pretraining(spec: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """{size: languages of its pretraining text}, for sizes whose ladder states them."""
    family = spec.get("own_ladder")
    if not isinstance(family, dict):
        try:
            family = ladder(str(spec.get("ladder"))).model_dump()
        except SpecError:  # a ladder that is no longer shipped
            return {}
    sizes = family.get("sizes") or {}
    stated = {
        size: (sizes.get(size) or {}).get("languages") or family.get("languages") for size in spec.get("sizes", ())
    }
    return {size: frozenset(codes) for size, codes in stated.items() if codes}


def _lab(facts: Any) -> dict[str, Language]:
    """{code: {"distance": 0.14, ...}} -> languages; entries of another shape are passed over."""
    found = {}
    for code, fact in facts.items() if isinstance(facts, dict) else ():
        if isinstance(fact, dict):
            distance = fact.get("distance")
            number = float(distance) if isinstance(distance, int | float) else None
            name, family, script = (str(fact.get(key, "")) for key in ("name", "family", "script"))
            found[code] = Language(code, name, family, script, number)
    return found

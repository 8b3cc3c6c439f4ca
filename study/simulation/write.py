"""How does a simulated study become a folder that every command reads like a real one?

Records, predictions, facts about languages and the spec, which says that it is simulated. Keys are those of the plan
where there is one, so that `study status` finds every phase done.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from study.analysis.basis import Evidence
from study.analysis.frame import NONE
from study.analysis.resample import Judged
from study.plan import Phase
from study.progress import Told, silent
from study.records import Checkpoint, Record
from study.simulation.records import Place
from study.store import Store
from trainables import storage
from trainables.errors import StorageError
from trainables.results import LanguageScore


def write(
    store: Store,
    evidence: Evidence,
    spec: Mapping[str, Any],
    phases: Iterable[Phase] = (),
    progress: Told = silent,
) -> None:
    """Write a drawn study into an empty folder, with the phases' keys. Raises `StorageError` when it holds a study.

    `spec`: a dumped `StudySpec`, laid over what the simulation says of its design; empty without one.
    """
    if store.spec() or storage.names(store.join("phases")):
        raise StorageError(f"{store.path}: holds a study already; give another folder with --out, or remove it")
    store.write_spec({**evidence.spec, **spec})
    storage.write_json(
        store.join("data", "lab-simulated", "languages.json"),
        {
            code: {"distance": one.distance, "family": one.family, "script": one.script}
            for code, one in evidence.languages.items()
            if one.distance is not None
        },
    )
    planned = {_place(phase).key: phase for phase in phases}
    for done, record in enumerate(evidence.records):
        progress("writing phases", done, len(evidence.records))
        renamed = _as_planned(record, planned)
        kept = _write_predictions(store, renamed.key, record, evidence) if record.scores else None
        store.write_record(renamed.model_copy(update={"predictions": kept}))


def _place(phase: Phase) -> Place:
    kind = "import" if phase.kind == "pretrain" else phase.kind
    return Place(kind, phase.size, phase.arm, phase.task, phase.seed)


def _as_planned(record: Record, planned: Mapping[str, Phase]) -> Record:
    """The record with the key, kind and identity of its phase in the plan; as it is where the plan has none."""

    def key(of: str | None) -> str | None:
        return planned[of].key if of is not None and of in planned else of

    if record.key not in planned:
        return record
    phase = planned[record.key]
    search = record.search and record.search.model_copy(update={"narrowed_by": key(record.search.narrowed_by)})
    return record.model_copy(
        update={
            "key": phase.key,
            "kind": phase.kind,
            "identity": phase.identity,
            "parent": key(record.parent),
            "tuned_by": key(record.tuned_by),
            "search": search,
            "lineage": tuple(str(key(one)) for one in record.lineage),
        }
    )


def _write_predictions(store: Store, key: str, record: Record, evidence: Evidence) -> Checkpoint:
    """One parquet file per cell, as scoring writes them."""
    sums, total = {}, 0
    for score in record.scores:
        data = _parquet(_answers(record, score, evidence))
        name = f"{score.task}.{score.language}.{score.split}.parquet"
        storage.write_bytes(store.join("phases", key, "predictions", name), data)
        sums[name], total = hashlib.sha256(data).hexdigest(), total + len(data)
    return Checkpoint(path=f"phases/{key}/predictions", files=sums, bytes=total)


def _answers(record: Record, score: LanguageScore, evidence: Evidence) -> Judged:
    if score.split == "dev":
        return evidence.dev_judged[(record.key, score.task, score.language)]
    # A bare backbone counts for every seed.
    seed = record.seed if record.seed is not None else evidence.spec["seeds"][0]
    return evidence.judged[(record.size, record.arm or NONE, score.task, seed, score.language)]


def _parquet(judged: Judged) -> bytes:
    words = ["right" if hit else "wrong" for hit in judged.hits]
    table = pd.DataFrame(
        {
            "id": judged.ids,
            "prediction": words,
            "gold": "right",
            "hits": judged.hits,
            "predicted": judged.predicted,
            "possible": judged.possible,
        }
    )
    data = io.BytesIO()
    table.to_parquet(data, index=False)
    return data.getvalue()

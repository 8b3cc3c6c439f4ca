"""Which rows does a store hold, and in which order are they written? A group per phase, then curves and report.

    [group.key for group in groups(store)]      # ["pretrain-xs-...", ..., "scaling", "summary"]

Evaluations come after training, so that a cell finds the adapter that it scored. A group is written as a whole
and then marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from study.mirror_rows import About, Adapter, Row, about, adapter, cell_rows, trial_rows
from study.mirror_scaling import scaling_rows
from study.mirror_summary import summary_rows
from study.records import Record
from study.store import Store
from trainables import storage

if TYPE_CHECKING:
    from study.plan import Phase


@dataclass(frozen=True)
class Group:
    """What is written together: the rows of one phase, all scaling curves, or the report."""

    study: str
    key: str
    rows: tuple[Row, ...]
    adapter: Adapter | None = None

    @property
    def digests(self) -> dict[str, str]:
        found = {row.id: row.digest for row in self.rows}
        return found | ({f"{self.adapter.id}/adapter": self.adapter.digest} if self.adapter else {})


def groups(store: Store, phases: Iterable[Phase] = ()) -> list[Group]:
    """Everything the store holds; with the plan's `phases`, also finished trials of phases without a record."""
    order = sorted(store.records(), key=lambda record: (record.kind == "evaluation", record.finished, record.key))
    records = {record.key: record for record in order}
    if not records:
        return []
    study = next(reversed(records.values())).study
    found = [_group(record, records, store) for record in records.values()]
    begun = set(storage.names(store.join("phases"))) - records.keys()  # the others have no trials, and are many
    for phase in phases:
        if phase.key in begun and phase.kind != "evaluation" and (trials := store.trials(phase.key)):
            found.append(Group(study, phase.key, tuple(trial_rows(_planned(phase, study, records), trials))))
    found.append(Group(study, "scaling", tuple(scaling_rows(records, frozenset(store.spec().get("phases", ()))))))
    found.append(Group(study, "summary", tuple(summary_rows(store))))
    return [group for group in found if group.rows]


def _group(record: Record, records: Mapping[str, Record], store: Store) -> Group:
    rows = trial_rows(about(record), record.trials, record) + cell_rows(record, records)
    return Group(record.study, record.key, tuple(rows), adapter(record, store.path))


def _planned(phase: Phase, study: str, records: Mapping[str, Record]) -> About:
    backbone, parent = records.get(phase.backbone), records.get(phase.parent or "")
    return About(
        study=study,
        key=phase.key,
        kind=phase.kind,
        size=phase.size,
        parameters=backbone.parameters if backbone else None,
        arm=phase.arm,
        task=phase.task,
        seed=phase.seed,
        lineage=(*(parent.lineage if parent else ()), phase.key),
        identity=phase.identity,
    )

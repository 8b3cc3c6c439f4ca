"""What happens around a run: it is written down, MLflow is kept up to date, one phase can be run in the foreground."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from study.guard import FAILED

if TYPE_CHECKING:
    from study.plan import Row
    from study.spec import StudySpec
    from study.store import Store


def remember(study: StudySpec, store: Store, found: list[Row]) -> None:
    """Write down what is asked for: the spec, the command line, and the keys of the plan's rows."""
    ran = {"argv": ["study", *sys.argv[1:]], "phases": [row.phase.key for row in found]}
    store.write_spec({**study.model_dump(mode="json"), **ran})


@contextmanager
def tracked(study: StudySpec, store: Store, rows: list[Row]) -> Iterator[None]:
    """Keep MLflow up to date meanwhile, and until all is written; a run that is stopped does not wait for that.

    A study that is done is mirrored, too, where MLflow was away when it was.
    """
    if not study.tracking.enabled or not _something_to_tell(store, rows):
        yield
        return
    from study.mirror import Mirror

    mirror = Mirror(store, study.tracking.uri, [row.phase for row in rows])
    mirror.start()
    try:
        yield
    except BaseException:
        mirror.stop(flush_seconds=1.0)
        raise
    mirror.stop()


def _something_to_tell(store: Store, rows: list[Row]) -> bool:
    from study.tracking import behind

    return any(row.action == "run" for row in rows) or behind(store)


def run_foreground(
    study: StudySpec, store: Store, found: list[Row], row: Row, lr: float | None, address: str | None
) -> None:
    """One phase in this process; what it needs and is missing is run first, as usual."""
    from study import execute
    from study.foreground import foreground
    from study.plan import with_needs

    phase = row.phase
    wanted = {phase.parent, phase.backbone, phase.tuned_by if lr is None else None} - {phase.key}
    before = with_needs(found, [one for one in found if one.phase.key in wanted])
    if any(one.action == "run" for one in before) and execute.run(study, store, before, address=address, echo=print):
        raise typer.Exit(FAILED)
    foreground(study, store, row, lr, print)

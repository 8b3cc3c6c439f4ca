"""What happens around a run? It is written down, MLflow is kept up to date, and the report ends it; or one phase is run
in the foreground."""

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


def finish(study: StudySpec, store: Store, failed: int, name: str, smoke: bool, json: bool) -> None:
    """Write the report, saying how far it is, and tell where everything is."""
    from study import show
    from study.analysis.trials import overhead, trials
    from study.plan import rows
    from study.progress import bar
    from study.report import write

    with bar(quiet=json) as progress:
        paths = write(store, progress=progress)
    after = rows(study, store)
    done = [store.record(row.phase.key, verify=False) for row in after if row.action == "done"]
    spent = overhead(trials([record for record in done if record]))
    if json:
        show.as_json({"done": len(done), "failed": failed, "overhead_seconds": spent.warm_median, "report": paths})
        return
    print(f"{study.name}: {len(done)} of {len(after)} phases done, {failed} failed")
    if spent.warm_median is not None:
        print(f"overhead of a warm trial (wall minus training): {spent.warm_median:.2f} s, median of {spent.warm}")
    print(f"report: {paths['page']}")
    storage = store.path.rsplit("/", 1)[0]
    print(f"runs in MLflow: study ui {name} --storage {storage}{' --smoke' if smoke else ''}")


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

"""What does a study of ten thousand phases cost in bookkeeping? Plan, records, queue and status, without training.

    python -m tests.benchmarks.ten_thousand          # about two minutes; prints a table of seconds

The phases are those of a real spec on the lab's data; their records are written as a run writes them, one by one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from rich.progress import track

from study import cost, plan
from study.records import Cost, Record
from study.schedule import Clock, Queue, priorities
from study.schedule import cost as cost_of
from study.specfile import load
from study.status import status
from study.store import Store
from trainables.lab import write_root

ARMS, SEEDS, SLOTS = 26, 20, 64


def main() -> None:
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - started

    with tempfile.TemporaryDirectory() as folder:
        spec = load(str(_spec(Path(folder))))
        store = Store(Path(folder, spec.name))
        write_root(store.join("data", f"lab-{spec.data.seed}"), spec.data.seed)
        with timed("plan, nothing done"):
            rows = plan.rows(spec, store)
        with timed("queue and clock over all phases"):
            _walk(rows)
        with timed("writing all records"):
            for row in track(rows, "records"):
                store.write_record(_record(row.phase))
        with timed("plan, all done (every record read and checked)"):
            rows = plan.rows(spec, store)
        with timed("status of that plan"):
            status(spec, store, rows)
            cost.estimate(spec, rows)
        with timed("scan of all records, as a report does"):
            assert len(store.records()) == len(rows)
        assert all(row.action == "done" for row in rows)
    print(f"{len(rows)} phases")
    for name, value in seconds.items():
        print(f"{value:8.2f} s  {1000 * value / len(rows):6.2f} ms a phase  {name}")


def _spec(folder: Path) -> Path:
    arms = {f"a{n}": "siqa" for n in range(ARMS)}
    steps = {"default": 120} | {arm: 100 + n for n, arm in enumerate(arms)}
    spec = {
        "name": "big",
        "ladder": "lab",
        "arms": {"none": None, **arms},
        "seeds": list(range(SEEDS)),
        "training": {"steps": steps},
        "storage": str(folder),
    }
    path = folder / "big.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


def _walk(rows: list[plan.Row]) -> None:
    """As the driver walks it: take what is ready, finish one, say the time to go."""
    costs = {row.phase.key: cost_of(row.phase.config, 4) for row in rows}
    needs = {row.phase.key: tuple(row.phase.needs) for row in rows}
    queue = Queue(needs, priorities(needs, costs))
    clock = Clock(costs, {row.phase.key: f"{row.phase.kind}-{row.phase.size}" for row in rows})
    flying: list[str] = []
    while not queue.over:
        flying += queue.take(SLOTS - len(flying))
        key = flying.pop(0)
        queue.finish(key)
        clock.over(key, 1.0)
        clock.eta(dict.fromkeys(queue.running, 0.5), SLOTS)


def _record(phase: plan.Phase) -> Record:
    now = "2026-01-01T00:00:00+00:00"
    return Record(
        key=phase.key,
        kind=phase.kind,
        study="big",
        ladder="lab",
        size=phase.size,
        parameters=1,
        arm=phase.arm,
        task=phase.task,
        seed=phase.seed,
        identity=phase.identity,
        parent=phase.parent,
        tuned_by=phase.tuned_by,
        cost=Cost(seconds=1.0),
        versions={},
        host="here",
        started=now,
        finished=now,
    )


if __name__ == "__main__":
    main()

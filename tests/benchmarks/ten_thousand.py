"""What does a study of ten thousand phases cost in bookkeeping? Planned, walked on Ray and told, without training.

    python -m tests.benchmarks.ten_thousand --out FILE          # some minutes; `--seeds 4` for a small one

The phases are those of a real spec on the lab's data. The driver walks them on a local Ray; its workers do nothing
(`tests.benchmarks.idle`), but they take the leases and write the checkpoints, scores and records of a real run. While
they are at work another process asks for the status.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import psutil
import typer
import yaml

from study import cost, execute, placement, plan
from study.placement import ANYWHERE, Room
from study.schedule import Clock, Queue, priorities
from study.schedule import cost as cost_of
from study.spec import Compute
from study.specfile import load
from study.status import status
from study.store import Store
from tests.benchmarks import idle
from tests.benchmarks.figures import Figures, keep
from trainables.lab import write_root

ARMS, SEEDS = 2, 200
GPUS = 1000


def main(
    out: Annotated[Path | None, typer.Option(help="Results file to put the figures into.")] = None,
    arms: Annotated[int, typer.Option(help="Besides `none`.", min=1)] = ARMS,
    seeds: Annotated[int, typer.Option(min=1)] = SEEDS,
) -> None:
    """Plan, walk and tell a large study."""
    with tempfile.TemporaryDirectory() as folder:
        keep(out, "ten thousand phases", measured(Path(folder), arms, seeds))


def measured(folder: Path, arms: int, seeds: int) -> Figures:
    """All of it, in an empty folder."""
    seconds: Figures = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        seconds[f"{name} [s]"] = time.perf_counter() - wall
        seconds[f"{name} [s of processor]"] = time.process_time() - processor

    spec = load(str(_spec(folder, arms, seeds)))
    store = Store(folder / spec.name)
    write_root(store.join("data", f"lab-{spec.data.seed}"), spec.data.seed)
    with timed("plan, nothing done"):
        rows = plan.rows(spec, store)
    with timed(f"queue and clock with {GPUS} slots"):
        _walk(rows, GPUS)
    figures = _executed(folder, rows)
    with timed("plan, all done"):
        rows = plan.rows(spec, store)
    with timed("status of that plan"):
        status(spec, store, rows)
        cost.estimate(spec, rows)
    with timed("scan of all records"):
        assert len(store.records()) == len(rows)
    assert all(row.action == "done" for row in rows)
    return {"phases": len(rows), **figures, **seconds}


def _executed(folder: Path, rows: list[plan.Row]) -> Figures:
    """Walk the rows as `study run` does, and watch the driver, which is this process."""
    spec = load(str(folder / "big.yaml"))
    store, me = Store(folder / spec.name), psutil.Process()
    half, asked, begun = len(rows), [], []

    def hear(line: str) -> None:
        if not begun:
            begun.append((time.perf_counter(), time.process_time(), me.memory_info().rss))
        heard.append(line)
        if len(heard) == half:  # two lines for each phase
            asked.append(others.submit(_status_seconds, str(folder)))

    heard: list[str] = []
    asked: list[Future[float]]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as others, idle.workers(seconds=0.0):
        others.submit(_status_seconds, str(folder)).result()  # its imports
        assert execute.run(spec, store, rows, echo=hear) == 0
        wall, processor = time.perf_counter(), time.process_time()
        memory = me.memory_info().rss
        during = asked[0].result()
    start_wall, start_processor, start_memory = begun[0]
    searches = sum(row.phase.tuned_by is None and row.phase.kind in ("intermediate", "target") for row in rows)
    return {
        "phases that search": searches,
        "execute [s]": wall - start_wall,
        "execute [phases/s]": len(rows) / (wall - start_wall),
        "driver [ms of processor a phase]": 1000 * (processor - start_processor) / len(rows),
        "driver's growth [MB]": (memory - start_memory) / 1e6,
        "plan and status meanwhile, another process [s]": during,
    }


def _status_seconds(folder: str) -> float:
    """What `study status` does, without the start of Python."""
    began = time.perf_counter()
    spec = load(os.path.join(folder, "big.yaml"))
    store = Store(os.path.join(folder, spec.name))
    rows = plan.rows(spec, store)
    status(spec, store, rows)
    cost.estimate(spec, rows)
    return time.perf_counter() - began


def _spec(folder: Path, arms: int, seeds: int) -> Path:
    names = {f"a{n}": "siqa" for n in range(arms)}
    steps = {"default": 120} | {arm: 100 + n for n, arm in enumerate(names)}
    spec = {
        "name": "big",
        "ladder": "lab",
        "arms": {"none": None, **names},
        "seeds": list(range(seeds)),
        "training": {"steps": steps},
        "storage": str(folder),
    }
    path = folder / "big.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


def _walk(rows: list[plan.Row], slots: int) -> None:
    """As the driver does it, without Ray: take what is ready, finish one, say the time to go at both."""
    costs = {row.phase.key: cost_of(row.phase.config, 4) for row in rows}
    needs = {row.phase.key: tuple(row.phase.needs) for row in rows}
    room = Room(Compute(slots=slots), {row.phase.size: ANYWHERE for row in rows}, slots={ANYWHERE: slots})
    asks = {row.phase.key: placement.asks(ANYWHERE, led=row.phase.tuned_by is None) for row in rows}
    queue = Queue(needs, priorities(needs, costs), asks=asks)
    clock = Clock(costs, {row.phase.key: f"{row.phase.kind}-{row.phase.size}" for row in rows})
    flying: list[str] = []
    while not queue.over:
        busy = placement.busy((asks[key], 1) for key in flying)
        flying += queue.take(*room.free(busy, queue.left))
        clock.eta(dict.fromkeys(queue.running, 0.5), {ANYWHERE: slots})
        key = flying.pop(0)
        queue.finish(key)
        clock.over(key, 1.0)
        clock.eta(dict.fromkeys(queue.running, 0.5), {ANYWHERE: slots})


if __name__ == "__main__":
    typer.run(main)

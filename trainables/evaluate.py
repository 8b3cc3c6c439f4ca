"""How is one checkpoint scored on (task, language) cells, so that a rerun scores only what is missing?

Each cell leaves two files: its predictions (parquet: id, prediction, gold, hits, predicted, possible, group, which is
one for all examples about the same text, and for questions exact and f1, which hits is the mean of) and then,
atomically and last, its score. A cell whose score file is there is not scored again. The backbone stays loaded; only
adapters change between checkpoints. Which cells are predicted together is `trainables.cells`.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Sequence
from typing import Any

import pandas
import torch

from trainables import retrieval, storage
from trainables.cells import Evaluation, Predicted, predictions
from trainables.config import Adapter, Cell, EvaluationConfig, Places, Runtime
from trainables.data.root import Root
from trainables.encoded import Source, read
from trainables.errors import CheckpointError
from trainables.models import heads
from trainables.models.backbone import load
from trainables.models.network import network
from trainables.results import LanguageScore, Report
from trainables.tasks import get
from trainables.tasks.base import Task
from trainables.tasks.examples import Judgement, score, shared_text


def evaluate(config: EvaluationConfig, places: Places, runtime: Runtime, report: Report) -> list[LanguageScore]:
    """Score every cell that has no score file yet; returns all scores, in the order of the cells.

    `places.parent` is the checkpoint to score, or None for the bare backbone. Raises `DataError` and
    `CheckpointError`.
    """
    torch.set_num_threads(runtime.threads)
    found = {cell: _known(places, cell) for cell in config.cells}
    missing = [cell for cell, known in found.items() if known is None]
    if missing:
        backbone = load(
            places.backbone,
            places.snapshots,
            config.quantization,
            config.attention,
            checksums=places.backbone_files,
        )
        causal = config.attention == "causal"
        wanted = {cell.task: heads.choose(get(cell.task), causal) for cell in missing}
        root = Root(places.root)
        done = 0
        with network(backbone, Adapter(), places.parent, wanted, config.size.family, False, places.parent_files) as net:
            asked = Evaluation(config, places, root, backbone, net, frozenset(missing))
            for task in wanted:
                for one in predictions(asked, get(task)):
                    found[one.cell] = _score(places, root, one)
                    done += 1
                    report({"step": done, "steps": len(missing), "cell": f"{task}/{one.cell.language}"})
        retrieval.clear(places)
    return [found[cell] for cell in config.cells if found[cell] is not None]  # type: ignore[misc]


def _file(places: Places, kind: str, cell: Cell, suffix: str) -> str:
    return storage.join(places.output, kind, f"{cell.task}.{cell.language}.{cell.split}.{suffix}")


def _known(places: Places, cell: Cell) -> LanguageScore | None:
    """The score of an earlier run; None when it, or the predictions it was made from, are absent or damaged."""
    try:
        score = LanguageScore(**storage.read_json(_file(places, "scores", cell, "json")))
        found = storage.checksum(_file(places, "predictions", cell, "parquet"))
    except (FileNotFoundError, ValueError, TypeError, CheckpointError):
        return None
    return score if found == score.details.get("predictions_sha256") else None


def _score(places: Places, root: Root, found: Predicted) -> LanguageScore:
    """Judge the answers of a cell; write its predictions and, last, its score."""
    started, cell = time.perf_counter(), found.cell
    task = get(cell.task)
    judged = [task.judge(example, answer) for example, answer in zip(found.examples, found.answers, strict=True)]
    table = _table(found.examples, judged)
    file = _file(places, "predictions", cell, "parquet")
    storage.write_bytes(file, _parquet(table))
    # What the majority would say is known from the training data; in retrieval there is no such thing.
    train = () if task.head == "retrieve" else read(Source(task.name, root, "train"))
    result = LanguageScore(
        task=cell.task,
        language=cell.language,
        split=cell.split,
        score=score(judged),
        examples=len(found.examples),
        baselines=task.baselines(train, found.examples),
        tokens=found.tokens,
        flops=found.flops,
        details={
            "metric": task.metric,
            "predictions_sha256": storage.checksum(file),
            **{part: 100 * float(table[part].mean()) for part in table.columns[PLAIN_COLUMNS:]},
            **_stand_ins(task, root, cell),
            **found.details,
        },
        seconds=found.seconds + time.perf_counter() - started,
    )
    storage.write_json(_file(places, "scores", cell, "json"), result.model_dump())
    return result


def _stand_ins(task: Task, root: Root, cell: Cell) -> dict[str, str]:
    """What stood in for an absent test or training set, for the report's cautions."""
    test = task.stand_in(root, "test", cell.language) if cell.split == "test" else ""
    train = task.stand_in(root, "train") if not task.direct and task.available(root, "train") else ""
    return {name: told for name, told in (("stand_in", test), ("train_stand_in", train)) if told}


TEXTS = ("prediction", "gold")
COUNTS = ("hits", "predicted", "possible")
PLAIN_COLUMNS = 1 + len(TEXTS) + len(COUNTS) + 1
"""The id, the columns that every task has, and the group; its parts come after them."""


def _table(examples: Sequence[Any], judged: Sequence[Judgement]) -> pandas.DataFrame:
    """One row per example: id, prediction, gold, hits, predicted, possible, group, and the parts of hits."""
    columns: dict[str, list[Any]] = {"id": [_writable(example.id) for example in examples]}
    columns |= {name: [_writable(getattr(one, name)) for one in judged] for name in TEXTS}
    columns |= {name: [getattr(one, name) for one in judged] for name in COUNTS}
    columns["group"] = [_group(shared_text(example)) for example in examples]
    parts = judged[0].parts if judged else ()
    return pandas.DataFrame({**columns, **{part: [one.parts[part] for one in judged] for part in parts}})


def _group(text: str) -> str:
    """The same for the same text; empty for none."""
    return hashlib.sha256(_writable(text).encode()).hexdigest()[:16] if text else ""


def _writable(text: str) -> str:
    """Half a character, as a JSON file may hold, cannot be written: a question mark instead."""
    return text.encode("utf-8", "replace").decode()


def _parquet(frame: pandas.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()

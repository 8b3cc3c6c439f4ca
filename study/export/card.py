"""What should stand beside a submission's numbers? Its card: scores, data, protocol, lineage, and what is missing.

    make(submission, store, root, missing)         # plain data, written as card.json

Everything comes from records, so a card says what was done, not what a spec would do now.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from study import fetched
from study.analysis.benchmark import Average, task_average
from study.export.gather import Scored, Submission
from study.records import Record
from study.store import Store
from trainables.data.root import Root
from trainables.tasks import TASKS

PROTOCOL = ("quantization", "attention", "adapter", "max_length")


def make(submission: Submission, store: Store, root: Root, missing: Sequence[str]) -> dict[str, Any]:
    """The card as plain data; `missing`: one line for each thing that is not there.

    Raises `DataError` when the root's list of what was fetched is damaged.
    """
    scorecard = submission.scorecard
    first = next(iter(submission.targets.values())).record
    records = _lineage(submission, store)
    return {
        "study": first.study,
        "ladder": first.ladder,
        "size": submission.size,
        "parameters": first.parameters,
        "arm": submission.arm,
        "seed": submission.seed,
        "overall": _average(scorecard.overall),
        "groups": {group: _average(average) for group, average in scorecard.groups.items()},
        "tasks": {task: _task(task, scored) for task, scored in submission.targets.items()},
        "missing": list(missing),
        "data": {
            "revisions": fetched.read(root.path).revisions,
            "fingerprints": {record.key: record.identity["data"] for record in records if "data" in record.identity},
        },
        "lineage": {record.key: _phase(record) for record in records},
        "versions": _versions(records),
    }


def _average(average: Average) -> dict[str, Any]:
    score = None if isnan(average.score) else average.score
    return {"score": score, "partial": average.partial, "missing": list(average.missing)}


def _task(task: str, scored: Scored) -> dict[str, Any]:
    """One task: its score over its benchmark's languages, how it was predicted, and every language."""
    points = {code: score.score for code, score in scored.languages.items()}
    average = task_average(points, TASKS[task].benchmark)
    config = scored.record.identity.get("config", {})
    return {
        **_average(average),
        "metric": TASKS[task].metric,
        "evaluation": scored.record.key,
        "lineage": list(scored.record.lineage),
        "protocol": {name: config[name] for name in ("quantization", "attention") if name in config}
        | ({"max_length": lengths[task]} if task in (lengths := config.get("max_length", {})) else {}),
        "languages": {
            code: {
                "score": score.score,
                "examples": score.examples,
                "baselines": score.baselines,
                "details": score.details,
            }
            for code, score in sorted(scored.languages.items())
        },
    }


def _lineage(submission: Submission, store: Store) -> list[Record]:
    """The records of every phase behind the scores, the first ancestors first."""
    found: dict[str, Record] = {}
    for scored in submission.targets.values():
        for key in scored.record.lineage:
            record = scored.record if key == scored.record.key else store.record(key, verify=False)
            if record is not None:
                found.setdefault(key, record)
    order = {"pretrain": 0, "import": 0, "intermediate": 1, "target": 2, "evaluation": 3}
    return sorted(found.values(), key=lambda record: (order[record.kind], record.key))


def _phase(record: Record) -> dict[str, Any]:
    config = record.identity.get("config", {})
    protocol = {name: config[name] for name in (*PROTOCOL, "steps", "batch_size", "tasks") if name in config}
    for name in ("sampling", "text"):
        if config.get(name):
            protocol[name] = {key: value for key, value in config[name].items() if value}
    if shares := record.facts.get("shares"):  # what it trained on: `sampling` goes by size, and text takes its part
        protocol["tasks"] = {name: round(share, 4) for name, share in shares.items()}
    kept = record.checkpoint or record.predictions
    return {
        "kind": record.kind,
        "task": record.task,
        "parent": record.parent,
        "policy": record.policy,
        "learning_rate": record.winner.learning_rate if record.winner else None,
        "tuned_by": record.tuned_by,
        "protocol": protocol,
        "files": kept.files if kept else {},
        "finished": record.finished,
    }


def _versions(records: list[Record]) -> dict[str, list[str]]:
    """{library: every version that a phase ran with}"""
    names = sorted({name for record in records for name in record.versions})
    return {name: sorted({record.versions[name] for record in records if name in record.versions}) for name in names}

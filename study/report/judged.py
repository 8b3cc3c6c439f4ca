"""How does a report read twenty thousand files of predictions again without reading them? One small file per scoring.

What a report needs of an evaluation (per example: id, hits, predicted, possible, group) is kept as one npz under
`report/cache/`, named by the evaluation's key. It holds the fingerprint of the record that it was made for; a file of
another fingerprint, or one that cannot be read, is as good as none: the predictions are read and it is written anew.
The folder can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import pyarrow
from pyarrow import parquet

from study import verified
from study.analysis.basis import DevCell
from study.analysis.frame import NONE, lines, result_cells
from study.analysis.resample import Cell, Judged
from study.progress import Told, silent
from study.records import Record
from study.store import Store
from trainables import storage
from trainables.errors import CheckpointError, StorageError

COLUMNS = ["id", "hits", "predicted", "possible"]
GROUP = "group"
"""Absent from predictions of earlier versions."""
SEPARATOR = "\0"
VERSION = 3
"""Of the layout below; a file of another version is made again."""

LOST = {
    "test": "the cell is left out of gains and intervals",
    "dev": "the noise of these examples is in no retention",
}
Place = tuple[str, str, str]
"""(task, language, split)"""
Ids = dict[bytes, np.ndarray]
"""One array of ids for all scorings of the same examples."""


def predictions(
    store: Store, rows: pd.DataFrame, records: Iterable[Record], progress: Told = silent
) -> tuple[dict[Cell, Judged], dict[DevCell, Judged], tuple[str, ...]]:
    """(judged predictions of the result cells, those of the arms' own tasks on dev, notes) for `frame.scores` rows.

    What cannot be read is left out and noted.
    """
    cells, dev = result_cells(rows), rows[(rows["split"] == "dev") & (rows["arm"] != NONE)]
    scorings = {record.key: record for record in records if record.kind == "evaluation"}
    wanted: dict[str, set[Place]] = defaultdict(set)
    for row in lines(cells):
        wanted[row.key].add((row.target, row.language, "test"))
    for row in lines(dev):
        wanted[row.key].add((row.task, row.language, "dev"))
    ids: Ids = {}
    read = {}
    for done, (key, places) in enumerate(wanted.items()):
        progress("reading predictions", done, len(wanted))
        read[key] = _scoring(store, scorings[key], sorted(places), ids)
    judged = {
        (row.size, row.arm, row.target, row.seed, row.language): found
        for row in lines(cells)
        if (found := read[row.key].get((row.target, row.language, "test"))) is not None
    }
    kept = {
        (row.key, row.task, row.language): found
        for row in lines(dev)
        if (found := read[row.key].get((row.task, row.language, "dev"))) is not None
    }
    notes = [
        f"{_path(store, key, place)}: predictions cannot be read; {LOST[place[2]]}."
        for key, places in wanted.items()
        for place in sorted(places - set(read[key]))
    ]
    return judged, kept, tuple(notes)


def fingerprint(record: Record) -> str:
    """Of what the record says about its predictions."""
    files = record.predictions.files if record.predictions else {}
    text = json.dumps([VERSION, record.key, record.finished, files], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _scoring(store: Store, record: Record, places: list[Place], ids: Ids) -> dict[Place, Judged]:
    """Judged predictions of one evaluation: from its cache file, else from its predictions, which are then kept."""
    cache, mark = storage.join(store.report_folder, "cache", f"{record.key}.npz"), fingerprint(record)
    kept = _unpacked(cache, mark, ids) or {}
    lacking = [place for place in places if place not in kept]  # unreadable ones too: they may have been mended
    new = {place: judged for place in lacking if (judged := _read(store, record, place, ids)) is not None}
    found = {place: judged for place, judged in sorted((kept | new).items(), key=lambda item: item[0])}
    if new:
        storage.write_bytes(cache, _packed(found, mark))
    return found


def _path(store: Store, key: str, place: Place) -> str:
    return store.join("phases", key, "predictions", f"{'.'.join(place)}.parquet")


def _read(store: Store, record: Record, place: Place, ids: Ids) -> Judged | None:
    """None where the file is not what was recorded, or cannot be read."""
    try:
        content = verified.read(_path(store, record.key, place), record.predictions)
        file = parquet.ParquetFile(pyarrow.BufferReader(content))
        there = [*COLUMNS, *([GROUP] if GROUP in file.schema_arrow.names else [])]
        table = file.read(columns=there, use_threads=False)
        names = table["id"].cast(pyarrow.string()).to_pylist()
        numbers = [table[name].to_numpy().astype(float) for name in COLUMNS[1:]]
        groups = _groups(table[GROUP].to_pylist()) if GROUP in there else None
    except (
        OSError,
        ValueError,
        KeyError,
        StorageError,
        CheckpointError,
    ):  # pyarrow's errors are OSErrors and ValueErrors
        return None
    if not all(np.isfinite(column).all() for column in numbers):
        return None  # an answer that was not judged is not a wrong one
    hits, predicted, possible = numbers
    return Judged(_shared(SEPARATOR.join(map(str, names)).encode(), ids), hits, predicted, possible, groups)


def _groups(names: list[str]) -> np.ndarray | None:
    """Numbers in place of names; an example without a group has one of its own. None when no example has one."""
    if not any(names):
        return None
    return pd.factorize(np.array([name or f"alone {row}" for row, name in enumerate(names)], dtype=object))[0]


def _shared(joined: bytes, ids: Ids) -> np.ndarray:
    if joined not in ids:
        ids[joined] = np.array(joined.decode().split(SEPARATOR) if joined else [], dtype=object)
    return ids[joined]


def _packed(found: Mapping[Place, Judged], mark: str) -> bytes:
    """Names and lengths as text; ids as bytes; hits, predicted, possible and groups of all places, (4, examples)."""
    joined = [SEPARATOR.join(judged.ids).encode() for judged in found.values()]
    heading = {
        "mark": mark,
        "places": [
            [*place, len(judged.ids), len(text), judged.groups is not None]
            for (place, judged), text in zip(found.items(), joined, strict=True)
        ],
    }
    numbers = [
        np.stack([one.hits, one.predicted, one.possible, np.zeros(len(one.ids)) if one.groups is None else one.groups])
        for one in found.values()
    ]
    data = io.BytesIO()
    np.savez_compressed(
        data,
        heading=np.frombuffer(json.dumps(heading).encode(), dtype=np.uint8),
        ids=np.frombuffer(b"".join(joined), dtype=np.uint8),
        numbers=np.concatenate(numbers, axis=1) if numbers else np.zeros((4, 0)),
    )
    return data.getvalue()


def _unpacked(path: str, mark: str, ids: Ids) -> dict[Place, Judged] | None:
    """None when there is no such file, when it is damaged, or when it was made for another record."""
    try:
        with np.load(io.BytesIO(storage.read_bytes(path)), allow_pickle=False) as kept:
            heading = json.loads(kept["heading"].tobytes())
            if heading["mark"] != mark:
                return None
            text, numbers = kept["ids"].tobytes(), kept["numbers"]
        found: dict[Place, Judged] = {}
        start = letter = 0
        for task, language, split, count, length, grouped in heading["places"]:
            hits, predicted, possible, groups = numbers[:, start : start + count]
            names = _shared(text[letter : letter + length], ids)
            texts = groups.astype(np.int32) if grouped else None
            found[(task, language, split)] = Judged(names, hits, predicted, possible, texts)
            start, letter = start + count, letter + length
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error, StorageError):
        return None
    return found

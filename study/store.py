"""Where does everything a study knows lie, and when is a phase done?

One study is one folder on any fsspec path. A phase is done if and only if its `record.json` is there, parses and
the checksums it lists hold; everything else in the folder can be made again.

    store = Store("runs/lab")
    record, reason = store.check("pretrain-xs-0123456789")     # (None, "no record yet") before it ran
    store.write_record(record)                                  # atomic, and always the last write of a phase

    spec.json                       the spec of the last run, its command line and the keys of its phases
    data/lab-<seed>/                generated lab data       report/  mlflow/
    phases/<key>/record.json        + lease.json, progress.json, log.txt, failure.json
    phases/<key>/trials/<n>.json    a finished trial; trials/<n>/ is that trial's output folder
    phases/<key>/checkpoint/        the winner; scores/ and predictions/ for an evaluation; + <folder>.verified-<digest>

Beside the studies lies what they share: models/ (published ones, as fetched), snapshots/ (quantised backbones,
tokenised data; named by content), data/hub/ and calibrations/.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from study import verified
from study.records import Checkpoint, Record, Trial
from trainables import listing, many, storage
from trainables.errors import CheckpointError, SpecError, StorageError

NO_RECORD = "no record yet"
PATTERN = frozenset("*?[")
"""In an address these would match the folders of others, also where one of ours is to be removed."""
READERS = 8
"""Phases whose files are read at the same time; a client of an object store holds some 50 MB of each."""


class Store:
    """The folder of one study. Cheap to make: nothing is read or written until asked. Raises `StorageError` for an
    address that would be taken for a pattern."""

    def __init__(self, path: str | Path) -> None:
        text = str(path)
        if "://" in text and (found := sorted(PATTERN & set(text))):
            what = f"holds {found[0]!r}, which clients of object stores take for a pattern"
            raise StorageError(f"{text}: {what}; choose another --storage")
        self.path = os.path.abspath(text) if "://" not in text else text.rstrip("/")

    def join(self, *parts: str) -> str:
        """Path of something inside the study's folder."""
        return storage.join(self.path, *parts)

    def phase_folder(self, key: str) -> str:
        return self.join("phases", key)

    def checkpoint_folder(self, key: str) -> str:
        return self.join("phases", key, "checkpoint")

    def trial_folder(self, key: str, number: int) -> str:
        """Output folder of one trial: checkpoint/ and resume/."""
        return self.join("phases", key, "trials", str(number))

    def shared(self, name: str) -> str:
        """Folder beside the studies of a storage, which they share (see `study.spec.SHARED`)."""
        return storage.join(self.path.rsplit("/", 1)[0], name)

    @property
    def snapshots(self) -> str:
        return self.shared("snapshots")

    @property
    def report_folder(self) -> str:
        return self.join("report")

    # Records

    def check(self, key: str, verify: bool = True) -> tuple[Record | None, str]:
        """(record, "") when the phase is done, else (None, why not: one line). Never raises for a broken record."""
        return self.check_many([key], verify)[key]

    def check_many(self, keys: Iterable[str], verify: bool = True) -> dict[str, tuple[Record | None, str]]:
        """`check` of each key, in their order; a remote storage is asked for many records at the same time. Of the
        files that records vouch for only those are read that nobody has read since they were written."""
        paths = {key: self._record(key) for key in keys}
        contents = many.read(list(paths.values()))
        judged = {key: self._judge(key, contents[path]) for key, path in paths.items()}
        good = [record for record, _ in judged.values() if record]
        if verify and good:
            judged |= {key: (None, problem) for key, problem in self._damaged(good).items()}
        return judged

    def _record(self, key: str) -> str:
        return self.join("phases", key, "record.json")

    def _judge(self, key: str, content: bytes | None) -> tuple[Record | None, str]:
        """What the record itself says, without its files."""
        path = self._record(key)
        if content is None:
            return None, NO_RECORD
        try:
            record = Record.model_validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            if first["type"] == "json_invalid":
                return None, f"record cannot be read: {path}"
            where = ".".join(map(str, first["loc"])) or "record"
            return None, f"record is not valid ({where}): {path}"
        if record.key != key:
            return None, f"record is of another phase ({record.key}): {path}"
        return record, ""

    def _damaged(self, records: list[Record]) -> dict[str, str]:
        """{key: why the files that its record vouches for are not what it says}."""
        # Listed after the records were read: what they name was there before them.
        look = listing.looking(self.path, "phases" if len(records) > 1 else f"phases/{records[0].key}")
        unseen = {record.key: found for record in records if (found := verified.unseen(record, look))}
        check = partial(self._damage, look)
        with ThreadPoolExecutor(READERS) as pool:
            said = dict(zip(unseen, pool.map(check, unseen.values()), strict=True))
        return {key: problem for key, problem in said.items() if problem}

    def _damage(self, look: listing.Look, unseen: list[Checkpoint]) -> str:
        return next((said for kept in unseen if (said := verified.damage(self.path, kept, look))), "")

    def doubt(self, key: str) -> None:
        """Files of a finished phase were not what its record says: the next `check` reads them."""
        with suppress(StorageError):
            verified.doubt(self.phase_folder(key))

    def record(self, key: str, verify: bool = True) -> Record | None:
        """The record of a finished phase; None when there is none or it does not hold (`check` says why)."""
        return self.check(key, verify)[0]

    def scan(self, verify: bool = False) -> tuple[list[Record], dict[str, str]]:
        """(all good records sorted by key, {key: reason} of the broken ones)."""
        good, broken = [], {}
        for key, (record, reason) in self.check_many(storage.names(self.join("phases")), verify).items():
            if record is not None:
                good.append(record)
            elif reason != NO_RECORD:
                broken[key] = reason
        return good, broken

    def records(self) -> list[Record]:
        """All good records sorted by key. Broken ones are left out; `scan` names them."""
        return self.scan()[0]

    def write_record(self, record: Record) -> None:
        """Publish a finished phase: the last write of a phase. Clears its failure and its progress, where that can be
        done: nobody reads them beside a record."""
        storage.write_json(self._record(record.key), record.model_dump(mode="json"))
        with suppress(StorageError):
            self.clear(record.key)

    # Trials, progress, failures

    def write_trial(self, key: str, trial: Trial) -> None:
        storage.write_json(self.join("phases", key, "trials", f"{trial.number}.json"), trial.model_dump(mode="json"))

    def trials(self, key: str) -> list[Trial]:
        """Finished trials by number. Unreadable ones are left out: they are simply run again."""
        folder = self.join("phases", key, "trials")
        found = []
        for name in storage.names(folder):
            if not name.endswith(".json"):
                continue
            try:
                found.append(Trial.model_validate(storage.read_json(storage.join(folder, name))))
            except (CheckpointError, ValidationError, FileNotFoundError):
                continue
        return sorted(found, key=lambda trial: trial.number)

    def write_progress(self, key: str, value: dict[str, Any]) -> None:
        storage.write_json(self.join("phases", key, "progress.json"), value)

    def progress(self, key: str) -> dict[str, Any]:
        """What the running phase last said; empty when it said nothing."""
        return self.said([key], "progress.json")[key]

    def write_failure(self, key: str, line: str) -> None:
        """Keep why a phase failed. Only the first line is kept: the rest belongs into log.txt."""
        first = (line.strip().splitlines() or ["unknown failure"])[0]
        storage.write_json(self.join("phases", key, "failure.json"), {"line": first})

    def failure(self, key: str) -> str:
        """Why the phase last failed; empty when it did not."""
        return str(self.said([key], "failure.json")[key].get("line", ""))

    def clear(self, key: str) -> None:
        """Forget failure and progress of a phase."""
        for name in ("failure.json", "progress.json"):
            storage.remove(self.join("phases", key, name))

    def said(self, keys: Iterable[str], name: str) -> dict[str, dict[str, Any]]:
        """{key: content of a small file of that phase}, many at the same time; empty where it cannot be read."""
        paths = {key: self.join("phases", key, name) for key in keys}
        contents = many.read(list(paths.values()))
        return {key: _mapping(contents[path]) for key, path in paths.items()}

    # The study itself

    def write_spec(self, spec: dict[str, Any]) -> None:
        storage.write_json(self.join("spec.json"), spec)

    def spec(self) -> dict[str, Any]:
        """The spec of the last run as plain data; empty when nothing ran yet or it cannot be read."""
        try:
            value = storage.read_json(self.join("spec.json"))
        except (FileNotFoundError, CheckpointError):
            return {}
        return value if isinstance(value, dict) else {}

    def check_there(self) -> None:
        """Raise `StorageError` where no study was ever started: a mistyped name or storage."""
        if not self.spec() and not storage.names(self.join("phases")):
            raise StorageError(f"{self.path}: no study is there; check its name and --storage, or `study run` it first")

    def check_writable(self) -> None:
        """Write and remove a small file, of one name: what a killed process left goes too. Raises `StorageError` when
        the storage refuses."""
        probe = self.join(".writable")
        storage.write_bytes(probe, b"x" * 4096)
        storage.remove(probe)


def check_shared(what: str, path: str, where: str) -> None:
    """Raises `SpecError` for a path that means another folder on every node, and in every job."""
    if "://" not in path and not os.path.isabs(path):
        raise SpecError(f"{what}: {path!r} is relative; {where} give an absolute path or an address")


def _mapping(content: bytes | None) -> dict[str, Any]:
    if content is None:
        return {}
    try:
        value = json.loads(content)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

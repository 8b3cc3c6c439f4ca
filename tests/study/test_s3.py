"""Of a real S3 server only: many records are read side by side, and a server that is gone is one line.

What every kind of storage must do is in test_storage_kinds.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from study import plan
from study.store import Store
from tests.s3_server import serving
from tests.study.planned import finish, spec_on
from trainables import storage
from trainables.errors import StorageError

RECORDS = 300


def test_many_records_are_read_side_by_side(tmp_path: Path, lab_root: Path) -> None:
    with serving() as bucket:
        _many_records(f"{bucket}/{tmp_path.name}", lab_root)


def _many_records(base: str, lab_root: Path) -> None:
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    store = Store(f"{base}/many")
    record = finish(store, plan.build(spec_on(lab_root), store)[0])
    folder = store.join("phases").removeprefix("s3://bucket/")
    for number in range(RECORDS):  # into the server's memory: writing is not what is tested
        other = record.model_copy(update={"key": f"{record.key}-{number}"})
        content = other.model_dump_json().encode()
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object("bucket", f"{folder}/{other.key}/record.json", content)
    good, broken = store.scan()
    assert len(good) == RECORDS + 1 and broken == {}
    assert [one.key for one in good] == sorted(one.key for one in good)


def test_a_server_that_is_gone_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as other:
        storage.write_json(f"{other}/gone/a.json", {})
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    with pytest.raises(StorageError) as error:
        Store(f"{other}/gone").check_writable()
    assert "Could not connect" in str(error.value) and "\n" not in str(error.value)

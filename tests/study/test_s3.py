"""Storage, store and leases on a real S3 server: others' writes are seen, one driver wins, errors are one line."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from study import plan
from study.lease import Lease, LeaseHeld, holder
from study.store import NO_RECORD, Store
from tests.s3_server import put_behind, serving
from tests.study.planned import finish, spec_on
from trainables import storage
from trainables.errors import CheckpointError, StorageError

RECORDS = 500
LEASES = 6


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def base(bucket: str, tmp_path: Path) -> str:
    """A place of the test's own."""
    return f"{bucket}/{tmp_path.name}"


def test_files_come_and_go(base: str) -> None:
    storage.write_json(f"{base}/a/x.json", {"a": 1})
    assert storage.read_json(f"{base}/a/x.json") == {"a": 1}
    assert storage.names(f"{base}/a") == ["x.json"] and storage.exists(f"{base}/a")
    storage.remove(f"{base}/a")
    storage.remove(f"{base}/a")
    assert not storage.exists(f"{base}/a") and storage.names(f"{base}/a") == []
    with pytest.raises(FileNotFoundError):
        storage.read_bytes(f"{base}/a/x.json")


def test_what_others_write_is_seen_at_once(base: str) -> None:
    path = f"{base}/phases/a.json"
    storage.write_json(path, 1)
    assert storage.names(f"{base}/phases") == ["a.json"] and not storage.exists(f"{base}/phases/b.json")
    fs, target = storage.filesystem(path)
    before = fs.ukey(target)
    put_behind(f"{base}/phases/b.json", b"2")
    put_behind(path, b"3")
    assert storage.names(f"{base}/phases") == ["a.json", "b.json"]
    assert (storage.read_json(path), storage.read_json(f"{base}/phases/b.json")) == (3, 2)
    assert fs.ukey(target) != before, "else a changed file would count as verified"


def test_a_published_folder_replaces_what_was_there(base: str) -> None:
    for content in ({"old": "1", "sub/same": "2"}, {"sub/same": "3", "new": "4"}):
        with storage.publish(f"{base}/checkpoint") as here:
            for name, text in content.items():
                Path(here, name).parent.mkdir(exist_ok=True)
                Path(here, name).write_text(text)
    sums = storage.checksums(f"{base}/checkpoint")
    assert sorted(sums) == ["new", "sub/same"]
    storage.verify(f"{base}/checkpoint", sums)
    with storage.local_copy(f"{base}/checkpoint") as here:
        assert Path(here, "sub", "same").read_text() == "3"
    with pytest.raises(CheckpointError, match="missing"):
        storage.verify(f"{base}/checkpoint", {"old": "0" * 64})


def test_a_large_file_is_moved_in(base: str, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 6_000_000)
    storage.move_in(str(tmp_path / "large"), f"{base}/large")
    assert len(storage.read_bytes(f"{base}/large")) == 6_000_000 and not (tmp_path / "large").exists()


def test_of_two_who_create_one_succeeds(base: str) -> None:
    assert storage.create(f"{base}/claim", b"mine")
    assert not storage.create(f"{base}/claim", b"yours")
    assert storage.read_bytes(f"{base}/claim") == b"mine"


def test_records_and_predictions(base: str, lab_root: Path) -> None:
    store = Store(f"{base}/tiny")
    store.check_writable()
    assert store.check("pretrain-xs-0000000000") == (None, NO_RECORD)
    record = finish(store, plan.build(spec_on(lab_root), store)[0])
    assert store.check(record.key) == (record, "")
    store.write_failure(record.key, "no")
    store.clear(record.key)
    assert store.failure(record.key) == ""
    put_behind(f"{store.checkpoint_folder(record.key)}/adapter/weights.bin", b"other")
    assert "checksum differs" in store.check(record.key)[1]
    put_behind(f"{store.phase_folder(record.key)}/record.json", b'{"key"')
    assert "record cannot be read" in store.check(record.key)[1]


def test_many_records_are_read_side_by_side(base: str, lab_root: Path) -> None:
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


RACE = """
import sys, time
from study.lease import Lease, LeaseHeld
from study.store import Store

store, start, count = Store(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
won = []
for number in range(count):
    time.sleep(max(0.0, start + 2.0 * number - time.time()))
    try:
        with Lease(store, f"k{number}") as lease:
            won.append(f"k{number}")
            time.sleep(0.9)
            assert not lease.lost
    except LeaseHeld:
        pass
print(*won)
"""


@pytest.mark.slow
def test_of_two_racing_drivers_exactly_one_gets_each_phase(base: str) -> None:
    """Half of the leases are free, half are stale ones of a process that is gone."""
    store = Store(f"{base}/race")
    for number in range(0, LEASES, 2):
        stale = {"owner": "gone", "host": socket.gethostname(), "pid": 1, "started": -1.0}
        storage.write_json(store.join("phases", f"k{number}", "lease.json"), stale)
    command = [sys.executable, "-c", RACE, store.path, str(time.time() + 6.0), str(LEASES)]
    drivers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    won = Counter(key for driver in drivers for key in driver.communicate(timeout=120)[0].split())
    assert [driver.returncode for driver in drivers] == [0, 0]
    assert won == {f"k{number}": 1 for number in range(LEASES)}


def test_a_lease_taken_over_is_noticed(base: str) -> None:
    store = Store(f"{base}/leases")
    with Lease(store, "k", ttl=30.0, beat=0.1) as lease:
        with pytest.raises(LeaseHeld, match="being run by process"), Lease(store, "k"):
            pass
        put_behind(lease.path, json.dumps({"owner": "other"}).encode())
        assert lease._lost.wait(10.0)
    assert holder(lease.path)["owner"] == "other", "the other's lease is not given back by us"


@pytest.mark.parametrize("call", [lambda path: storage.write_json(path, {}), lambda path: storage.create(path, b"")])
def test_a_bucket_that_is_not_there_is_one_line(bucket: str, call: Callable[[str], object]) -> None:
    with pytest.raises(
        StorageError, match="cannot write s3://no-such-bucket/a.json: The specified bucket does not"
    ) as error:
        call("s3://no-such-bucket/a.json")
    assert "\n" not in str(error.value) and "credentials" in str(error.value)


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

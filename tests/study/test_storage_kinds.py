"""What every storage must do, on each kind: files, folders, one winner of a race, leases, and others' writes seen.

Local disk; a real S3 server (moto) and an emulator of Google Cloud Storage, both on loopback; memory. The emulator runs
twice: with the condition that Google's puts know, and without, which is any server that ignores it.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from study import plan
from study.lease import Lease, LeaseHeld, holder
from study.store import NO_RECORD, Store
from tests import gs_server, s3_server
from tests.study.planned import finish, spec_on
from trainables import conditional, many, storage
from trainables.errors import CheckpointError, StorageError

KINDS = ("local", "s3", "gs", "gs without conditions", "memory")
SHARED = KINDS[:-1]
"""Those that two processes can reach."""
LEASES = 4


@dataclass(frozen=True)
class Place:
    """A storage, and how somebody else writes into it."""

    kind: str
    base: str
    behind: Callable[[str, bytes], None]


@pytest.fixture(scope="module", params=KINDS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    kind = request.param
    with ExitStack() as stack:
        if kind == "local":
            yield Place(kind, str(tmp_path_factory.mktemp("storage")), write_behind)
        elif kind == "memory":
            yield Place(kind, "memory://kinds", storage.write_bytes)
        elif kind == "s3":
            yield Place(kind, stack.enter_context(s3_server.serving()), s3_server.put_behind)
        else:
            yield Place(kind, stack.enter_context(gs_server.serving(conditions=kind == "gs")), gs_server.put_behind)


@pytest.fixture
def place(served: Place, tmp_path: Path) -> Place:
    """A folder of the test's own in it."""
    return Place(served.kind, f"{served.base}/{tmp_path.name}", served.behind)


def write_behind(path: str, data: bytes) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(data)


def test_files_come_and_go(place: Place) -> None:
    base = place.base
    storage.write_json(f"{base}/a/x.json", {"a": 1})
    assert storage.read_json(f"{base}/a/x.json") == {"a": 1}
    assert storage.names(f"{base}/a") == ["x.json"] and storage.exists(f"{base}/a")
    storage.remove(f"{base}/a")
    storage.remove(f"{base}/a")
    assert not storage.exists(f"{base}/a") and storage.names(f"{base}/a") == []
    with pytest.raises(FileNotFoundError):
        storage.read_bytes(f"{base}/a/x.json")
    found = many.read([f"{base}/a/x.json", f"{base}/a/y.json"])
    assert list(found.values()) == [None] * 2


def test_many_files_are_asked_for_their_time_as_one_is(place: Place) -> None:
    paths = [f"{place.base}/{name}.json" for name in "abc"]
    for path in paths[:2]:
        storage.write_json(path, 1)
    assert many.modified(paths) == {**{path: storage.modified(path) for path in paths[:2]}, paths[2]: None}
    assert many.modified([]) == {}


def test_what_others_write_is_seen_at_once(place: Place) -> None:
    path = f"{place.base}/phases/a.json"
    storage.write_json(path, 1)
    assert storage.names(f"{place.base}/phases") == ["a.json"] and not storage.exists(f"{place.base}/phases/b.json")
    fs, target = storage.filesystem(path)
    before = fs.ukey(target)
    place.behind(f"{place.base}/phases/b.json", b"2")
    place.behind(path, b"33")
    assert storage.names(f"{place.base}/phases") == ["a.json", "b.json"]
    assert (storage.read_json(path), storage.read_json(f"{place.base}/phases/b.json")) == (33, 2)
    assert fs.ukey(target) != before, "else a changed file would count as verified"


def test_a_published_folder_replaces_what_was_there(place: Place) -> None:
    folder = f"{place.base}/checkpoint"
    for content in ({"old": "1", "sub/same": "2"}, {"sub/same": "3", "new": "4"}):
        with storage.publish(folder) as here:
            for name, text in content.items():
                Path(here, name).parent.mkdir(exist_ok=True)
                Path(here, name).write_text(text)
    with pytest.raises(ZeroDivisionError), storage.publish(folder) as here:
        Path(here, "half").write_text("x")
        raise ZeroDivisionError
    sums = storage.checksums(folder)
    assert sorted(sums) == ["new", "sub/same"]
    storage.verify(folder, sums)
    with storage.local_copy(folder) as here:
        assert Path(here, "sub", "same").read_text() == "3"
    with pytest.raises(CheckpointError, match="missing"):
        storage.verify(folder, {"old": "0" * 64})


def test_a_large_file_is_moved_in(place: Place, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 6_000_000)
    storage.move_in(str(tmp_path / "large"), f"{place.base}/large")
    assert len(storage.read_bytes(f"{place.base}/large")) == 6_000_000 and not (tmp_path / "large").exists()


def test_of_two_who_create_one_succeeds(place: Place) -> None:
    storage.write_json(f"{place.base}/else.json", 0)
    assert storage.create(f"{place.base}/claim", b"mine")
    second = storage.create(f"{place.base}/claim", b"yours")
    if place.kind == "gs without conditions":
        assert second, "this server overwrites: leases settle it by looking again"
        return
    assert not second and storage.read_bytes(f"{place.base}/claim") == b"mine"


def test_records_and_checkpoints(place: Place, lab_root: Path) -> None:
    store = Store(f"{place.base}/tiny")
    store.check_writable()
    assert store.check("pretrain-xs-0000000000") == (None, NO_RECORD)
    record = finish(store, plan.build(spec_on(lab_root), store)[0])
    assert store.check(record.key) == (record, "")
    assert store.scan(verify=True) == ([record], {})
    store.write_failure(record.key, "no")
    store.clear(record.key)
    assert store.failure(record.key) == ""
    place.behind(f"{store.checkpoint_folder(record.key)}/adapter/weights.bin", b"other")
    assert "checksum differs" in store.check(record.key)[1]
    place.behind(f"{store.phase_folder(record.key)}/record.json", b'{"key"')
    assert "record cannot be read" in store.check(record.key)[1]


@pytest.mark.parametrize("harm", ["another file", "a longer file", "no file", "another record", "half a record"])
def test_what_happens_to_a_finished_phase_is_noticed_by_one_listing(place: Place, lab_root: Path, harm: str) -> None:
    store = Store(f"{place.base}/tiny")
    first, other = (finish(store, phase) for phase in plan.build(spec_on(lab_root), store)[:2])
    assert store.scan(verify=True) == (sorted([first, other], key=lambda one: one.key), {})
    weights = f"{store.checkpoint_folder(first.key)}/adapter/weights.bin"
    record = f"{store.phase_folder(first.key)}/record.json"
    told = json.loads(storage.read_bytes(record))
    told["checkpoint"]["files"] = {"adapter/weights.bin": "0" * 64}
    if harm == "no file":
        storage.remove(weights)
    else:
        path, content, said = {
            "another file": (weights, b"WEIGHTS", "checksum differs"),
            "a longer file": (weights, b"weights and more", "checksum differs"),
            "another record": (record, json.dumps(told).encode(), "checksum differs"),
            "half a record": (record, b'{"key": ', "record cannot be read"),
        }[harm]
        place.behind(path, content)
    good, broken = store.scan(verify=True)
    assert good == [other] and list(broken) == [first.key]
    assert (said if harm != "no file" else "a recorded file is missing") in broken[first.key]
    assert store.check(first.key)[1] == broken[first.key]


RACE = """
import sys
from study.lease import Lease, LeaseHeld
from study.store import Store

store = Store(sys.argv[1])
store.spec()  # the client is made and has connected
print("ready", flush=True)
for key in iter(sys.stdin.readline, ""):
    try:
        with Lease(store, key.strip()) as lease:
            print("won", flush=True)
            sys.stdin.readline()  # both have answered
            assert not lease.lost
    except LeaseHeld:
        print("held", flush=True)
        sys.stdin.readline()
"""


@pytest.mark.slow
@pytest.mark.parametrize("served", SHARED, indirect=True)
def test_of_two_racing_drivers_exactly_one_gets_each_phase(place: Place) -> None:
    """Half of the leases are free, half are stale ones of a process that is gone."""
    store = Store(f"{place.base}/race")
    for number in range(0, LEASES, 2):
        stale = {"owner": "gone", "host": socket.gethostname(), "pid": 1, "started": -1.0}
        storage.write_json(store.join("phases", f"k{number}", "lease.json"), stale)
    command = [sys.executable, "-c", RACE, store.path]
    pipe = subprocess.PIPE
    with ExitStack() as stack:
        drivers = [stack.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)) for _ in range(2)]
        assert _answers(drivers) == ["ready"] * 2
        for number in range(LEASES):
            _tell(drivers, f"k{number}")
            assert _answers(drivers) == ["held", "won"], f"k{number}"
            _tell(drivers, "go on")
    assert [driver.returncode for driver in drivers] == [0, 0]


def _tell(drivers: list[subprocess.Popen[str]], line: str) -> None:
    for driver in drivers:
        assert driver.stdin is not None
        driver.stdin.write(f"{line}\n")
        driver.stdin.flush()


def _answers(drivers: list[subprocess.Popen[str]]) -> list[str]:
    return sorted(driver.stdout.readline().strip() for driver in drivers if driver.stdout is not None)


def test_a_lease_taken_over_is_noticed(place: Place) -> None:
    store = Store(f"{place.base}/leases")
    with Lease(store, "k", ttl=30.0, beat=0.1) as lease:
        with pytest.raises(LeaseHeld, match="being run by process"), Lease(store, "k"):
            pass
        for _ in range(10):  # without locks a beat that is under way may just be written over it
            with lease._exclusive():
                place.behind(lease.path, json.dumps({"owner": "other"}).encode())
            if lease._lost.wait(2.0):
                break
        assert lease._lost.is_set()
    assert holder(lease.path)["owner"] == "other", "the other's lease is not given back by us"


CONDITIONS = pytest.mark.parametrize("served", ["s3", "gs"], indirect=True)
OTHER = json.dumps({"owner": "other", "host": "elsewhere", "pid": 1}).encode()


@CONDITIONS
def test_only_what_was_seen_is_replaced_or_removed(place: Place) -> None:
    path = f"{place.base}/claim"
    assert conditional.version(path) == ""
    storage.write_bytes(path, b"1")
    first = conditional.version(path)
    second = conditional.replace(path, b"2", first)
    assert second == conditional.version(path) != first
    assert conditional.replace(path, b"late", first) is None
    conditional.remove(path, first)
    assert storage.read_bytes(path) == b"2"
    conditional.remove(path, second or "")
    assert not storage.exists(path)
    assert conditional.replace(path, b"late", first) is None and not storage.exists(path)
    conditional.remove(path, first)


@pytest.mark.parametrize("served", ["s3"], indirect=True)
def test_a_server_that_says_that_it_knows_no_conditions_is_written_to_as_ever(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.s3.exceptions import S3ClientError
    from moto.s3.responses import S3Response

    def refusing(real: Callable[[S3Response], object]) -> Callable[[S3Response], object]:
        def answer(self: S3Response) -> object:
            if self.headers.get("If-Match"):
                refused = S3ClientError("NotImplemented", "A header you provided implies functionality")
                refused.code = 501
                raise refused
            return real(self)

        return answer

    for name in ("put_object", "delete_object"):
        monkeypatch.setattr(S3Response, name, refusing(getattr(S3Response, name)))
    path = f"{place.base}/claim"
    storage.write_bytes(path, b"1")
    assert conditional.replace(path, b"2", conditional.version(path)) == conditional.version(path)
    assert storage.read_bytes(path) == b"2"
    conditional.remove(path, "any")
    assert not storage.exists(path)


@CONDITIONS
@pytest.mark.parametrize("late", [Lease.renew, lambda lease: lease.__exit__(None, None, None)])
def test_a_beat_and_a_return_that_come_late_do_not_undo_a_take_over(
    place: Place, monkeypatch: pytest.MonkeyPatch, late: Callable[[Lease], None]
) -> None:
    """The process is suspended after it has seen that the lease is its own, for longer than a lease lasts."""
    lease = Lease(Store(f"{place.base}/late"), "k", beat=3600.0)
    with lease:
        real = lease._ours

        def suspended() -> bool:
            monkeypatch.setattr(lease, "_ours", real)
            was = real()
            place.behind(lease.path, OTHER)
            return was

        monkeypatch.setattr(lease, "_ours", suspended)
        late(lease)
        assert lease.lost and holder(lease.path)["owner"] == "other"
    assert holder(lease.path)["owner"] == "other"


@CONDITIONS
def test_a_take_over_that_comes_late_does_not_take_from_the_living(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at a stale lease and the put the holder beats again, or another driver takes it."""
    store = Store(f"{place.base}/take-over")
    with Lease(store, "k", beat=3600.0) as living:

        def stale(*_: object) -> bool:
            living.renew()
            return True

        monkeypatch.setattr("study.lease.stale", stale)
        with pytest.raises(LeaseHeld, match="another driver took it at the same moment"), Lease(store, "k"):
            pass
        assert not living.lost


@CONDITIONS
def test_a_beat_whose_answer_was_lost_loses_no_lease(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with Lease(Store(f"{place.base}/answers"), "k", beat=3600.0) as lease:
        before, real = lease._version, conditional.replace

        def unanswered(path: str, data: bytes, seen: str) -> str | None:
            real(path, data, seen)
            raise StorageError("no answer")

        monkeypatch.setattr(conditional, "replace", unanswered)
        with pytest.raises(StorageError):
            lease.renew()
        monkeypatch.setattr(conditional, "replace", real)
        lease.renew()
        assert not lease.lost and conditional.version(lease.path) == lease._version != before


@CONDITIONS
@pytest.mark.parametrize("call", [lambda path: storage.write_json(path, {}), lambda path: storage.create(path, b"")])
def test_a_bucket_that_is_not_there_is_one_line(served: Place, call: Callable[[str], object]) -> None:
    path = f"{served.kind}://no-such-bucket/a.json"
    with pytest.raises(StorageError, match=f"cannot write {path}: (The specified bucket does not|not found)") as error:
        call(path)
    assert "\n" not in str(error.value) and "credentials" in str(error.value)

"""A machine fetches a base once, and what it loads is what was recorded, whatever happens to the copy."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import zoo
from tests.contracts.walk import digest
from tests.s3_server import serving
from trainables import machine, storage
from trainables.errors import CheckpointError, StorageError
from trainables.models import backbone, nearby
from trainables.models.basefiles import FACTS, Base

CONTENT = {"config.json": b"{}", "model.safetensors": b"weights" * 1000, "words/tokenizer.json": b"words"}
SIZE = sum(map(len, CONTENT.values()))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of copies, empty and the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"study-{os.getuid()}-bases"


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[str]:
    """Storage that is not on this machine's disk."""
    yield f"memory://nearby/{tmp_path.name}"
    storage.remove("memory://nearby")


def stored(bucket: str, name: str = "nf4-1") -> Base:
    for file, content in CONTENT.items():
        storage.write_bytes(f"{bucket}/{name}/{file}", content + name.encode())
    hashed = {file: hashlib.sha256(content + name.encode()).hexdigest() for file, content in CONTENT.items()}
    return Base(f"{bucket}/{name}", {file: hashed[file] for file in ("config.json", "model.safetensors")})


def content_of(here: str, base: Base) -> bool:
    """Whether a folder holds what was stored."""
    name = base.folder.rsplit("/", 1)[-1].encode()
    return all(Path(here, file).read_bytes() == content + name for file, content in CONTENT.items())


def fetched(base: Base) -> str:
    with nearby.files(base) as here:
        assert content_of(here, base)
    return here


def copies(home: Path) -> list[str]:
    return sorted(path.name.rsplit("-", 1)[0] for path in home.iterdir() if path.suffix != ".lock")


PROCESS = """
import sys
from trainables.models import nearby
from trainables.models.basefiles import Base
base = Base(sys.argv[1], dict(pair.split("=") for pair in sys.argv[2:]))
print("ready", flush=True)
sys.stdin.readline()
with nearby.files(base) as here:
    print(here)
"""


def asked(base: Base, tmp_path: Path, code: str = PROCESS) -> subprocess.Popen[str]:
    """A process that waits for a line and then asks for the base."""
    files = [f"{name}={value}" for name, value in base.files.items()]
    pipe, environment = subprocess.PIPE, {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", code, base.folder, *files]
    root = Path(__file__).parents[3]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=root)


def test_of_two_processes_at_once_one_fetches(tmp_path: Path, home: Path) -> None:
    log, lines = logging.getLogger("werkzeug"), []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    with serving() as bucket:
        base, handler, before = stored(bucket), Keeping(), log.level
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        try:
            processes = [asked(base, tmp_path) for _ in range(2)]
            for process in processes:
                assert process.stdout is not None and process.stdout.readline() == "ready\n"
            said = [process.communicate("go\n", timeout=300)[0] for process in processes]
        finally:
            log.removeHandler(handler)
            log.setLevel(before)
        assert [process.returncode for process in processes] == [0, 0] and said[0] == said[1]
        assert content_of(said[0].strip(), base) and Path(said[0].strip()).parent == home
    got = [line for line in lines if "GET " in line and "list-type" not in line]
    assert len(got) == len(CONTENT), got


def test_threads_wait_for_the_one_that_fetches(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    base, calls, download = stored(bucket), [], storage.download
    monkeypatch.setattr(storage, "download", lambda *places: calls.append(places) or download(*places))
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(fetched, [base] * 8))) == 1
    assert len(calls) == 1


KILLED = PROCESS.replace(
    "print(",
    """
import os, signal
from trainables import storage
def half(folder, here):
    with open(os.path.join(here, "config.json"), "wb") as file:
        file.write(b"{")
    os.kill(os.getpid(), signal.SIGKILL)
storage.download = half
print(""",
    1,
)


def test_what_a_killed_process_has_fetched_is_not_used(tmp_path: Path, home: Path) -> None:
    with serving() as bucket:
        base = stored(bucket)
        process = asked(base, tmp_path, KILLED)
        process.communicate("go\n", timeout=300)
        assert process.returncode == -signal.SIGKILL and [name.endswith(".tmp") for name in os.listdir(home)].count(
            True
        )
        here = fetched(base)
    assert sorted(path.name for path in home.iterdir()) == [Path(here).name, f"{Path(here).name}.lock"]


def another_byte(path: Path) -> None:
    path.write_bytes(b"x" + path.read_bytes()[1:])


def another_age(path: Path) -> None:
    os.utime(path, (1, 1))


@pytest.mark.parametrize("file", CONTENT)
@pytest.mark.parametrize("harm", [another_byte, another_age, Path.unlink, lambda path: os.truncate(path, 1)])
def test_a_copy_that_was_touched_is_fetched_again(bucket: str, file: str, harm: Callable[[Path], None]) -> None:
    base = stored(bucket)
    harm(Path(fetched(base), file))
    assert Path(fetched(base), file).stat().st_mtime > 1


def test_a_copy_is_fetched_again_after_a_restart_of_the_machine(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = stored(bucket)
    first = os.stat(Path(fetched(base), "config.json")).st_ctime_ns
    assert os.stat(Path(fetched(base), "config.json")).st_ctime_ns == first
    (tmp_path / "boot").write_text("another")
    monkeypatch.setattr(machine, "BOOT", tmp_path / "boot")
    assert os.stat(Path(fetched(base), "config.json")).st_ctime_ns > first


def test_what_is_not_what_was_recorded_is_never_kept(bucket: str, home: Path) -> None:
    base = stored(bucket)
    storage.write_bytes(f"{base.folder}/model.safetensors", b"other")
    with pytest.raises(CheckpointError, match=rf"{base.folder}/model.safetensors: sha256 is .* was recorded"):
        fetched(base)
    assert copies(home) == []
    stored(bucket)
    fetched(base)


@pytest.mark.parametrize("times", [1, 2])
def test_a_machine_that_makes_bad_copies_does_not_condemn_what_others_load(
    bucket: str, home: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    base, real, made = stored(bucket), storage.download, []
    storage.write_bytes(f"{base.folder}/{FACTS}", b"{}")

    def bad(folder: str, here: str) -> None:
        real(folder, here)
        made.append(here)
        if len(made) <= times:
            another_byte(Path(here, "model.safetensors"))

    monkeypatch.setattr(storage, "download", bad)
    if times == 1:
        assert Path(fetched(base)).parent != home
    else:
        with pytest.raises(StorageError, match=r"model.safetensors: sha256 is .* check the disk"):
            fetched(base)
    assert storage.exists(f"{base.folder}/{FACTS}") and copies(home) == []


def test_the_same_weights_with_another_tokenizer_are_another_copy(bucket: str, home: Path) -> None:
    one = stored(bucket)
    other = Base(f"{bucket}/nf4-2", one.files)
    for file, content in CONTENT.items():
        storage.write_bytes(f"{other.folder}/{file}", content + b"nf4-1" if file in one.files else b"others")
    fetched(one)
    with nearby.files(other) as here:
        assert Path(here, "words", "tokenizer.json").read_bytes() == b"others"
    assert copies(home) == ["nf4-1", "nf4-2"]


Disk = namedtuple("Disk", "total used free")


def of_size(home: Path, size: int) -> Callable[[object], Disk]:
    """What `shutil.disk_usage` says of a disk that holds the copies and nothing else."""

    def usage(_: object) -> Disk:
        used = sum(path.stat().st_size for path in home.rglob("*") if path.is_file() and path.name != nearby.COPY)
        return Disk(size, used, size - used)

    return usage


def test_the_copy_that_was_not_used_for_longest_makes_room(
    bucket: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bases = [stored(bucket, f"nf4-{number}") for number in range(4)]
    monkeypatch.setattr("shutil.disk_usage", of_size(home, 3 * SIZE))  # a tenth stays free: two fit
    for number, age in ((0, 100), (1, 200)):
        here = fetched(bases[number])
        os.utime(f"{here}.lock", (age, age))
    fetched(bases[0])  # now number 1 is the one that was not used for longest
    fetched(bases[2])
    assert copies(home) == ["nf4-0", "nf4-2"]
    with ExitStack() as used:
        for number in (0, 2):
            here = used.enter_context(nearby.files(bases[number]))
            os.utime(f"{here}.lock", (1, 1))
        other = fetched(bases[3])
        assert copies(home) == ["nf4-0", "nf4-2"], "they are in use"
        assert not Path(other).exists() and Path(other).parent != home
    fetched(bases[3])
    assert len(copies(home)) == 2 and "nf4-3" in copies(home)


def test_without_room_it_is_fetched_for_this_process_with_one_line(
    bucket: str, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    base = stored(bucket)
    monkeypatch.setattr("shutil.disk_usage", of_size(home, SIZE))
    for _ in range(2):
        assert not Path(fetched(base)).exists()
    assert copies(home) == []
    assert len(caplog.messages) == 2 and all("\n" not in line for line in caplog.messages)
    assert caplog.messages[0].startswith(f"no copy of {base.folder} on this machine: ")
    storage.write_bytes(f"{base.folder}/config.json", b"other")
    with pytest.raises(CheckpointError, match="config.json"):
        fetched(base)


def open_to_all(home: Path) -> None:
    home.mkdir(mode=0o755)


def somewhere_else(home: Path) -> None:
    home.with_name("other").mkdir(mode=0o700)
    home.symlink_to(home.with_name("other"))


@pytest.mark.parametrize("wrong", [open_to_all, somewhere_else, Path.touch])
def test_a_folder_that_others_could_have_filled_is_not_used(
    bucket: str, home: Path, wrong: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    wrong(home)
    assert Path(fetched(stored(bucket))).parent != home
    assert len(caplog.messages) == 1


def test_on_a_file_system_nothing_is_copied(tmp_path: Path, home: Path) -> None:
    base = stored(str(tmp_path))
    assert fetched(base) == base.folder and not home.exists()
    Path(base.folder, "config.json").write_bytes(b"other")
    with pytest.raises(CheckpointError, match="config.json: sha256 is"):
        fetched(base)


def test_nobody_waits_to_be_alone_while_he_lets_nobody_be(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """flock gives the old lock back; on NFS it is one of fcntl, which keeps it, and two would wait for ever."""
    real, kinds = fcntl.flock, [fcntl.LOCK_UN]

    def kept(lock: int, kind: int) -> None:
        assert kind != fcntl.LOCK_EX or kinds[-1] == fcntl.LOCK_UN
        kinds.append(kind)
        real(lock, kind)

    monkeypatch.setattr(fcntl, "flock", kept)
    fetched(stored(bucket))
    assert fcntl.LOCK_EX in kinds


def test_a_lock_that_somebody_holds_for_loading_lets_others_load(bucket: str) -> None:
    base = stored(bucket)
    fetched(base)
    inside = threading.Barrier(2, timeout=20)

    def load() -> None:
        with nearby.files(base):
            inside.wait()  # both are inside at the same time

    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(load) for _ in range(2)]:
            one.result()


@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_a_base_from_a_copy_is_the_base(bucket: str, tmp_path: Path, home: Path, quantization: str) -> None:
    model = zoo.save(tmp_path / "model", "llama")
    for file, value in storage.checksums(model).items():
        storage.write_bytes(f"{bucket}/model/{file}", Path(model, file).read_bytes())
        assert storage.checksum(f"{bucket}/model/{file}") == value
    there = backbone.load(f"{bucket}/model", f"{bucket}/snapshots", quantization, "causal")
    here = backbone.load(model, str(tmp_path / "snapshots"), quantization, "causal")
    assert digest(there.model) == digest(here.model) and there.sha256 == here.sha256
    assert len(copies(home)) == 1

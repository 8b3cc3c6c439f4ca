"""Files on the storage: whole or not there, whatever happens while they are written, on any filesystem."""

import errno
import os
import sys
from pathlib import Path

import pytest
from fsspec.registry import _registry as classes_in_use
from hypothesis import given
from hypothesis import strategies as st

from trainables import storage
from trainables.errors import CheckpointError, StorageError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.fixture(params=["local", "memory"])
def base(request, tmp_path):
    if request.param == "local":
        yield str(tmp_path)
        return
    yield f"memory://{tmp_path.name}"
    storage.remove(f"memory://{tmp_path.name}")


@given(value=json_values)
def test_json_comes_back_as_it_went(value):
    storage.write_json("memory://json/value.json", value)
    assert storage.read_json("memory://json/value.json") == value


def test_files_folders_and_checksums_on_every_filesystem(base):
    path = storage.join(base, "a", "b.json")
    assert not storage.exists(path)
    assert storage.names(storage.join(base, "a")) == []
    storage.write_json(path, {"x": 1})
    assert storage.names(storage.join(base, "a")) == ["b.json"]
    sums = storage.checksums(storage.join(base, "a"))
    assert sums == {"b.json": storage.checksum(path)}
    storage.verify(storage.join(base, "a"), sums)
    storage.write_json(path, {"x": 2})
    with pytest.raises(CheckpointError, match="sha256"):
        storage.verify(storage.join(base, "a"), sums)
    storage.remove(storage.join(base, "a"))
    with pytest.raises(CheckpointError, match="missing"):
        storage.verify(storage.join(base, "a"), sums)
    storage.remove(storage.join(base, "a"))


def test_a_published_folder_replaces_the_old_one_whole(base):
    target = storage.join(base, "checkpoint")
    for name in ("old", "new"):
        with storage.publish(target) as here:
            Path(here, name).write_text(name)
    with storage.local_copy(target) as here:
        assert Path(here, "new").read_text() == "new"
    assert storage.names(target) == ["new"]


def test_an_error_while_filling_publishes_nothing(base):
    target = storage.join(base, "checkpoint")
    with pytest.raises(ZeroDivisionError), storage.publish(target) as here:
        Path(here, "half").write_text("x")
        raise ZeroDivisionError
    assert not storage.exists(target)
    assert storage.names(base) == []


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_full_or_read_only_disk_is_one_line_and_leaves_the_old_file(tmp_path, monkeypatch, call, number):
    path = str(tmp_path / "record.json")
    storage.write_json(path, {"good": True})

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("trainables.patience.WAITS", (0.0,))
    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(StorageError, match=f"cannot write .*record.json: {os.strerror(number)}") as caught:
        storage.write_json(path, {"good": False})
    fix = {errno.ENOSPC: "free space or", errno.EROFS: "mount it for writing or", errno.EIO: ""}[number]
    assert str(caught.value).endswith(f"; {fix} choose another --storage".replace(";  ", "; "))
    monkeypatch.undo()
    assert storage.read_json(path) == {"good": True}
    assert os.listdir(tmp_path) == ["record.json"], "no half-written file is left"


@pytest.mark.parametrize(
    ("number", "remote", "said"),
    [
        (errno.EDQUOT, False, "free space or choose another --data-root"),
        (errno.EACCES, False, "get the right to it or choose another --data-root"),
        (errno.ENOTDIR, False, "choose another --data-root"),
        (errno.EACCES, True, "check the credentials and what they may do"),
        (errno.ECONNREFUSED, True, "check the address, the network and the credentials"),
    ],
)
def test_the_way_out_is_that_of_the_reason(number, remote, said):
    assert storage.way_out(OSError(number, os.strerror(number)), "--data-root", remote) == said


def test_what_would_lie_below_a_file_is_absent(tmp_path):
    """As the lock of a data root beside it, when all roots are gone through."""
    (tmp_path / "lab-0.lock").touch()
    below = str(tmp_path / "lab-0.lock" / "languages.json")
    for look in (storage.read_bytes, storage.read_json, storage.checksum, storage.modified):
        with pytest.raises(FileNotFoundError):
            look(below)
    assert not storage.exists(below) and storage.names(below) == []


def test_a_file_that_is_no_json_is_named(tmp_path):
    (tmp_path / "record.json").write_text('{"a": ')
    with pytest.raises(CheckpointError, match="record.json: not valid JSON"):
        storage.read_json(str(tmp_path / "record.json"))


def test_an_unknown_kind_of_address_is_one_line():
    with pytest.raises(StorageError, match="nosuch://x: not a usable storage address"):
        storage.exists("nosuch://x")


@pytest.mark.parametrize(("kind", "package", "extra"), [("s3", "s3fs", "s3"), ("gs", "gcsfs", "gcs")])
def test_a_client_that_is_not_installed_is_named_with_its_extra(monkeypatch, kind, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(classes_in_use, kind, raising=False)
    with pytest.raises(StorageError) as caught:
        storage.exists(f"{kind}://bucket/x")
    told, _, fix = str(caught.value).partition("; ")
    assert told == f"{kind}://bucket/x: the client of {kind}:// is not installed here"
    assert fix == f"pip install -c constraints.txt '.[{extra}]'"


def test_a_folder_that_cannot_be_made_is_one_line():
    with pytest.raises(StorageError, match="cannot write /proc/nowhere/a.json: No such file or directory"):
        storage.write_json("/proc/nowhere/a.json", {})


def test_a_folder_that_two_remove_at_once_is_gone_without_an_error(tmp_path, monkeypatch):
    """As when the worker of a lost node lives on for a moment: a file goes between the listing and its removal."""
    folder = tmp_path / "resume"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_text("x")
    real = os.unlink

    def unlink(name, *args, **more):
        real(name, *args, **more)
        monkeypatch.setattr(os, "unlink", real)
        raise FileNotFoundError(2, "No such file or directory", str(name))

    monkeypatch.setattr(os, "unlink", unlink)
    storage.remove(str(folder))
    assert not folder.exists()

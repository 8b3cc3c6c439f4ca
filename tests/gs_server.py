"""How does a test get a storage that speaks Google Cloud Storage? An emulator in this process, on loopback, empty.

    with serving() as bucket:                       # "gs://bucket"; gcsfs finds the server by the environment
        Store(f"{bucket}/runs/tiny")
    with serving(conditions=False) as bucket: ...   # the emulator as it is: every put overwrites

The emulator (gcp-storage-emulator) does not know `ifGenerationMatch`, by which Google takes a put or a removal only of
the generation that is named (0: where nothing is yet); we add that here, as Google documents it: status 412 when the
object has another. The client is the real one.
"""

from __future__ import annotations

import importlib.util
import json
import os
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any

import pytest

from trainables import storage

BUCKET = "bucket"


@contextmanager
def serving(conditions: bool = True) -> Iterator[str]:
    """Skips the test where the emulator or gcsfs are not installed."""
    why = "needs gcp-storage-emulator and gcsfs: pip install -c constraints.txt -e '.[dev]'"
    if importlib.util.find_spec("gcsfs") is None:  # not imported here: `storage.filesystem` says first how
        pytest.skip(why)
    emulator = pytest.importorskip("gcp_storage_emulator.server", reason=why)
    import fsspec

    server = emulator.create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    with _conditions(emulator) if conditions else _as_it_is():
        server.start()
        host, port = server._api._httpd.server_address
        server._api._httpd.handle_error = lambda *_: None  # a client that hangs up; else a traceback on the screen
        mine = {"STORAGE_EMULATOR_HOST": f"http://{host}:{port}", "FSSPEC_GS_TOKEN": "anon", "NO_PROXY": host}
        before = {name: os.environ.get(name) for name in mine}
        os.environ.update(mine)
        fsspec.config.conf["gs"] = {"token": "anon"}  # this process has read its environment already
        try:
            _forget_clients()
            yield f"gs://{BUCKET}"
        finally:
            _forget_clients()
            server.stop()
            del fsspec.config.conf["gs"]
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def put_behind(path: str, data: bytes) -> None:
    """Write an object without gcsfs, as another driver would."""
    bucket, _, key = path.removeprefix("gs://").partition("/")
    query = urllib.parse.urlencode({"uploadType": "media", "name": key})
    url = f"{os.environ['STORAGE_EMULATOR_HOST']}/upload/storage/v1/b/{bucket}/o?{query}"
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "text/plain"})) as reply:
        json.load(reply)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


@contextmanager
def _conditions(emulator: Any) -> Iterator[None]:
    """Its server answers one request after the other, so that to look and to write is one step."""
    changed = [(methods, name, call) for _, methods in emulator.HANDLERS for name, call in methods.items()]
    changed = [one for one in changed if one[2] in (emulator.objects.insert, emulator.objects.delete)]
    assert {name for _, name, _ in changed} >= {"POST", "DELETE"}
    for methods, name, call in changed:
        methods[name] = partial(_if_it_matches, call)
    try:
        yield
    finally:
        for methods, name, call in changed:
            methods[name] = call


def _if_it_matches(call: Any, request: Any, response: Any, objects: Any, **more: Any) -> Any:
    if wanted := request.query.get("ifGenerationMatch"):
        from gcp_storage_emulator.exceptions import NotFound

        name = request.params.get("object_id") or (request.query.get("name") or [""])[0]
        try:
            bucket = request.params["bucket_name"]
            there = objects.get_file_obj(bucket, name or request.data["meta"]["name"])["generation"]
        except NotFound:
            there = "0"
        if wanted != [there]:
            response.status = HTTPStatus.PRECONDITION_FAILED
            return None
    return call(request, response, objects, **more)


def _forget_clients() -> None:
    """fsspec keeps a client per set of options, and the address of the server is none of them."""
    storage.filesystem("gs://")[0].clear_instance_cache()

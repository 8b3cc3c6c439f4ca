"""A Hub on loopback: data sets and models in memory, served as huggingface_hub asks for them, with faults on demand.

with serving() as hub:
    hub.add("house/pairs", {"de/test-00000-of-00001.parquet": parquet([{"text": "ja"}])})
    hub.add("house/model", {"config.json": b"{}"}, kind="model")
    hub.faults["de/test"] = [Fault(429, {"Retry-After": "1"})]      # the next request for such a file fails
    os.environ["HF_ENDPOINT"] = hub.address
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow
import pyarrow.parquet

CONVERTED = "refs/convert/parquet"


@dataclass(frozen=True)
class Fault:
    """What happens to one request in place of the right answer."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    """Bytes after which the connection is closed."""
    content: bytes | None = None
    """Served in place of the file's content, under the file's name and checksum."""


@dataclass
class HubStandIn:
    """Repositories by name, revision (branch or commit) and path; requests in the order they came."""

    commits: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    branches: dict[tuple[str, str], str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    """Plain files by path, as a publisher of archives has them."""
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    """By a part of the path: used up one per request for a file or, for "api", a listing."""
    gated: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    """Which of the repositories are models; the others are data sets."""
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """(method, path, headers in lower case)."""
    address: str = ""

    def add(self, repo: str, files: dict[str, bytes], branch: str = "main", kind: str = "dataset") -> str:
        """A new commit on a branch; its name."""
        if kind == "model":
            self.models.add(repo)
        names = "".join(f"{path}{hashlib.sha256(content).hexdigest()}" for path, content in sorted(files.items()))
        commit = hashlib.sha1(f"{repo}{branch}{names}".encode()).hexdigest()
        self.commits.setdefault(repo, {})[commit] = files
        self.branches[repo, branch] = commit
        return commit

    def gets(self, part: str = "") -> list[str]:
        return [path for method, path, _ in self.requests if method == "GET" and part in path]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and content are two writes, which else wait 40 ms for each other
    hub: HubStandIn

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((self.command, path, {name.lower(): value for name, value in self.headers.items()}))
        if path.startswith(("/api/datasets/", "/api/models/")):
            kind, rest = path.removeprefix("/api/").split("/", 1)
            self._api(rest, kind == "models")
        elif "/resolve/" in path:
            repo, rest = path.removeprefix("/datasets").lstrip("/").split("/resolve/")
            commit, name = rest.split("/", 1)
            self._file(repo, commit, name)
        elif path.lstrip("/") in self.hub.files:
            self._content(self.hub.files[path.lstrip("/")], {}, self._fault(path))
        else:
            self._answer(404, b"not here", {})

    def _api(self, rest: str, model: bool) -> None:
        fault = self._fault("api")
        owner, name, *more = rest.split("/")
        repo = f"{owner}/{name}"
        revision = "/".join(more[1:]) or "main"
        if fault:
            self._answer(fault.status, fault.content or b"", fault.headers)
        elif repo not in self.hub.commits or (repo in self.hub.models) != model:
            self._answer(401, b"", {"X-Error-Code": "RepoNotFound"})
        else:
            commit = self.hub.branches.get((repo, revision), revision)
            if commit not in self.hub.commits[repo]:
                self._answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
            elif more and more[0] == "tree":
                self._json([_listed(path, content) for path, content in self.hub.commits[repo][commit].items()])
            else:
                self._json({"id": repo, "sha": commit, "private": False, "disabled": False, "tags": [], "siblings": []})

    def _file(self, repo: str, commit: str, name: str) -> None:
        if repo in self.hub.gated and "Authorization" not in self.headers:
            self._answer(401, b"", {"X-Error-Code": "GatedRepo"})
            return
        content = self.hub.commits[repo][commit].get(name)
        if content is None:
            self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        listed = _listed(name, content)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{listed.get("lfs", listed)["oid"]}"'}
        self._content(content, headers, self._fault(name) if self.command == "GET" else None)

    def _content(self, content: bytes, headers: dict[str, str], fault: Fault | None) -> None:
        if fault and fault.status != 200:
            self._answer(fault.status, b"", fault.headers)
            return
        status, start = 200, 0
        content = fault.content if fault and fault.content is not None else content
        asked = self.headers.get("Range")
        if asked:
            start = int(asked.removeprefix("bytes=").split("-")[0])
            if start >= len(content):
                self._answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
                return
            status = 206
            headers = headers | {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        self._answer(status, content[start:], headers, fault.cut if fault else None)

    def _json(self, value: Any) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, content: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[:cut])
        if cut is not None:
            self.close_connection = True

    def _fault(self, path: str) -> Fault | None:
        found = next((faults for part, faults in self.hub.faults.items() if part in path and faults), None)
        return found.pop(0) if found else None

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _listed(path: str, content: bytes) -> dict[str, Any]:
    """A file of a listing; large files are kept in LFS, as on the Hub."""
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": blob}
    if path.endswith((".parquet", ".safetensors")):
        entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return entry


@contextmanager
def serving() -> Iterator[HubStandIn]:
    hub = HubStandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def parquet(rows: list[dict[str, Any]], features: Any = None, schema: pyarrow.Schema | None = None) -> bytes:
    """A parquet file; `features` (of the datasets library) are written into it as the Hub's uploads have them."""
    schema = features.arrow_schema if features is not None else schema
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema), buffer)
    return buffer.getvalue()

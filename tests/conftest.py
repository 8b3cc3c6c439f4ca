"""Fixtures that every package's tests may use: a Hub on loopback, and waits that are noted instead of waited for."""

import os
import secrets
import time
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from tests.hub_stand_in import HubStandIn, serving

# No example has a time limit: on a machine with other work a short one takes a quarter of a second now and then. Each
# run draws the same examples, so that what fails here fails everywhere; `--hypothesis-profile=explore` draws others.
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.load_profile("same")

# gcsfs asks Google over gRPC, which the emulator does not speak, of what kind a bucket is: before every call again, and
# where there is no network for minutes.
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"

# Ray reads its token once in a process and keeps it: whichever test starts Ray first, all have the same one.
if not {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys():
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


@pytest.fixture(scope="session", autouse=True)
def unforced() -> Iterator[None]:
    """Files are not forced to the disk: tests write thousands, and would wait milliseconds for each.

    That a file is forced there before it takes its place is seen by tests/trainables/test_storage.py, for one.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


class Clock:
    """The time module, but sleeping only notes for how long."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that downloads would have waited, ours and the client's."""
    clock = Clock()
    monkeypatch.setattr("trainables.data.downloading.pause", clock.sleep)
    monkeypatch.setattr("huggingface_hub.file_download.time", clock)
    monkeypatch.setattr("huggingface_hub.utils._http.time", clock)
    return clock.waits


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> Iterator[HubStandIn]:
    """An empty Hub that the client uses, without a token and without proxies."""
    from huggingface_hub.utils import close_session

    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nowhere")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    close_session()
    with serving() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        yield found
    close_session()

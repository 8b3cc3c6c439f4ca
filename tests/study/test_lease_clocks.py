"""Whose clock says that a lease is stale? The storage's; no machine's, which may be hours off or set meanwhile."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest

from study import lease
from study.lease import Lease, LeaseHeld
from study.store import Store
from tests.study.leases import held, leave
from trainables import storage


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "tiny")


def test_this_process_is_alive_and_its_number_reused_is_not() -> None:
    started = psutil.Process().create_time() - psutil.boot_time()
    assert lease._alive(os.getpid(), started)
    assert not lease._alive(os.getpid(), started - 100)


def test_a_process_is_alive_whatever_is_done_to_the_time_of_day(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting the clock moves what Linux says of the boot, and with it of every process."""
    booted = psutil.boot_time()
    with Lease(store, "k"):
        for hours in (-5, 5):
            moved = booted + 3600.0 * hours
            monkeypatch.setattr("psutil.boot_time", lambda moved=moved: moved)
            monkeypatch.setattr("psutil._pslinux.boot_time", lambda moved=moved: moved)
            with pytest.raises(LeaseHeld), Lease(store, "k"):
                pass


@pytest.mark.parametrize("hours", [-5, 0, 5])
def test_a_living_lease_is_respected_and_a_dead_one_is_not_whatever_the_clocks_say(store: Store, hours: int) -> None:
    """Another machine holds the lease; the clocks of the two are hours apart."""
    leave(store, since=time.time() + 3600 * hours, beat=time.time() + 3600 * hours)
    with pytest.raises(LeaseHeld, match=r"on elsewhere \(last sign of life \d s ago\)"), Lease(store, "k"):
        pass
    leave(store, ago=lease.TTL_SECONDS + 5, beat=time.time() + 3600 * hours)
    with Lease(store, "k") as mine:
        assert held(store)["owner"] == mine.owner
    assert os.listdir(store.phase_folder("k")) == ["lease.json.lock"], "nothing of looking at the clock is left"


@pytest.mark.parametrize("remote", [False, True])
def test_what_a_killed_look_at_the_clock_left_goes_with_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch, remote: bool
) -> None:
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.0)
    store = Store("memory://killed") if remote else store
    path, real = store.join("phases", "k", "lease.json"), storage.modified
    storage.write_json(path, {"owner": "gone", "host": lease.socket.gethostname(), "pid": 1, "started": -1.0})

    def killed(probe: str) -> float:
        if probe == path:
            return real(probe)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(storage, "modified", killed)
        dying.setattr(storage, "remove", lambda path: None)
        with pytest.raises(KeyboardInterrupt):
            Lease(store, "k").__enter__()
    left = {"lease.json", "lease.json.lock"}
    assert set(storage.names(store.phase_folder("k"))) - left, "the file of the look"
    with Lease(store, "k"):
        assert set(storage.names(store.phase_folder("k"))) <= left


def test_a_look_at_the_clock_survives_that_another_ends_meanwhile(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two drivers look at the same time, by one file; the faster one removes it."""
    probe, real, looks = store.join("now"), storage.modified, []

    def removed(path: str) -> float:
        looks.append(path)
        if len(looks) == 1:
            storage.remove(path)
        return real(path)

    monkeypatch.setattr(storage, "modified", removed)
    assert abs(lease.clock(probe) - time.time()) < 5 and len(looks) == 2
    assert not storage.exists(probe)

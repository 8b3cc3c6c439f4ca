"""A Ray cluster that outlives the drivers of the chaos rounds; and what they have left on it."""

from __future__ import annotations

import json
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from clusters.own_head import OwnHead, family
from tests.chaos.driver import GONE_SECONDS, command

IDLE = ("ray::IDLE", "ray::DashboardAgent", "ray::RuntimeEnvAgent")


class Cluster:
    """What the rounds need of a head."""

    def __init__(self, head: OwnHead) -> None:
        self._head = head
        self.env = {**head.env, "RAY_ADDRESS": f"127.0.0.1:{head.port}"}

    def workers(self) -> list[psutil.Process]:
        """Processes that work on something, or are kept warm for it."""
        found = []
        for process in family(self._head.pid):
            with suppress(psutil.Error):
                if command(process).startswith("ray::") and not command(process).startswith(IDLE):
                    found.append(process)
        return found

    def busy(self) -> list[str]:
        """Titles of processes that still work some time after their driver has ended."""
        return _waited_for(lambda: [command(process) for process in self.workers()])

    def placement_groups(self) -> list[str]:
        """Placement groups that still hold or wait for resources some time after their driver has ended."""
        return _waited_for(lambda: [f"{one['placement_group_id']} {one['state']}" for one in self._groups()])

    def _groups(self) -> list[dict[str, Any]]:
        token = Path(self.env["RAY_AUTH_TOKEN_PATH"]).read_text().strip()
        request = urllib.request.Request(
            f"{self.env['RAY_API_SERVER_ADDRESS']}/api/v0/placement_groups?limit=1000&timeout=30",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            said = json.load(reply)
        assert said["result"], said
        return [one for one in said["data"]["result"]["result"] if one["state"] != "REMOVED"]


def _waited_for(left: Any) -> list[str]:
    deadline = time.monotonic() + GONE_SECONDS
    while (found := left()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return list(found)

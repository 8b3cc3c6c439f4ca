"""What does a lease file say, and what did another driver leave there?"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from study import lease
from study.store import Store


def held(store: Store) -> dict:
    return lease.holder(store.join("phases", "k", "lease.json"))


def leave(store: Store, ago: float = 0.0, **fields: object) -> None:
    """A lease file as some other driver left it, so many seconds ago."""
    path = Path(store.join("phases", "k", "lease.json"))
    path.parent.mkdir(parents=True, exist_ok=True)
    value = {"owner": "other", "host": "elsewhere", "pid": 1, "started": 0.0, "since": time.time()}
    path.write_text(json.dumps({**value, **fields}))
    os.utime(path, (path.stat().st_mtime - ago,) * 2)

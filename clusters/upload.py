"""What of a folder travels with a job? The code and the study files, and never the junk.

    check(Path("."))        # 2_100_000 bytes; StudyError when it is more than a job should carry

Ray leaves out what .gitignore and .rayignore name, and .git and environments; we add results, builds and data beside
the code. What remains is counted by Ray's own rules before anything is sent.
"""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

from trainables.errors import StudyError

EXCLUDES = ("/runs", "/build", "/data", "/.venv", "/.git", "*.egg-info", ".env*", ".netrc", "*.pem", "*.key")
"""Patterns as in .gitignore; a leading slash means: directly below the folder. The last ones usually hold secrets."""
LARGEST = 50 * 10**6
"""Bytes. The code has 2 MB; every worker unpacks what is uploaded, and the head keeps it in memory."""


def check(folder: Path, largest: int = LARGEST) -> int:
    """Bytes that would be uploaded. Raises `StudyError` when they are too many, naming the largest thing in it."""
    # The walk that makes the package (ray 2.60 has no public name for it), so that what is counted is what is sent.
    from ray._private.runtime_env.packaging import _dir_travel, _get_excludes

    if not folder.is_dir():
        raise StudyError(f"--working-dir {folder}: no such folder")
    sizes: Counter[str] = Counter()

    def count(path: Path) -> None:
        if path.is_file():
            sizes[path.relative_to(folder).parts[0]] += path.stat().st_size

    quiet = logging.getLogger("clusters.upload")
    _dir_travel(folder, [_get_excludes(folder, list(EXCLUDES))], count, include_gitignore=True, logger=quiet)
    total = sizes.total()
    if total > largest:
        name, size = sizes.most_common(1)[0]
        raise StudyError(
            f"--working-dir {folder}: {total / 1e6:.0f} MB to upload, a job carries at most {largest / 1e6:.0f};"
            f" the most is in {name} ({size / 1e6:.0f} MB): name it in .rayignore, or keep it on the storage"
        )
    return total

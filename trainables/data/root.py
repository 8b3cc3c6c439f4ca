"""Where do a study's data files lie, and what exactly is in them?

A root is a folder in the layout of the original archives, on any fsspec path. Everything is asked for by its path
below the root, so a root can be copied elsewhere and stay the same.

    root = Root("s3://bucket/data")
    root.glob("panx/test-*.tsv")            # ["panx/test-de.tsv", ...]
    root.lines("panx/test-de.tsv")
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from trainables import storage
from trainables.errors import DataError


@dataclass(frozen=True)
class Root:
    """A data root. Constructing one touches no file; which files there are is looked up once per object."""

    path: str

    @cached_property
    def languages_in(self) -> dict[tuple[str, str], frozenset[str]]:
        """What files of several languages hold, by (layout, split): found once, by reading them whole."""
        return {}

    @cached_property
    def _paths(self) -> list[str]:
        """Every file below the root, sorted; listed once, so that asking for many files is cheap on any storage."""
        return storage.below(self.path)

    def glob(self, pattern: str) -> list[str]:
        """Sorted paths below the root that match (* and ? do not cross folders); none when the root is absent."""
        fixed = re.split(r"[*?]", pattern, maxsplit=1)[0]
        start = bisect_left(self._paths, fixed)
        expression = re.compile(re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]"))
        found = []
        for path in islice(self._paths, start, None):
            if not path.startswith(fixed):
                break
            if expression.fullmatch(path):
                found.append(path)
        return found

    def exists(self, rel: str) -> bool:
        return storage.exists(self.at(rel))

    def at(self, rel: str, line: int | None = None) -> str:
        """Full path of a file, with a line number (from 1) where one is given: how error messages name a place."""
        full = storage.join(self.path, rel)
        return full if line is None else f"{full}:{line}"

    def text(self, rel: str) -> str:
        """A whole file as text. UTF-8, with or without a byte order mark; every kind of line end becomes a line feed.

        Raises `DataError` when the file is absent, not UTF-8, or holds nothing but white space.
        """
        try:
            data = storage.read_bytes(self.at(rel))
        except FileNotFoundError as error:
            raise DataError(f"{self.at(rel)}: no such file; put it there or choose another --data-root") from error
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            found = f"byte 0x{data[error.start]:02x} is not UTF-8"
            raise DataError(f"{self.at(rel, line)}: {found}; convert the file to UTF-8") from error
        if not text.strip():
            raise DataError(f"{self.at(rel)}: the file is empty; fetch it again")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def lines(self, rel: str) -> list[str]:
        """Lines of a file without their ends.

        Split at line feeds only: the other characters Unicode calls line ends (U+2028, U+0085, form feed) occur
        inside sentences.
        """
        return self.text(rel).removesuffix("\n").split("\n")

    def fingerprint(self, rels: Iterable[str]) -> str:
        """16 hexadecimal digits that change with the name or content of any of the files.

        Raises `DataError` when one is absent.
        """
        digest = hashlib.sha256()
        for rel in sorted(rels):
            try:
                content = storage.checksum(self.at(rel))
            except FileNotFoundError as error:
                raise DataError(f"{self.at(rel)}: no such file; put it there or choose another --data-root") from error
            digest.update(f"{rel}\0{content}\n".encode())
        return digest.hexdigest()[:16]

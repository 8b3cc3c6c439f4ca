"""The fixture's root, to be changed at will."""

import shutil
from pathlib import Path

import pytest

from trainables.data.root import Root

FIXTURE = Path(__file__).parents[2] / "fixtures/root"


@pytest.fixture
def copy(tmp_path):
    """The fixture's files, and a function that looks at them anew (a `Root` lists its files once)."""
    shutil.copytree(FIXTURE, tmp_path / "root")
    return tmp_path / "root", lambda: Root(str(tmp_path / "root"))

"""Is the root deterministic, complete and safe to ask for twice?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

import trainables
from trainables import storage
from trainables.errors import StorageError
from trainables.lab import LAB_VERSION, root, write_root
from trainables.lab.root import root_files

CODES = ("en", "xa", "xb", "xc", "xd")
WRITE = "import sys; from trainables.lab import write_root; write_root(sys.argv[1], 5)"


def test_another_process_with_another_hash_seed_writes_the_same_bytes(lab_root: Path, tmp_path: Path) -> None:
    other = tmp_path / "again"
    environment = {**os.environ, "PYTHONHASHSEED": "99", "PYTHONPATH": str(Path(trainables.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", WRITE, str(other)], check=True, env=environment)
    assert storage.checksums(str(other)) == storage.checksums(str(lab_root))


def test_another_seed_is_another_world(lab_root: Path) -> None:
    same = {name for name, text in root_files(6).items() if text == (lab_root / name).read_text()}
    assert same == {"languages.json"}, "the facts of the languages do not depend on the seed, all else does"


def test_the_layout_is_that_of_the_real_archives(lab_root: Path) -> None:
    expected = {"copa_en/train-en.jsonl", "copa_en/val-en.jsonl", "connectives.json", "languages.json", "lab.json",
                "vocabulary.txt", "corpus/train.txt", "socialiqa/train.jsonl", "socialiqa/train-labels.lst",
                "socialiqa/dev.jsonl", "socialiqa/dev-labels.lst", "panx/train-en.tsv", "panx/dev-en.tsv",
                "xnli/train-en.tsv", "ud/UD_English-LAB/en_lab-ud-train.conllu",
                "ud/UD_English-LAB/en_lab-ud-dev.conllu"}  # fmt: skip
    for code, name in zip(CODES, ("English", "Xa", "Xb", "Xc", "Xd"), strict=True):
        expected |= {f"xcopa/data/{code}/{split}.{code}.jsonl" for split in ("val", "test")}
        expected |= {f"xnli/{split}-{code}.tsv" for split in ("dev", "test")}
        expected |= {f"panx/test-{code}.tsv", f"ud/UD_{name}-LAB/{code}_lab-ud-test.conllu"}
    for code in CODES[1:]:
        expected |= {f"tatoeba/v1/tatoeba.{code}-eng.{code}", f"tatoeba/v1/tatoeba.{code}-eng.eng"}
    assert {str(file.relative_to(lab_root)) for file in lab_root.rglob("*") if file.is_file()} == expected


def test_languages_file_gives_the_facts(lab_root: Path) -> None:
    facts = json.loads((lab_root / "languages.json").read_text())
    assert {code: fact["distance"] for code, fact in facts.items()} == {
        "en": 0.0, "xa": 0.14, "xb": 0.365, "xc": 0.655, "xd": 0.895,
    }  # fmt: skip
    assert all(set(fact) == {"distance", "family", "script", "order", "pretraining_share"} for fact in facts.values())
    assert sum(fact["pretraining_share"] for fact in facts.values()) == pytest.approx(1, abs=1e-3)


def test_a_root_is_made_in_seconds() -> None:
    started = time.process_time()
    root_files(1)
    assert time.process_time() - started < 4, "about one second of CPU time"


@pytest.fixture
def small_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two short files, for tests of how files are published rather than of what is in them."""
    files = {"corpus/train.txt": "a word or two\n", "connectives.json": "{}\n"}
    monkeypatch.setattr(root, "root_files", lambda seed: {**files, "seed.txt": f"{seed}\n"})


@pytest.mark.usefixtures("small_world")
def test_a_complete_root_is_left_alone_and_a_damaged_one_mended(tmp_path: Path) -> None:
    path = tmp_path / "lab"
    write_root(str(path), 1)
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    write_root(str(path), 1)
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before
    whole = storage.checksums(str(path))
    corpus = path / "corpus" / "train.txt"
    corpus.write_bytes(corpus.read_bytes()[:5])
    (path / "connectives.json").unlink()
    write_root(str(path), 1)
    assert storage.checksums(str(path)) == whole
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.usefixtures("small_world")
def test_of_two_drivers_who_begin_at_once_one_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the second takes the files away that the first has begun to read."""
    path, made, both = tmp_path / "lab", [], threading.Barrier(2)
    is_complete = root._is_complete

    def looked(where: str, seed: int) -> bool:
        found = is_complete(where, seed)
        with suppress(threading.BrokenBarrierError):
            both.wait(5.0)  # both have seen that nothing is there
        both.abort()
        return found

    def files(seed: int) -> dict[str, str]:
        made.append(seed)
        return {"vocabulary.txt": "x"}

    monkeypatch.setattr(root, "_is_complete", looked)
    monkeypatch.setattr(root, "root_files", files)
    drivers = [threading.Thread(target=write_root, args=(str(path), 5)) for _ in range(2)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join()
    assert made == [5] and is_complete(str(path), 5)


@pytest.mark.parametrize("marker", ["not json", "[]", '{"seed": 2}', "{}"])
def test_an_unreadable_marker_means_incomplete(tmp_path: Path, marker: str) -> None:
    (tmp_path / "lab.json").write_text(marker)
    write_root(str(tmp_path), 2)
    assert json.loads((tmp_path / "lab.json").read_text())["version"] == LAB_VERSION


@pytest.mark.usefixtures("small_world")
def test_a_root_of_another_seed_or_version_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lab"
    write_root(str(path), 4)
    write_root(str(path), 5)
    assert (path / "seed.txt").read_text() == "5\n"
    monkeypatch.setattr(root, "LAB_VERSION", LAB_VERSION + 1)
    write_root(str(path), 5)
    assert json.loads((path / "lab.json").read_text())["version"] == LAB_VERSION + 1


def test_a_foreign_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StorageError, match="not a lab root; choose an empty folder"):
        write_root(str(tmp_path), 0)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_any_fsspec_path_will_do(lab_root: Path) -> None:
    path = f"memory://{uuid.uuid4().hex}/lab"
    write_root(path, 5)
    write_root(path, 5)
    assert storage.read_bytes(f"{path}/corpus/train.txt") == (lab_root / "corpus/train.txt").read_bytes()
    assert storage.read_bytes(f"{path}/lab.json") == (lab_root / "lab.json").read_bytes()
    storage.remove(path)

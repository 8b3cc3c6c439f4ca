"""What every task makes of a root: which files stand for which split, and training files in place of its own."""

import json
import shutil
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.data.root import Root
from trainables.errors import DataError, SpecError
from trainables.tasks import baselines, get
from trainables.tasks.base import _share
from trainables.tasks.examples import Choice, Pair, Tagged

FIXTURE = Path(__file__).parents[2] / "fixtures/root"
ROOT = Root(str(FIXTURE))


@pytest.fixture
def write(tmp_path):
    """A root of JSON lines: {name: rows}."""

    def make(**files):
        for name, rows in files.items():
            path = tmp_path / "files" / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return Root(str(tmp_path / "files"))

    return make


def pair(number, label="neutral", **more):
    return {"premise": f"p{number}", "hypothesis": f"h{number}", "label": label, **more}


def test_unknown_task_names_the_nearest():
    with pytest.raises(SpecError, match="'xcoppa' is not known; did you mean 'xcopa'"):
        get("xcoppa")


@given(st.integers(1, 400), st.sets(st.sampled_from(["train", "dev", "test"]), min_size=1))
def test_shares_are_disjoint_whole_and_in_proportion(size, splits):
    users = tuple(split for split in ("train", "dev", "test") if split in splits)
    shares = [_share(list(range(size)), split, users) for split in users]
    assert sum(shares, []) == list(range(size))
    whole = sum(8 if user == "train" else 1 for user in users)
    for user, share in zip(users, shares, strict=True):
        assert abs(len(share) - size * (8 if user == "train" else 1) / whole) < 1


@pytest.mark.parametrize(
    ("there", "sizes"),
    [
        (("train", "dev", "test"), (20, 20, 20)),
        (("train", "test"), (18, 2, 20)),  # 8 : 1, rounded up
        (("dev",), (16, 2, 2)),
        (("train", "dev"), (20, 10, 10)),
        (("test",), None),
    ],
)
def test_splits_that_are_missing_take_a_share(write, there, sizes):
    task = get("pawsx")
    rows = [{"sentence1": f"{n}", "sentence2": "x", "label": n % 2} for n in range(20)]
    root = write(**{f"pawsx__{split}-en": [{**row, "sentence2": split} for row in rows] for split in there})
    if sizes is None:
        assert len(task.read(root, "test")) == 20
        with pytest.raises(DataError, match="pawsx: no dev data in language 'en'"):
            task.read(root, "dev")
        return
    read = {split: task.read(root, split) for split in ("train", "dev", "test")}
    assert tuple(map(len, read.values())) == sizes
    texts = [(example.first, example.second) for examples in read.values() for example in examples]
    assert len(texts) == len(set(texts)), "nothing is in two splits"
    for split, examples in read.items():
        source = examples[0].second
        alone = source == split and sum(e[0].second == source for e in read.values()) == 1
        assert (task.stand_in(root, split) == "") == alone
        assert f"pawsx/{source}-en.jsonl" in task.files(root, split)


def test_too_few_rows_to_share_are_refused(write):
    root = write(**{"pawsx__dev-en": [{"sentence1": "a", "sentence2": "b", "label": 1}]})
    assert len(get("pawsx").read(root, "train")) == 1
    with pytest.raises(DataError, match="pawsx/dev-en.jsonl: 1 examples are too few to be shared by train and dev and"):
        get("pawsx").read(root, "dev")


def test_elsewhere_a_whole_development_set_stands_in_for_a_missing_test_set():
    task = get("panx")
    assert task.stand_in(ROOT, "test", "ar") == "panx/dev-ar.tsv (dev) stands in for the missing test set"
    assert task.read(ROOT, "test", "ar") == task.read(ROOT, "dev", "ar") and task.stand_in(ROOT, "test", "th") == ""


def test_of_a_parallel_development_set_only_rows_that_nothing_used_in_english_are_tested():
    task = get("pawsx")
    assert task.languages(ROOT) == ["en", "fr", "ja", "ko"] and task.missing(ROOT) == ["de", "es", "zh"]
    assert task.stand_in(ROOT, "test", "fr") == "a part of pawsx/dev-fr.tsv (dev) stands in for the missing test set"
    assert task.read(ROOT, "test", "fr") == task.read(ROOT, "dev", "fr")[1:] and task.stand_in(ROOT, "test", "ja") == ""
    assert set(task.files(ROOT, "dev")) <= set(task.files(ROOT, "test", "fr"))


def test_the_fingerprint_covers_files_whose_presence_decides(copy):
    folder, root = copy
    for name, rows in (("panx", 3), ("xnli", 3)):
        task, before = get(name), root().fingerprint(get(name).files(root(), "dev"))
        assert len(task.read(root(), "dev")) == 2 and len(task.read(root(), "test")) == 1
        shutil.copy(folder / f"{name}/dev-en.tsv", folder / f"{name}/test-en.tsv")
        assert root().fingerprint(task.files(root(), "dev")) != before  # more examples are another data set
        assert len(task.read(root(), "dev")) == len(task.read(root(), "test")) == rows
        assert task.stand_in(root(), "test") == ""
    before = get("mlqa").files(root(), "dev")
    shutil.rmtree(folder / "squad")
    assert get("mlqa").files(root(), "dev") != before, "without its training set the development set is shared"


def test_a_column_of_languages_makes_several_languages_of_one_file(copy):
    folder, root = copy
    (folder / "XNLI-1.0").mkdir()
    rows = [("fr", "neutral", 'Un "chat.', "Un chat noir.", "1"), ("ur", "contradictory", "ہاں", "نہیں", "2"),
            ("fr", "entailment", "Il dort.", "Il ne court pas.", "3")]  # fmt: skip
    table = [("language", "gold_label", "sentence1", "sentence2", "pairID"), *rows]
    (folder / "XNLI-1.0/xnli.test.tsv").write_text("".join("\t".join(row) + "\n" for row in table))
    task = get("xnli")
    assert task.languages(root()) == ["ar", "en", "fr", "ur", "zh"]
    assert task.read(root(), "test", "fr")[0] == Pair("1", 'Un "chat.', "Un chat noir.", "neutral")
    assert [one.label for one in task.read(root(), "test", "ur")] == ["contradiction"]


def test_training_files_in_place_of_the_tasks_own(write, tmp_path):
    root = write(
        **{
            "translated__mnli-de": [pair(1), pair(2, "2")],
            "translated__mnli-fr": [pair(3, 0, language="fr"), pair(4, 1, language="sw")],
        }
    )
    (tmp_path / "elsewhere").mkdir()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([pair(5)]), tmp_path / "elsewhere/more.parquet")
    found = get("mnli").read_files(root, ["translated/*.jsonl", str(tmp_path / "elsewhere/*.parquet")])
    assert [(one.id, one.first, one.label) for one in found] == [
        ("1/1", "p1", "neutral"), ("1/2", "p2", "contradiction"), ("2/1", "p3", "entailment"),
        ("2/2", "p4", "neutral"), ("3/1", "p5", "neutral"),
    ]  # fmt: skip
    assert get("anli").read_files(root, ["translated/mnli-de.jsonl"]) == found[:2]


def test_training_files_are_worded_by_the_language_of_the_row(write):
    row = {"premise": "P", "choice1": "a", "choice2": "b", "question": "cause", "label": 0, "idx": 7}
    root = write(xcopa_train=[{**row, "language": code} for code in ("th", "en", "th", "id")] + [row])
    Path(root.path, "connectives.json").write_text('{"th": {"cause": "เพราะ", "effect": "จึง"}}')
    found = get("xcopa").read_files(root, ["xcopa_train.jsonl"])
    assert [one.context for one in found] == ["P เพราะ", "P because", "P เพราะ", "P because", "P because"]
    assert [one.id for one in found] == ["1/1", "1/2", "1/3", "1/4", "1/5"]


@pytest.mark.parametrize(
    ("rows", "patterns", "said"),
    [
        ([pair(1)], ["a.jsonl", "nowhere/*.jsonl"], r"nowhere/\*.jsonl: no file matches"),
        ([pair(1), pair(2, "maybe")], ["a.jsonl"], "a.jsonl:2: label 'maybe', expected one of entailment"),
        ([pair(1, "-")], ["*.jsonl"], "a.jsonl: no training examples of mnli"),
        ([pair(1, language=None)], ["*"], "a.jsonl:1: 'language' is None, expected str"),
        ([{"premise": "p", "label": 1}], ["*"], "a.jsonl:1: 'hypothesis' is nothing, expected str"),
    ],
)
def test_bad_training_files_are_refused(write, rows, patterns, said):
    with pytest.raises(DataError, match=said) as error:
        get("mnli").read_files(write(a=rows), patterns)
    assert "\n" not in str(error.value)


def test_baselines():
    choices = [Choice(str(i), "", ("a", "b") if i else ("a", "b", "c"), int(i > 1)) for i in range(4)]
    assert baselines.choosing(choices[:2], choices) == {
        "majority": 50.0,
        "random": pytest.approx(100 * (1 / 3 + 1.5) / 4),
    }
    tagged = [Tagged("1", ("a", "b", "c"), ("NOUN", "NOUN", "DET"))]
    assert baselines.tagging(tagged, tagged, ("NOUN", "DET"))["majority"] == 0.0  # one long chunk matches neither
    assert baselines.tagging(tagged, [Tagged("2", ("a",), ("NOUN",))], ("NOUN", "DET"))["majority"] == 100.0
    pairs = [Pair("1", "", "", "x"), Pair("2", "", "", "y"), Pair("3", "", "", "y")]
    assert baselines.classifying(pairs, pairs[:2], ("x", "y")) == {"majority": 50.0, "random": 50.0}

"""What the tagging tasks make of their files: treebanks, WikiANN, CCGbank."""

import shutil
from pathlib import Path

import pytest

from trainables.data import ccgbank
from trainables.data.root import Root
from trainables.errors import DataError
from trainables.tasks import get
from trainables.tasks.examples import Tagged, score

FIXTURE = Path(__file__).parents[2] / "fixtures/root"
ROOT = Root(str(FIXTURE))


@pytest.fixture
def write(tmp_path):
    def make(name, text):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return Root(str(tmp_path))

    return make


def conllu(*words):
    lines = (f"{n}\t{word}\t_\tNOUN\t_\t_\t{n - 1}\tdep\t_\t_\n" for n, word in enumerate(words, start=1))
    return "".join(lines) + "\n"


def test_the_benchmarks_languages():
    assert len(get("udpos").benchmark) == 38 and len(get("panx").benchmark) == 48
    for name in ("udpos", "panx"):
        task = get(name)
        assert list(task.benchmark) == sorted(set(task.benchmark))
        assert set(task.missing(ROOT)) == set(task.benchmark) - set(task.languages(ROOT))


def test_udpos_joins_treebanks_and_words():
    task = get("udpos")
    assert task.languages(ROOT) == ["ar", "en", "fa", "fr"]
    assert task.files(ROOT, "test") == ["ud/UD_English-A/en_a-ud-test.conllu", "ud/UD_English-B/en_b-ud-test.conllu"]
    assert task.read(ROOT, "test")[1] == Tagged("en_b-ud-test/1", ("don't", "go", "!"), ("AUX", "VERB", "PUNCT"))
    french = task.read(ROOT, "test", "fr")
    assert [example.words for example in french] == [("Il", "vient", "du", "parc"), ("10000", "chats")]
    assert french[0].tags == ("PRON", "VERB", "ADP", "NOUN")  # the precedence of French decides
    assert task.read(ROOT, "test", "ar")[0].tags == ("VERB", "PRON")
    assert task.read(ROOT, "test", "fa")[0].words == ("میرود",)
    assert len(task.read(ROOT, "train")) == 2
    assert task.stand_in(ROOT, "train") == task.stand_in(ROOT, "test", "fr") == ""


def test_udpos_orders_treebanks_by_file_name_and_knows_the_parts_of_large_ones(write):
    write("ud/UD_French-PUD/fr_pud-ud-test.conllu", conllu("deux"))
    write("ud/UD_French-ParTUT/fr_partut-ud-test.conllu", conllu("un"))
    for part in ("ud-train-b", "ud-train-a", "ud-dev"):
        write(f"ud/UD_English-Latest/en_latest-{part}.conllu", conllu(part))
    root = write("ud/UD_English-Latest/README.conllu", "")
    task = get("udpos")
    assert [example.words for example in task.read(root, "test", "fr")] == [("un",), ("deux",)]
    assert [example.words for example in task.read(root, "train")] == [("ud-train-a",), ("ud-train-b",)]
    assert task.files(root, "dev")[0] == "ud/UD_English-Latest/en_latest-ud-dev.conllu"


def test_udpos_takes_each_language_from_the_benchmarks_release(write):
    for release in ("2.5", "2.7", "2.9"):
        for folder, code in (("UD_German-GSD", "de"), ("UD_Polish-LFG", "pl"), ("UD_Czech-CAC", "cs")):
            name = f"ud-treebanks-v{release}/{folder}/{code}_x-ud-test.conllu"
            root = write(name, conllu(release))
    task = get("udpos")
    assert task.languages(root) == ["cs", "de", "pl"]
    assert task.read(root, "test", "de")[0].words == ("2.5",) and task.stand_in(root, "test", "de") == ""
    assert task.read(root, "test", "pl")[0].words == ("2.7",) and task.stand_in(root, "test", "pl") == ""
    with pytest.raises(DataError, match="cs_x-ud-test/1 is there twice"):
        task.read(root, "test", "cs")


def test_udpos_says_when_only_another_release_is_there(write):
    root = write("ud-treebanks-v2.14/UD_German-GSD/de_gsd-ud-test.conllu", conllu("Haus"))
    assert get("udpos").read(root, "test", "de") == [Tagged("de_gsd-ud-test/1", ("Haus",), ("NOUN",))]
    assert "not the benchmark's release" in get("udpos").stand_in(root, "test", "de")


def test_panx_development_files_stand_in_only_where_the_test_is_missing():
    task = get("panx")
    assert task.languages(ROOT) == ["ar", "en", "th"]
    assert task.files(ROOT, "test", "th") == ["panx/test-th.tsv"] and task.stand_in(ROOT, "test", "th") == ""
    assert task.read(ROOT, "test", "th")[0].words == ("กรุงเทพ", "สวย")
    assert task.files(ROOT, "test", "ar") == ["panx/dev-ar.tsv"] and len(task.read(ROOT, "test", "ar")) == 2
    assert task.stand_in(ROOT, "test", "ar") == "panx/dev-ar.tsv (dev) stands in for the missing test set"


def test_panx_english_dev_is_shared_where_it_stands_in_for_the_test(copy):
    folder, root = copy
    task = get("panx")
    dev, test = task.read(root(), "dev"), task.read(root(), "test")
    assert len(dev) == 2 and len(test) == 1 and not {e.id for e in dev} & {e.id for e in test}
    before = root().fingerprint(task.files(root(), "dev"))
    shutil.copy(folder / "panx/dev-en.tsv", folder / "panx/test-en.tsv")
    assert root().fingerprint(task.files(root(), "dev")) != before  # more examples are another data set
    assert len(task.read(root(), "dev")) == len(task.read(root(), "test")) == 3
    assert task.stand_in(root(), "test") == ""


def test_panx_reads_the_original_archives(write):
    text = "de:Angela\tB-PER\nde:Merkel\tI-PER\nde:12:30\tO\nde:\tO\n\nde:Bonn\tB-LOC\n"
    root = write("wikiann/de/test", text)
    task = get("panx")
    assert task.languages(root) == ["de"] and task.files(root, "test", "de") == ["wikiann/de/test"]
    assert task.read(root, "test", "de") == [
        Tagged("1", ("Angela", "Merkel", "12:30", "de:"), ("B-PER", "I-PER", "O", "O")),
        Tagged("2", ("Bonn",), ("B-LOC",)),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Bonn\tB-LOC\nBonn\n", "test-de.tsv:2: found 'Bonn', expected: token TAB label"),
        ("Bonn\tB-LOC\nBonn\tB-CITY\n", "test-de.tsv:2: label 'B-CITY', expected one of O B-LOC"),
        ("Bonn\t\n", "test-de.tsv:1: found 'Bonn.t', expected"),
    ],
)
def test_panx_refuses_lines_without_a_known_label(write, text, said):
    with pytest.raises(DataError, match=said):
        get("panx").read(write("panx/test-de.tsv", text), "test", "de")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"words": ["a"], "tags": ["O", "O"]}', "jsonl:1: 1 words and 2 tags, expected one tag per word"),
        ('{"words": [], "tags": []}', "jsonl:1: 0 words and 0 tags"),
        ('{"words": ["a"], "tags": ["NOUN"]}', "jsonl:1: label 'NOUN', expected one of O"),
        ('{"words": ["a"], "tags": [3]}', "'tags' holds 3, expected str"),
    ],
)
def test_uniform_rows_are_checked(write, row, said):
    with pytest.raises(DataError, match=said):
        get("panx").read(write("panx/test-de.jsonl", row + "\n"), "test", "de")


def test_ccg_reads_the_sections_of_a_licensed_copy():
    task = get("ccg")
    assert task.languages(ROOT) == [] and task.stand_in(ROOT, "train") == task.stand_in(ROOT, "dev") == ""
    first, second, third = task.read(ROOT, "train")
    assert first == Tagged("wsj_0201.1", ("She", "rests", "."), ("NP", "S[dcl]\\NP", "."))
    assert second.words == ("Old", "mills", "need", "water") and second.tags[2] == "(S[dcl]\\NP)/NP"
    assert third.id == "wsj_2101.1" and third.words[0] == "-LRB-"
    assert [example.id for example in task.read(ROOT, "dev")] == ["wsj_0001.1"]
    assert task.labels_in(ROOT) == ("(S[dcl]\\NP)/NP", ".", "N", "N/N", "NP", "S[dcl]\\NP")


def test_ccg_counts_words_also_those_whose_tag_no_training_sentence_has():
    task = get("ccg")
    (example,) = task.read(ROOT, "dev")
    assert set(example.tags) - set(task.labels_in(ROOT)) == {"(S\\NP)\\(S\\NP)"}
    judged = task.judge(example, ["NP", "S[dcl]\\NP", "NP"])
    assert (judged.hits, judged.predicted, judged.possible) == (2, 3, 3)
    assert score([judged, task.judge(Tagged("2", ("a",), ("N",)), ["N"])]) == pytest.approx(75.0)
    points = task.baselines(task.read(ROOT, "train"), [example])
    assert points == {"majority": 0.0, "random": pytest.approx(100 / 6)}


def test_ccg_reads_two_columns_and_names_the_corpus_where_it_is_absent(write):
    root = write("ccg/train-en.tsv", "It\tNP\nworks\tS[dcl]\\NP\n")
    assert get("ccg").read(root, "train")[0] == Tagged("1", ("It", "works"), ("NP", "S[dcl]\\NP"))
    with pytest.raises(DataError, match="ccg: no train data in language 'en'.*LDC2005T13.*udpos") as error:
        get("ccg").read(Root(root.path + "/absent"), "train")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "line",
    [
        "(<T S[dcl] 1 2> (<L NP PRP PRP It NP>) (<L S[dcl]\\NP VBZ VBZ works S[dcl]\\NP>)",  # cut before its end
        "(<T S[dcl] 1 2> (<L NP PRP PRP It NP>) (<L S[dcl]\\NP VBZ VBZ wor",
        "(<T S[dcl] 1 2> (<L NP PRP It NP>) )",  # a leaf of four parts
        "It works .",
        ")",
    ],
)
def test_broken_derivations_are_named(write, line):
    root = write("f.auto", f"ID=wsj_0001.1 PARSER=GOLD NUMPARSE=1\n{line}\n")
    with pytest.raises(DataError, match="f.auto:2: found .*expected ID=... or a derivation"):
        list(ccgbank.read(root, "f.auto"))

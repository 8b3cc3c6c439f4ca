"""Searching with a checkpoint: the layer is chosen on development sets only, pools are embedded once, shards change
nothing. The network is a table of vectors, so that what must be found is known."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests import models
from trainables import index, retrieval
from trainables.config import Cell, EvaluationConfig, Places
from trainables.data.root import Root
from trainables.encoding import Item, Items
from trainables.errors import DataError, ModelError
from trainables.tasks.bucc import Bucc
from trainables.tasks.examples import score
from trainables.tasks.lareqa import Lareqa
from trainables.tasks.mewslix import Mewslix
from trainables.tasks.tatoeba import Tatoeba

FIXTURE = Path(__file__).parents[1] / "fixtures/root"
ROOT = Root(str(FIXTURE))
LAYERS, WIDTH = 3, 256


class Encoder:
    """A row of two tokens: what the text means, and the text itself. Meanings are those of translations."""

    family = "encoder"
    tokenizer = SimpleNamespace(pad_token_id=0)
    meanings: dict[str, int] = {}
    seen: list[str] = []

    def __init__(self, *_):
        pass

    def texts(self, texts):
        Encoder.seen += texts
        rows = [(self.meanings.get(text, 0) + 1, 500 + sum(map(ord, text)) % 4000) for text in texts]
        return Items.of([Item((np.array(row, np.int32),)) for row in rows])


class Net:
    """Layer 2 (and the head) knows the meaning, layer 3 only the text, layer 1 nothing."""

    device = torch.device("cpu")

    def __init__(self, *heads):
        self.model = torch.nn.Identity()
        self.table = torch.randn(5000, WIDTH, generator=torch.Generator().manual_seed(3))
        self.heads = dict.fromkeys(heads, self)

    def layers(self, batch):
        meaning, table = batch.input_ids < 500, self.table[batch.input_ids]
        return tuple(table * known[..., None] for known in (~meaning, meaning & ~meaning, meaning, ~meaning))

    def hidden(self, batch):
        return self.layers(batch)[2]

    def embed(self, hidden, batch):
        return torch.nn.functional.normalize(hidden[:, 0], dim=-1)


@pytest.fixture(autouse=True)
def meanings(monkeypatch):
    """Translations mean the same; so do a question and its answers."""
    names: dict[str, int] = {}
    for task, split in ((Tatoeba(), "dev"), (Tatoeba(), "test"), (Bucc(), "dev"), (Bucc(), "test"), (Lareqa(), "test"),
                        (Mewslix(), "test"), (Lareqa(), "dev"), (Mewslix(), "dev")):  # fmt: skip
        for language in sorted({"en", *task.languages(ROOT)}):
            try:
                queries, pool = task.read(ROOT, split, language), task.pool(ROOT, split, language)
            except DataError:
                continue
            for text in [query.text for query in queries] + list(pool.texts):
                names.setdefault(text, len(names) + 1)
            for query in queries:
                for text in [query.text, *(pool.texts[number] for number in query.gold)]:
                    names[text] = names[pool.texts[query.gold[0]]] if query.gold else names[text]
    monkeypatch.setattr(Encoder, "meanings", names)
    monkeypatch.setattr(Encoder, "seen", [])
    monkeypatch.setattr(retrieval, "Encoder", Encoder)


def searcher(task, folder, *heads, root=FIXTURE):
    config = EvaluationConfig(
        ladder="tiny", size=models.size("encoder"), quantization="none", attention="bidirectional",
        max_length={task.name: 64}, cells=(),
    )  # fmt: skip
    places = Places(root=str(root), backbone="", snapshots="", output=str(folder))
    backbone = SimpleNamespace(tokenizer=Encoder.tokenizer, layers=LAYERS)
    return retrieval.predictor(config, places, backbone, Net(*heads), task), places


def points(task, predict, language, split="test"):
    queries, rankings, facts = predict(Cell(task=task.name, language=language, split=split))
    return score(task.judge(one, ranking) for one, ranking in zip(queries, rankings, strict=True)), rankings, facts


def test_the_layer_is_chosen_on_development_pairs(tmp_path):
    task = Tatoeba()
    predict, _ = searcher(task, tmp_path)
    found, rankings, facts = points(task, predict, "zh")
    assert found == 100.0 and rankings == [(0,), (1,)]
    assert facts["layer"] == 2 and not facts["centred"] and facts["pooling"] == "mean of all tokens"
    assert facts["chosen"] == "on development pairs in 1 languages, 100.0 points"
    assert facts["tokens"] == 8 and facts["candidates"] == 2 and facts["depth"] == 1


def test_the_test_set_has_no_say(tmp_path):
    predict, _ = searcher(Tatoeba(), tmp_path)
    assert Encoder.seen == ["The tap was open.", "The grass was wet.", "水龙头开着。", "草地湿了。"]


def test_without_development_pairs_it_is_the_layer_past_the_middle(tmp_path):
    root = tmp_path / "root"
    shutil.copytree(FIXTURE / "tatoeba", root / "tatoeba")
    predict, _ = searcher(Tatoeba(), tmp_path, root=root)
    facts = points(Tatoeba(), predict, "ar")[2]
    assert facts["layer"] == 2 and facts["chosen"].startswith("no development pairs")


def test_damaged_development_pairs_are_an_error_not_none(tmp_path):
    root = tmp_path / "root"
    shutil.copytree(FIXTURE, root)
    (root / "xcopa/data/zh/val.zh.jsonl").write_text('{"idx": 0, "premise": 3}\n')
    with pytest.raises(DataError, match="val.zh.jsonl:1: 'premise' is 3"):
        searcher(Tatoeba(), tmp_path, root=root)


def test_a_pool_that_languages_share_is_embedded_once(tmp_path):
    task = Lareqa()
    predict, _ = searcher(task, tmp_path, "lareqa")
    first, rankings, facts = points(task, predict, "ar")
    assert first == 100.0 and all(len(ranking) == 15 for ranking in rankings) and facts["scorer"] == "match"
    assert facts["tokens"] == 2 * (3 + 15) and facts["candidates"] == 15 and facts["depth"] == 20
    for language in ("en", "zh"):
        found, _, facts = points(task, predict, language)
        assert found == 100.0 and facts["tokens"] == 2 * 3


def test_a_ranked_task_without_a_head_compares_a_layer_chosen_on_english(tmp_path):
    task = Mewslix()
    predict, _ = searcher(task, tmp_path)
    found, _, facts = points(task, predict, "de")
    assert found == 100.0 and facts["layer"] == 2 and facts["chosen"].startswith("on development pairs in 1 languages")


@pytest.mark.parametrize(
    ("task", "heads", "size", "folder"),
    [(Lareqa(), ("lareqa",), 4, "lareqa-test.head"), (Mewslix(), (), 1, "mewslix-test.layer-2")],
    ids=["head", "direct"],
)
def test_shards_change_nothing_but_where_vectors_lie(tmp_path, monkeypatch, task, heads, size, folder):
    languages = task.languages(ROOT)
    whole = [points(task, searcher(task, tmp_path / "whole", *heads)[0], one)[1] for one in languages]
    monkeypatch.setattr(index, "SHARD", size)
    predict, places = searcher(task, tmp_path / "cut", *heads)
    assert [points(task, predict, one)[1] for one in languages] == whole
    files = sorted(path.name for path in (tmp_path / "cut/pool" / folder).iterdir())
    assert files[0] == f"000000000-{size:09d}.npy" and len(files) == 4
    again, _ = searcher(task, tmp_path / "cut", *heads)
    queries = task.read(ROOT, "test", "en")
    assert points(task, again, "en")[2]["tokens"] == 2 * len(queries)  # after an interruption: only the queries
    retrieval.clear(places)
    assert not (tmp_path / "cut/pool").exists()
    retrieval.clear(places)


def test_pairs_are_mined_above_a_threshold_from_the_development_set(tmp_path):
    task = Bucc()
    predict, _ = searcher(task, tmp_path)
    _, rankings, facts = points(task, predict, "de")
    dev_points, dev_rankings, dev_facts = points(task, predict, "de", "dev")
    assert dev_points == 100.0 and dev_rankings == [(2,), (), (0,), ()]
    assert facts["threshold"] == dev_facts["threshold"] > 1 and facts["margin"] == "ratio" and facts["neighbours"] == 4
    assert [rankings[place] for place in (0, 2, 4)] == [(4,), (0,), (2,)]
    assert rankings[1] == rankings[3] == ()  # "Ja." stands twice: nobody can say which is meant


def test_mining_needs_a_development_set(tmp_path):
    root = tmp_path / "root"
    shutil.copytree(FIXTURE / "bucc2018", root / "bucc2018")
    (root / "bucc2018/de-en.dev.gold").unlink()
    (root / "bucc2018/de-en.dev.de").unlink()
    predict, _ = searcher(Bucc(), tmp_path, root=root)
    with pytest.raises(DataError, match="bucc2018: no dev data in language 'de'"):
        points(Bucc(), predict, "de")


def test_centring_takes_each_sides_own_mean_off(tmp_path):
    """In shards as at once."""
    draw = np.random.default_rng(0)
    queries, pool = draw.normal(size=(5, 8)).astype(np.float32) + 3, draw.normal(size=(30, 8)).astype(np.float32) - 2
    centred = retrieval._ranked(queries, [pool], True, 7)
    assert centred == retrieval._ranked(queries, [pool[:11], pool[11:]], True, 7)
    assert centred == retrieval._ranked(queries - queries.mean(0), [pool - pool.mean(0)], False, 7)
    assert centred != retrieval._ranked(queries, [pool], False, 7)


def test_development_rankings_during_training():
    task, net = Mewslix(), Net("mewslix")
    net.model.train()
    queries, rankings = retrieval.dev_rankings(net, Encoder(), task, ROOT)
    assert queries == task.read(ROOT, "dev") and net.model.training
    assert score(task.judge(one, ranking) for one, ranking in zip(queries, rankings, strict=True)) == 100.0


def test_vectors_that_are_not_finite_are_no_score(tmp_path):
    task, net = Mewslix(), Net("mewslix")
    net.table[:] = float("nan")
    queries, rankings = retrieval.dev_rankings(net, Encoder(), task, ROOT)
    assert rankings == [()] * len(queries)
    with pytest.raises(ModelError, match="mewslix: the checkpoint gives vectors that are not finite"):
        retrieval.Embedder(net, Encoder(), "mewslix", 64)(["a text"])

"""Scoring: cells with their predictions, only what is missing, the same answers in any company."""

import json
import shutil
from pathlib import Path

import pandas
import pytest

from trainables import evaluate as module
from trainables import phase
from trainables.config import Cell, EvaluationConfig, Runtime
from trainables.errors import CheckpointError
from trainables.evaluate import evaluate


def config(world, *cells):
    return EvaluationConfig(
        ladder="lab", size=world.size, quantization="nf4", attention="causal",
        max_length={task: 64 for task, _, _ in cells},
        cells=tuple(Cell(task=task, language=language, split=split) for task, language, split in cells),
    )  # fmt: skip


@pytest.fixture
def trained(places, tune_config):
    return phase.train(tune_config("udpos"), 3e-3, places("trained"), Runtime(), lambda e: None).checkpoint


def test_a_score_follows_from_its_predictions(world, places, trained):
    where = places("scores", trained)
    cells = [("udpos", "en", "test"), ("udpos", "xd", "test"), ("udpos", "en", "dev")]
    scores = evaluate(config(world, *cells), where, Runtime(), lambda e: None)
    assert [(s.task, s.language, s.split) for s in scores] == cells
    for one in scores:
        frame = pandas.read_parquet(f"{where.output}/predictions/udpos.{one.language}.{one.split}.parquet")
        assert len(frame) == one.examples > 0
        assert frame.id.is_unique
        points = 200 * frame.hits.sum() / (frame.predicted.sum() + frame.possible.sum())
        assert one.score == pytest.approx(points)
        assert set(one.baselines) == {"majority", "random"}
        assert one.details["scorer"] == "tag"


def test_only_what_is_missing_is_scored_again(world, places, trained, monkeypatch):
    where = places("scores", trained)
    wanted = config(world, ("udpos", "en", "test"), ("udpos", "xa", "test"))
    first = evaluate(wanted, where, Runtime(), lambda e: None)
    Path(where.output, "scores", "udpos.xa.test.json").unlink()
    events = []
    assert _stripped(evaluate(wanted, where, Runtime(), events.append)) == _stripped(first)
    assert [event["cell"] for event in events] == ["udpos/xa"]
    monkeypatch.setattr(module, "load", None)  # nothing is loaded when nothing is missing
    assert _stripped(evaluate(wanted, where, Runtime(), lambda e: None)) == _stripped(first)


@pytest.mark.parametrize("damage", ["{", "{}", json.dumps({"task": 3}), "[]"])
def test_a_damaged_score_is_made_again(world, places, trained, damage):
    where = places("scores", trained)
    wanted = config(world, ("udpos", "en", "test"))
    first = evaluate(wanted, where, Runtime(), lambda e: None)
    Path(where.output, "scores", "udpos.en.test.json").write_text(damage)
    assert _stripped(evaluate(wanted, where, Runtime(), lambda e: None)) == _stripped(first)


def test_damaged_predictions_are_made_again_with_their_score(world, places, trained):
    where = places("scores", trained)
    wanted = config(world, ("udpos", "en", "test"))
    first = evaluate(wanted, where, Runtime(), lambda e: None)
    file = Path(where.output, "predictions", "udpos.en.test.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[:-4])
    assert _stripped(evaluate(wanted, where, Runtime(), lambda e: None)) == _stripped(first)
    assert file.read_bytes() == whole


def test_the_bare_backbone_scores_retrieval_with_a_layer_chosen_on_development_pairs(world, places):
    where = places("bare")
    scores = evaluate(
        config(world, ("tatoeba", "xa", "test"), ("tatoeba", "xd", "test")), where, Runtime(), lambda e: None
    )
    for one in scores:
        assert one.details["layer"] in (1, 2)
        assert "on development pairs in 4 languages" in one.details["chosen"]
    assert scores[0].score > scores[1].score, "near languages share words with English"
    frame = pandas.read_parquet(f"{where.output}/predictions/tatoeba.xa.test.parquet")
    assert frame.gold.astype(int).tolist() == list(range(len(frame)))


def test_a_choice_can_be_scored_without_any_training_by_the_language_model(world, places):
    [score] = evaluate(config(world, ("xcopa", "en", "dev")), places("bare"), Runtime(), lambda e: None)
    assert score.details["scorer"] == "lm"
    assert 30 < score.score < 75


def test_a_head_that_was_never_trained_is_refused(world, places):
    with pytest.raises(CheckpointError, match="bare backbone has no head for xnli"):
        evaluate(config(world, ("xnli", "en", "test")), places("bare"), Runtime(), lambda e: None)


def test_a_question_has_its_parts_beside_its_score(world, places, tune_config, tmp_path):
    shutil.copytree(world.root, tmp_path / "root")
    answer = {"text": "b", "answer_start": 4}
    # JSON can hold half a character; no tokenizer and no parquet file can.
    paragraphs = [
        {"context": "a \ud83d b", "qas": [{"id": str(i), "question": "q", "answers": [answer]}]} for i in range(9)
    ]
    (tmp_path / "root" / "squad").mkdir()
    for split in ("train", "dev"):
        file = tmp_path / "root" / "squad" / f"{split}-v1.1.json"
        file.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    root = {"root": str(tmp_path / "root")}
    trained = phase.train(
        tune_config("squad", steps=2), 1e-3, places("t").model_copy(update=root), Runtime(), lambda e: None
    )
    where = places("scores", trained.checkpoint).model_copy(update=root)
    [one] = evaluate(config(world, ("squad", "en", "dev")), where, Runtime(), lambda e: None)
    frame = pandas.read_parquet(f"{where.output}/predictions/squad.en.dev.parquet")
    assert list(frame.columns) == ["id", "prediction", "gold", "hits", "predicted", "possible", "group", "exact", "f1"]
    assert frame.group.nunique() == 1 and len(frame.group[0]) == 16, "nine questions about one paragraph"
    assert one.details["scorer"] == "span"
    assert one.details["exact"] == pytest.approx(100 * frame.exact.mean())
    assert one.score == pytest.approx((one.details["exact"] + one.details["f1"]) / 2)
    assert set(frame.prediction) <= {"a", "?", "b", "a ?", "? b", "a ? b"}


def test_what_stood_in_for_training_and_test_data_is_told(world, places, tune_config, tmp_path):
    folder = tmp_path / "root" / "xnli"
    folder.mkdir(parents=True)
    row = json.dumps({"premise": "a", "hypothesis": "b", "label": "neutral"}) + "\n"
    for language in ("en", "de"):
        (folder / f"dev-{language}.jsonl").write_text(row * 20)
    root = {"root": str(tmp_path / "root")}
    trained = phase.train(
        tune_config("xnli", steps=2), 1e-3, places("t").model_copy(update=root), Runtime(), lambda e: None
    )
    where = places("scores", trained.checkpoint).model_copy(update=root)
    [one] = evaluate(config(world, ("xnli", "de", "test")), where, Runtime(), lambda e: None)
    assert one.details["stand_in"] == "a part of xnli/dev-de.jsonl (dev) stands in for the missing test set"
    assert "stands in for the missing train set" in one.details["train_stand_in"]


def _stripped(scores):
    return [score.model_copy(update={"seconds": 0.0}) for score in scores]

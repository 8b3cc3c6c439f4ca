"""The ladder files: what they must say, what is refused, and how many of the benchmark's languages were seen."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from trainables.errors import SpecError
from trainables.models.ladders import Ladder, ladder, ladder_names
from trainables.models.shape import MODEL_TYPES
from trainables.tasks import TASKS

PUBLISHED = [name for name in ladder_names() if ladder(name).pretrain is None]
BENCHMARK = {language for task in TASKS.values() if task.group for language in task.benchmark}
SHAPE: dict[str, Any] = {
    "hidden": 16, "layers": 2, "heads": 2, "intermediate": 32, "vocabulary": 100, "model_type": "llama",
}  # fmt: skip
RUNG: dict[str, Any] = {**SHAPE, "model": {"repo": "house/model"}}


def made(**changes: Any) -> Ladder:
    value = {"name": "own", "title": "Own", "family": "decoder", "attention": "causal", "sizes": {"s": RUNG}}
    return Ladder.model_validate({**value, **changes})


def test_families_of_the_study_are_there() -> None:
    assert {
        "xlmr",
        "qwen3",
        "qwen2_5",
        "gemma3",
        "llama1",
        "llama2",
        "llama3",
        "bloom",
        "xglm",
        "eurollm",
        "mt5",
    } <= set(PUBLISHED)
    assert {"lab", "mini"}.isdisjoint(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_size_says_what_a_study_needs(name: str) -> None:
    found = ladder(name)
    assert found.title and found.licence and found.source and set(found.languages) <= BENCHMARK
    sizes = []
    for rung in found.sizes.values():
        assert rung.model_type in MODEL_TYPES and rung.model is not None and rung.model.revision is None
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", rung.model.repo or "")
        assert set(rung.languages or ()) <= BENCHMARK
        sizes.append(rung.model.parameters)
    assert sizes == sorted(sizes) and len(set(sizes)) == len(sizes)
    assert found.gated == (name in ("gemma3", "llama2", "llama3"))
    assert (found.attention == "bidirectional") == (found.family == "encoder")


def test_how_many_of_the_benchmark_s_languages_were_seen() -> None:
    seen = {name: len(ladder(name).languages) for name in PUBLISHED if ladder(name).languages}
    assert seen == {
        "xlmr": 46, "mt5": 48, "qwen3": 47, "qwen2_5": 13, "xglm": 29, "bloom": 21, "eurollm": 23, "eurollm_2512": 23,
        "llama1": 13, "llama2": 19, "llama3": 8,
    }  # fmt: skip
    assert set(BENCHMARK) - set(ladder("xlmr").languages) == {"ht", "qu", "wo", "yo"}
    assert ladder("gemma3").sizes["1b"].languages == ("en",)


def test_parameters_may_be_left_out_and_must_be_right() -> None:
    counted = made().sizes["s"].model
    assert counted is not None
    again = {**RUNG, "model": {"repo": "house/model", "parameters": counted.parameters}}
    assert made(sizes={"s": again}) == made()
    wrong = {**RUNG, "model": {"repo": "house/model", "parameters": 7}}
    with pytest.raises(ValidationError, match=f"{counted.parameters} by its shape, not 7"):
        made(sizes={"s": wrong})


RECIPE = ladder("lab").pretrain


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"sizes": {"s": SHAPE}}, "a `model` for size s, or `pretrain`"),
        ({"pretrain": RECIPE}, "either `pretrain` for the ladder or a `model` for each size, not both"),
        ({"sizes": {"s": {**RUNG, "model": {}}}}, "either `repo`"),
        ({"sizes": {"s": {**RUNG, "model": {"repo": "a/b", "path": "/c"}}}}, "either `repo`"),
        ({"sizes": {"s": {**RUNG, "model": {"repo": "nameless"}}}}, "owner/name"),
        ({"sizes": {"s": {**RUNG, "model": {"path": "/c", "revision": "main"}}}}, "`revision`"),
        ({"sizes": {"s": {**RUNG, "model_type": "lama"}}}, "'lama' is not known; there are xlm-roberta"),
        ({"sizes": {"s": {**RUNG, "heads": 3}}}, "3 heads do not divide 16"),
        ({"sizes": {"s": {**RUNG, "heads": 4, "kv_heads": 3}}}, "divide the 4 heads"),
        ({"sizes": {"a/b": RUNG}}, "sizes named by letters"),
    ],
)
def test_what_a_ladder_may_not_say(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(line)):
        made(**changes)


def test_an_unknown_ladder_is_answered_with_the_nearest() -> None:
    with pytest.raises(SpecError, match="did you mean qwen3"):
        ladder("qwen33")

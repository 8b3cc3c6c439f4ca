"""A ladder of the user's own: found beside the study, kept with it, and every mistake in one line."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from study.spec import StudySpec
from study.specfile import load, parse
from study.store import Store
from trainables.errors import SpecError

RUNG: dict[str, Any] = {
    "hidden": 16, "layers": 2, "heads": 2, "intermediate": 32, "vocabulary": 100, "positions": 40,
    "model_type": "xlm-roberta", "model": {"repo": "house/model"},
}  # fmt: skip
LADDER: dict[str, Any] = {
    "title": "Own", "family": "encoder", "attention": "bidirectional",
    "sizes": {"b": RUNG, "a": {**RUNG, "layers": 3, "model": {"path": "models/a"}}},
}  # fmt: skip
STUDY: dict[str, Any] = {"name": "mine", "ladder": "ladders/own.yaml", "training": {"max_length": 32}}


def written(folder: Path, ladder: Any = LADDER, **study: Any) -> str:
    (folder / "ladders").mkdir(exist_ok=True, parents=True)
    (folder / "ladders" / "own.yaml").write_text(yaml.safe_dump(ladder, sort_keys=False))
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump({**STUDY, "storage": str(folder / "runs"), **study}))
    return str(path)


def problem(folder: Path, ladder: Any) -> list[str]:
    with pytest.raises(SpecError) as error:
        load(written(folder, ladder))
    return [line.removeprefix(f"{folder}/ladders/own.yaml: ") for line in str(error.value).splitlines()]


def keep(spec: StudySpec) -> None:
    """What a run writes first."""
    Store(f"{spec.storage}/{spec.name}").write_spec(spec.model_dump(mode="json"))


def test_the_study_holds_the_ladder_in_its_order(tmp_path: Path) -> None:
    spec = load(written(tmp_path))
    assert (spec.ladder, spec.sizes, spec.attention) == ("own", ("b", "a"), "bidirectional")
    family = spec.family()
    assert family.name == "own" and family.sizes["b"].model is not None and family.sizes["b"].model.parameters > 0
    own = family.sizes["a"].model
    assert own is not None and own.path == str(tmp_path / "ladders" / "models" / "a"), "relative to the ladder's file"
    assert spec.longest() == 40
    assert parse(spec.model_dump(mode="json")) == spec


def test_a_ladder_is_looked_for_below_the_working_directory_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "here")
    elsewhere = tmp_path / "study.yaml"
    elsewhere.write_text(yaml.safe_dump(STUDY))
    with pytest.raises(SpecError, match="ladder: 'ladders/own.yaml' is no file beside it in "):
        load(str(elsewhere))
    monkeypatch.chdir(tmp_path / "here")
    assert load(str(elsewhere)).sizes == ("b", "a")


def test_the_study_s_folder_keeps_the_ladder_when_its_file_is_gone(tmp_path: Path) -> None:
    path = written(tmp_path)
    spec = load(path)
    keep(spec)
    (tmp_path / "ladders" / "own.yaml").unlink()
    assert load(path) == spec
    Path(path).write_text(Path(path).read_text().replace("own.yaml", "typo.yaml"))
    with pytest.raises(SpecError, match="'ladders/typo.yaml' is no file beside it"):
        load(path)


def test_a_scratch_ladder_of_one_s_own(tmp_path: Path) -> None:
    recipe = {"tokenizer": "words", "vocabulary": 99, "steps": 5, "batch_size": 4, "learning_rate": 1e-3,
              "matrix_learning_rate": 1e-2, "max_length": 64}  # fmt: skip
    shape = {"hidden": 8, "layers": 1, "heads": 1, "intermediate": 8}
    ladder = {**LADDER, "family": "decoder", "attention": "causal", "sizes": {"x": shape}, "pretrain": recipe}
    assert load(written(tmp_path, ladder, pretrain={"steps": 3})).family().pretrain is not None


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"famly": "x"}, "famly: unknown key; did you mean family?"),
        ({"title": None}, "title: found null, allowed: text"),
        ({"family": "both"}, "family: found \"both\", allowed: 'encoder' or 'decoder'"),
        ({"sizes": {"s": {**RUNG, "hiden": 3}}}, "sizes.s.hiden: unknown key; did you mean sizes.s.hidden?"),
        ({"sizes": {"s": {**RUNG, "model": {"rep": "a/b"}}}}, "sizes.s.model.rep: unknown key; did you mean sizes.s.model.repo?"),  # noqa: E501
        ({"sizes": {"s": {**RUNG, "hidden": "16"}}}, 'sizes.s.hidden: found "16", allowed: a whole number'),
        ({"sizes": {"s": {**RUNG, "model": {"repo": "x"}}}}, "sizes.s.model: wanted: `repo` as owner/name"),
        ({"sizes": {}}, "sizes: wanted: at least 1 entry"),
        ({"sizes": {"s": {k: v for k, v in RUNG.items() if k != "model"}}}, "ladder: wanted: a `model` for size s, or `pretrain` for the ladder"),  # noqa: E501
        ({"sizes": {"s": {k: v for k, v in RUNG.items() if k != "layers"}}}, "sizes.s.layers: missing; every size needs it"),  # noqa: E501
        ({"pretrain": {"stepps": 3}}, "pretrain.stepps: unknown key; did you mean pretrain.steps?"),
    ],
)  # fmt: skip
def test_a_mistake_gives_its_line(tmp_path: Path, changes: dict[str, Any], line: str) -> None:
    assert line in problem(tmp_path, {**LADDER, **changes})


def test_what_is_no_ladder_at_all(tmp_path: Path) -> None:
    assert problem(tmp_path, ["a"]) == ["found a list, wanted a mapping that starts like `title: My ladder`"]
    with pytest.raises(SpecError, match="own_ladder: found 3, allowed: a mapping"):
        parse({"name": "x", "ladder": "own", "own_ladder": 3})

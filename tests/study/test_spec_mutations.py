"""No mutation of a shipped study gives anything but a study or a `SpecError` in whole lines."""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from study.cli import app
from study.spec import StudySpec
from study.specfile import load, shipped
from trainables.errors import SpecError

FOLDER = Path(__file__).parents[2] / "study" / "studies"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Paths of everything inside nested mappings and lists."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in items for found in [(*path, key), *places(item, (*path, key))]]


@cache
def written(name: str) -> Any:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Text of a shipped study after one to three mutations."""
    value = copy.deepcopy(written(draw(st.sampled_from(shipped()))))
    for _ in range(draw(st.integers(1, 3))):
        spots = places(value)
        if not spots:
            break
        *parents, last = draw(st.sampled_from(spots))
        inside = value
        for key in parents:
            inside = inside[key]
        how = draw(st.sampled_from(["delete", "rename", "replace", "twice"]))
        if how == "delete":
            del inside[last]
        elif how == "rename" and isinstance(inside, dict):
            inside[draw(st.text(max_size=12))] = inside.pop(last)
        elif how == "replace":
            inside[last] = draw(JSON)
        elif isinstance(inside, list):
            inside.append(copy.deepcopy(inside[last]))
        else:
            inside[f"{last}{draw(st.sampled_from(['s', '_', '2']))}"] = copy.deepcopy(inside[last])
    text = yaml.safe_dump(value, allow_unicode=True) if draw(st.booleans()) else json.dumps(value)
    if draw(st.integers(0, 4)) == 0:
        cut = draw(st.integers(0, len(text)))
        text = text[:cut] + draw(st.text(max_size=6)) + text[cut:]
    return text


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=mutated())
def test_a_mutation_is_a_study_or_a_spec_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        assert isinstance(load(str(path)), StudySpec)
    except SpecError as error:
        assert all(line.startswith(str(path)) for line in str(error).splitlines())


@pytest.mark.timeout(120)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=mutated())
def test_the_command_line_never_shows_a_traceback(tmp_path: Path, text: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    result = CliRunner().invoke(app, ["status", str(path), "--storage", str(tmp_path / "runs")])
    assert result.exit_code in (0, 2), result.output
    assert "Traceback" not in result.output
    if result.exit_code == 2:
        assert all(line.startswith("error: ") for line in result.stderr.splitlines())

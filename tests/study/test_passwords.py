"""No password gets into a study, and no name of a study leads out of its folder."""

from pathlib import Path

import pytest

from study.specfile import parse
from trainables.data import patterns
from trainables.data.root import Root
from trainables.errors import DataError, SpecError
from trainables.models.ladders import Ladder, ladder

SECRET = "hunter2"


def problem(**changes: object) -> str:
    with pytest.raises(SpecError) as error:
        parse({"name": "tiny", "ladder": "lab", **changes})
    return str(error.value)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"storage": f"s3://me:{SECRET}@bucket/runs"}, "storage"),
        ({"tracking": {"uri": f"https://me:{SECRET}@tracker:5000"}}, "tracking.uri"),
        ({"tracking": {"uri": f"https://tracker/?access_token={SECRET}"}}, "tracking.uri"),
        ({"data": {"source": "local", "root": f"https://x/y?X-Amz-Signature={SECRET}"}}, "data.root"),
        (
            {"arms": {"none": None, "a": {"tasks": "siqa", "files": {"siqa": f"https://u:{SECRET}@h/f"}}}},
            "arms.a.files",
        ),
    ],
)
def test_an_address_with_a_password_is_refused_and_not_repeated(changes: dict, place: str) -> None:
    line = problem(**changes)
    assert place in line and "credentials belong into the environment" in line and SECRET not in line


@pytest.mark.parametrize(
    "address", ["s3://bucket/a@b:c/runs", "abfs://box@account.dfs.core.windows.net/r", "/a:b@c/runs"]
)
def test_an_address_without_one_is_taken(address: str) -> None:
    assert parse({"name": "tiny", "ladder": "lab", "storage": address}).storage == address


@pytest.mark.parametrize("name", ["..", "../up", "a/b", "/etc", ".hidden", "a\\b", "a\nb", "", "a" * 65, "models"])
def test_a_study_s_name_is_a_folder_below_the_storage(name: str) -> None:
    assert "name: " in problem(name=name)


@pytest.mark.parametrize("name", ["..", "../up", "a/b", "a\x00b"])
def test_names_of_arms_and_sizes_are_parts_of_folder_names(name: str) -> None:
    assert "arms" in problem(arms={"none": None, name: "siqa"})
    assert "sizes" in problem(sizes=[name])
    with pytest.raises(ValueError, match="sizes named by letters"):
        own = ladder("lab").model_dump()
        Ladder.model_validate({**own, "sizes": {name: own["sizes"]["xs"]}})


@pytest.mark.parametrize("task", ["../udpos", "/etc/passwd"])
def test_tasks_are_those_that_there_are(task: str) -> None:
    assert "is not a known task" in problem(targets=[task])


@pytest.mark.parametrize("pattern", ["../secret.jsonl", "a/../../secret.jsonl", "*/../../secret.jsonl", ".."])
def test_a_study_s_files_are_below_the_data_root(pattern: str, tmp_path: Path) -> None:
    """Unless they are given whole, by an absolute path or address: then the user names them on purpose."""
    (tmp_path / "root" / "a").mkdir(parents=True)
    (tmp_path / "root" / "a" / "own.jsonl").write_text("{}")
    (tmp_path / "secret.jsonl").write_text("{}")
    with pytest.raises(DataError, match="leads out of the data root"):
        patterns.find(Root(str(tmp_path / "root")), [pattern])

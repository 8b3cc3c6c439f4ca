"""Every study, set of arms and ladder shown in the README is one that can be run, and its tables are complete."""

import re
from pathlib import Path

import pytest
import yaml

from study.specfile import parse
from trainables.models.ladders import Ladder, ladder, ladder_names

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_yaml_of_the_readme_is_a_study_or_a_ladder(block: str) -> None:
    value = {"name": "shown", "ladder": "mini", **yaml.safe_load(block)}
    if "family" in value:
        del value["ladder"]
        assert len(Ladder.model_validate(value).sizes) > 1
        return
    spec = parse(value)
    assert len(spec.arms) > 1


def test_the_table_of_tasks_names_every_task() -> None:
    from trainables.tasks import TASKS

    table = README[README.index("### Tasks and arms") : README.index("An arm is what")]
    assert set(re.findall(r"[a-z_0-9]+", " ".join(re.findall(r"`([^`]+)`", table)))) >= set(TASKS)


def test_the_table_of_ladders_names_every_published_size() -> None:
    table = README[README.index("### Real models") : README.index("study fetch my.yaml       #")]
    words = set(re.findall(r"[a-z0-9_.]+", table.lower()))
    for name in ladder_names():
        found = ladder(name)
        if found.pretrain is None:
            row = next(line for line in table.splitlines() if f"`{name}`" in line)
            assert {name, *found.sizes} <= words
            assert not found.languages or re.search(rf"\b{len(found.languages)}\b", row)
            assert not found.gated or "gated" in row

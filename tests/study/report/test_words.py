"""Does the page use one word for one thing, and never a hyphen for a minus?"""

import re
from pathlib import Path

import pytest

from study import cli
from study.report import write
from tests.study.report.synthetic import Plan, build

README = (Path(__file__).parents[3] / "README.md").read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    plan = Plan(targets=("xcopa", "tatoeba"), gains={"xs": 0.0, "s": 12.0, "m": 12.0}, examples=40, resamples=30)
    return Path(write(build(tmp_path_factory.mktemp("words") / "toy", plan))["page"]).parent


def test_a_difference_of_sizes_is_written_with_minus(folder):
    hyphen = re.compile(r"(?<=[a-z\d]) - (?=[a-z\d])")
    page = re.sub(r"<(script|style).*?</\1>", "", (folder / "index.html").read_text(), flags=re.DOTALL)
    assert "m minus xs" in page
    for text in (re.sub(r"<[^>]+>", " ", page), *(path.read_text() for path in folder.glob("*.csv"))):
        assert not hyphen.search(text), text[max(hyphen.search(text).start() - 60, 0) :][:120]


def test_what_stands_and_what_a_single_interval_shows_have_two_names(folder):
    page = (folder / "index.html").read_text()
    assert "clear of" not in page
    gains = page[page.index('<table id="table-gains">') :]
    fall = page[page.index('<table id="table-distance">') :]
    assert ">stands<" in gains[: gains.index("</thead>")]
    heading = fall[: fall.index("</thead>")]
    assert ">interval leaves out 0<" in heading and ">stands<" not in heading


def test_the_fine_tuning_has_two_steps_everywhere():
    assert "in two steps" in README and "two-step" in cli.HELP
    assert "three-phase" not in README + cli.HELP


def test_the_example_of_a_cluster_is_a_study_that_needs_one():
    assert re.findall(r"study clusters render (\S+)", README) == ["clusters/example.yaml"]

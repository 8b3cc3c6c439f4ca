"""Is the page whole by itself, does every number lead to its cells, and does a script stay a convenience?"""

import base64
import hashlib
import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from study.report import write
from study.report.findings import gather
from study.report.marks import Tip, mark, marks_of
from study.report.page import verdict_lines
from study.report.style import canvas, finish
from study.report.svg import marked
from study.store import Store
from tests.study.report.synthetic import Plan, build
from tests.study.report.test_report import NOW

PLAN = Plan(sizes=("xs", "s"), targets=("xcopa", "tatoeba"), gains={"xs": 0.0, "s": 10.0}, resamples=100)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return build(tmp_path_factory.mktemp("page") / "toy", PLAN)


@pytest.fixture(scope="module")
def page(store) -> str:
    return Path(write(store, NOW)["page"]).read_text(encoding="utf-8")


def figure(page: str, name: str) -> str:
    return page.partition(f'<figure id="figure-{name}">')[2].partition("</figure>")[0]


def test_nothing_outside_is_named_and_the_policy_forbids_any_network(page):
    assert not re.search(r"(https?:)?//[a-z]", page, flags=re.I)
    assert not re.search(r"@import|\bsrc=|url\((?!#)", page)
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1])
    assert policy.startswith("default-src 'none'; img-src data:;")
    script = re.search(r"<script>(.*?)</script>", page, flags=re.S)[1]
    named = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{named}';" in policy and page.count("<script") == 1
    assert not re.search(r"\son[a-z]+=", re.sub(r"<script>.*?</script>", "", page, flags=re.S))


def test_every_link_within_the_page_leads_somewhere(store, page):
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    links = [unescape(link) for link in re.findall(r'href="([^"]+)"', page)]
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    files = {link for link in links if not link.startswith(("#", "data:"))}
    assert {"report.md", "gains.csv", "tex/gains.tex", "figures/gain-siqa.svg"} <= files
    assert all((Path(store.report_folder) / link).is_file() for link in files)


def test_a_mark_tells_its_number_and_leads_to_its_evaluations(store, page):
    drawn = figure(page, "gain-siqa")
    estimate = gather(store).gains["siqa"]["xcopa"].at("s")
    points = re.findall(r'<use class="mark" data-keys="([^"]*)"[^>]*><title>([^<]*)</title>', drawn)
    (places,) = [places for places, text in points if text.startswith("gain of siqa at s, xcopa\n")]
    assert any(f"{estimate.point:+.1f} (95 % interval" in text for _, text in points)
    keys = re.findall(r'<a class="key" href="#phase-([^"]+)">', drawn)
    assert {keys[int(place)] for place in places.split()} == {
        f"evaluation-target-s-{arm}-xcopa-{seed}" for arm in ("siqa", "none") for seed in (0, 1)
    }


def test_arms_can_be_told_apart_by_the_script(page):
    assert set(re.findall(r'<g [^>]*data-arm="([^"]+)"', figure(page, "scaling-xcopa"))) == {"none", "siqa"}
    assert re.findall(r'class="chip" data-arm="([^"]+)"', page) == ["none", "siqa"]


def test_a_row_of_gains_leads_to_the_cells_of_both_arms(page):
    rows = re.findall(r'href="#table-scores" data-filter="([^"]+)"', page)
    assert "arm:=siqa|=none;target:=xcopa;size:=s" in rows
    assert "arm:=siqa|=none;size:=s" in rows  # the pool rests on all targets
    headings = re.search(r'<table id="table-scores">\s*<thead><tr>(.*?)</tr>', page, flags=re.S)[1]
    assert {"arm", "target", "size"} <= set(re.findall(r"<th[^>]*>([^<]+)</th>", headings))


def test_half_a_study_says_first_what_is_missing_and_what_waits(tmp_path):
    skip = {("s", arm, target, seed) for arm in ("none", "siqa") for target in PLAN.targets for seed in (0, 1)}
    store = build(tmp_path / "toy", PLAN, skip | {("xs", "siqa", "xcopa", 1)})
    text = Path(write(store, NOW)["page"]).read_text(encoding="utf-8")
    top = text.partition('id="gaps"')[2].partition("</section>")[0]
    assert text.index('id="gaps"') < text.index('id="answers"')
    assert "9 of 16 cells" in top and "s: all 8 cells." in top and "xs, siqa: xcopa, seed 1." in top
    assert "Cannot be told yet: answer" in top
    assert "## Not finished" in (Path(store.report_folder) / "report.md").read_text(encoding="utf-8")


def test_a_finished_study_has_no_such_box(page):
    assert 'id="gaps"' not in page


def test_figures_open_by_themselves(store, page):
    for path in (Path(store.report_folder) / "figures").glob("*.svg"):
        tree = ElementTree.parse(path).getroot()
        assert tree.tag.endswith("}svg") and "var(--" not in path.read_text(encoding="utf-8")


def test_a_mark_needs_a_tip_for_each_of_its_points():
    with canvas(3, 2) as (drawing, axes):
        (line,) = axes.plot([1, 2, 3], [1, 2, 3], "o-")
        mark(line, "siqa", [Tip("one"), Tip("two & <three>")])
        with pytest.raises(ValueError, match="3 points and 2 tips"):
            finish(drawing, "wrong", "wrong")


def test_text_of_a_tip_is_escaped():
    svg = '<svg><g id="mark-0"><use x="1"/></g><g id="line2d_3"><use x="2"/></g></svg>'
    assert marked(svg, [_mark("a&b", "x < 1")]) == (
        '<svg><g id="mark-0" data-arm="a&amp;b"><use class="mark" x="1"><title>x &lt; 1</title></use></g>'
        '<g id="line2d_3"><use x="2"/></g></svg>'
    )


def _mark(arm: str, text: str):
    drawing = Figure()
    (line,) = drawing.subplots().plot([1], [1])
    mark(line, arm, [Tip(text)])
    return marks_of(drawing)[0]


def test_a_verdict_on_several_arms_is_told_arm_by_arm():
    arms = ("none", "siqa", "mnli")
    assert verdict_lines("siqa: helps; the gain grows; mnli: hurts", arms) == [
        ("siqa", "siqa: helps; the gain grows"),
        ("mnli", "mnli: hurts"),
    ]
    assert verdict_lines("siqa on xcopa: ×1.7 at s; siqa on xnli: ×2", arms) == [
        ("", "siqa on xcopa: ×1.7 at s; siqa on xnli: ×2")
    ]
    assert verdict_lines("no gain to pay for", arms) == [("", "no gain to pay for")]

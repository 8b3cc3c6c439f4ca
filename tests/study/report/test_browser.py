"""Does the page's script do what it is for, in a browser: sort, filter, theme, links into what is folded, print?

A copy of the page gets a second script that clicks, as a reader would, and writes down what it then sees; the page's
policy, which lets no second script run, is taken out of the copy.
"""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from study.report import write
from study.report.sections import PRINTED
from tests.study.report.synthetic import Plan, build

BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")
pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium on this machine (apt-get install chromium)")
CELLS = 48
SEEN = """
const $ = (selector) => document.querySelector(selector), all = (selector) => [...document.querySelectorAll(selector)];
const heads = (table) => [...table.tHead.rows[0].cells];
const place = (table, name) => heads(table).findIndex((one) => one.textContent === name);
const shown = (table) => [...table.tBodies[0].rows].filter((row) => !row.hidden);
const column = (table, name) => shown(table).map((row) => row.cells[place(table, name)].textContent);
const scores = $("#table-scores"), gains = $("#table-gains"), seen = {};
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    plan = Plan(targets=("xcopa", "udpos", "panx", "tatoeba"), gains={"m": 12.0}, examples=40, resamples=30)
    return Path(write(build(tmp_path_factory.mktemp("browser") / "toy", plan))["page"])


def run(*arguments: str) -> str:
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000")
    return subprocess.run([BROWSER, *flags, *arguments], capture_output=True, text=True, check=True, timeout=300).stdout


def after(page: Path, folder: Path, script: str, anchor: str = "") -> dict[str, Any]:
    """What `script` wrote into `seen`, run once the page is ready."""
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
    output = 'Object.assign(document.createElement("output"), {textContent: JSON.stringify(seen)})'
    told = f"document.body.append({output});"
    ours = f'<script>addEventListener("load", () => {{ {SEEN} {script} {told} }});</script>'
    copy = folder / "page.html"
    copy.write_text(html.replace("</body>", f"{ours}</body>"), encoding="utf-8")
    found = re.search(r"<output>(.*?)</output>", run("--dump-dom", f"{copy.as_uri()}{anchor}"), re.DOTALL)
    assert found, "the script did not come to its end"
    return json.loads(unescape(found[1]))


def test_a_click_on_a_heading_sorts_by_number_and_the_next_turns_it_round(page, tmp_path):
    """Gains have signs, and a true minus: by their letters they would come otherwise."""
    seen = after(
        page,
        tmp_path,
        """
        const gain = heads(gains)[place(gains, "gain")];
        gain.click(); seen.up = column(gains, "gain"); seen.told = gain.getAttribute("aria-sort");
        gain.click(); seen.down = column(gains, "gain");
        heads(gains)[place(gains, "target")].click(); seen.names = column(gains, "target");
        """,
    )
    up = [float(value.replace("−", "-")) for value in seen["up"]]
    assert up == sorted(up) and seen["up"] != sorted(seen["up"]) and seen["told"] == "ascending"
    assert up[0] < 0 < up[-1] and [float(value.replace("−", "-")) for value in seen["down"]] == up[::-1]
    assert seen["names"] == sorted(seen["names"]) and len(set(seen["names"])) > 2


def test_a_filter_keeps_the_rows_that_match(page, tmp_path):
    seen = after(
        page,
        tmp_path,
        """
        all("button.tools").find((one) => one.closest("details")?.contains(scores)).click();
        const filter = (name, text) => {
          const one = scores.inputs[place(scores, name)];
          one.value = text;
          one.oninput();
        };
        filter("target", "=udpos"); seen.exact = column(scores, "target");
        filter("size", "xs|m"); seen.either = column(scores, "size");
        filter("size", ""); filter("target", ""); filter("score", ">70"); seen.above = column(scores, "score");
        filter("score", ""); seen.all = column(scores, "score").length;
        """,
    )
    assert set(seen["exact"]) == {"udpos"} and set(seen["either"]) == {"xs", "m"}
    assert 0 < len(seen["above"]) < CELLS and min(map(float, seen["above"])) > 70
    assert seen["all"] == CELLS


def test_the_theme_turns_dark_and_light_again(page, tmp_path):
    seen = after(
        page,
        tmp_path,
        """
        const tone = () => [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor];
        $("#theme").click(); seen.first = tone(); $("#theme").click(); seen.second = tone();
        """,
    )
    assert {seen["first"][0], seen["second"][0]} == {"dark", "light"}
    assert seen["first"][1] != seen["second"][1]


def test_an_arm_picked_alone_dims_the_others(page, tmp_path):
    seen = after(
        page,
        tmp_path,
        """
        const dim = (arm) => all(`svg [data-arm="${arm}"].dim`).length;
        $('.chip[data-arm="siqa"]').click(); seen.on = [dim("none"), dim("siqa")];
        $('.chip[data-arm="siqa"]').click(); seen.off = [dim("none"), dim("siqa")];
        """,
    )
    assert seen["on"][0] > 0 and seen["on"][1] == 0 and seen["off"] == [0, 0]


def test_a_link_to_a_phase_opens_the_table_that_it_is_folded_in(page, tmp_path):
    script = 'const row = $("tr:target"); seen.row = row.id; seen.open = row.closest("details").open;'
    anchor = "phase-evaluation-target-m-siqa-xcopa-0"
    assert after(page, tmp_path, script, f"#{anchor}") == {"row": anchor, "open": True}


def test_a_link_to_the_cells_behind_a_number_filters_them(page, tmp_path):
    seen = after(
        page,
        tmp_path,
        """
        all("#table-gains a[data-filter]").find((one) => one.dataset.filter.includes("=xcopa")).click();
        seen.targets = column(scores, "target"); seen.arms = column(scores, "arm");
        """,
    )
    assert set(seen["targets"]) == {"xcopa"} and set(seen["arms"]) == {"none", "siqa"}


def pages(page: Path, folder: Path, rule: bool) -> int:
    """Pages of paper, with or without the rule that cuts long tables."""
    html = page.read_text(encoding="utf-8")
    cut = re.compile(r"\.cut tbody tr:nth-child[^}]*}")
    assert cut.search(html)
    copy, paper = folder / f"{rule}.html", folder / f"{rule}.pdf"
    copy.write_text(html if rule else cut.sub("", html), encoding="utf-8")
    run(f"--print-to-pdf={paper}", "--no-pdf-header-footer", copy.as_uri())
    return len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))


def test_a_long_table_is_printed_in_part_and_says_where_the_rest_is(page, tmp_path):
    html = page.read_text(encoding="utf-8")
    assert f"The first {PRINTED} of {CELLS} rows; all of them are in scores.csv" in html
    table = html[html.index('<table id="table-phases"') :]
    assert table.startswith('<table id="table-phases" class="cut">')
    rows = table[: table.index("</table>")].count("<tr id=")
    assert rows > 2 * PRINTED
    assert pages(page, tmp_path, rule=True) < pages(page, tmp_path, rule=False)

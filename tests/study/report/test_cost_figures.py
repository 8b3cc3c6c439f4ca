"""Do the answers, figures and tables of cost, domain text and fits say what was planted, and leave out the rest?"""

import pytest

from study.analysis.prices import STEPS
from study.report.answers import cost as words
from study.report.answers.curves import curves
from study.report.chapters import chapters
from study.report.figures import draw
from study.report.findings import find, gather
from study.report.load import evidence
from study.report.tables import csv_tables
from tests.study.analysis import planted_evidence as planted
from tests.study.report.synthetic import Plan, build

SIZES = {f"z{step}": int(10 ** (7 + 0.5 * step)) for step in range(5)}
TEXT = {"files": ["x"], "share": 0.3, "languages": {"xa": 1.0}}
SPEC = {
    "name": "toy",
    "sizes": list(SIZES),
    "arms": {"none": None, "siqa": {"tasks": {"siqa": 1}}, "law": {"tasks": {"siqa": 1}, "text": TEXT}},
    "targets": ["xcopa", "xnli"],
    "seeds": [0, 1, 2],
    "data": {"source": "lab"},
    "report": {"bootstrap": 100, "in_domain": {"law": ["xcopa"]}},
}


@pytest.fixture(scope="module")
def five():
    def level(size, arm, target, code):
        return 0.8 - 0.3 * (SIZES[size] / 1e7) ** -0.6 + 0.05 * (arm != "none")

    return find(planted.study(SPEC, SIZES, level))


def test_five_sizes_have_their_curves_in_figures_and_words(five):
    drawn = {drawing.name for drawings in draw(five).values() for drawing in drawings}
    assert {"fit", "domain-law-siqa"} <= drawn
    told = curves(five)
    assert all(f"{arm}: it bends" in told for arm in SPEC["arms"]) and "exponent 0." in told
    assert set(five.fits) == {"xcopa", "xnli", "all targets"}
    anchors = {chapter.anchor: chapter for chapter in chapters(five, csv_tables(five), draw(five))}
    assert anchors["fitted"].caption == told and "text" in anchors and "replicated" in anchors


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    plan = Plan(gains={"s": 12.0, "m": 12.0}, seed_noise=0.2, resamples=100)
    return build(tmp_path_factory.mktemp("figures") / "toy", plan)


def test_three_sizes_have_none_and_say_so(three):
    found = gather(three)
    assert found.fits == {} and "never an exponent from three points" in curves(found)
    drawn = draw(found)
    assert not drawn["fits"] and not drawn["domain"]
    assert [drawing.name for drawing in (*drawn["cost"], *drawn["prices"])] == ["cost", "cost-time", "price"]
    shown = {chapter.anchor: chapter for chapter in chapters(found, csv_tables(found), drawn)}
    assert "text" not in shown and "never" in shown["fitted"].caption


def test_cost_is_told_with_both_levers_and_where_it_went(three):
    told = words.answer(gather(three))
    text = " ".join(told.sentences)
    assert "at xs" in text and "no upper limit" in text and "The other lever" in text
    assert "Cheapest ways in FLOPs" in text and "trials that diverged or failed" in text
    assert told.keys and any("3 targets" in against or "serves 3" in against for against in told.overturned_by)


def test_settings_of_the_report_may_change_after_the_run(three):
    changed = find(evidence(three, {"gpu_hour_price": 2.0, "bootstrap": 50}))
    assert changed.design.resamples == 50 and changed.cost.rate is None  # no GPUs, so no price
    assert gather(three).design.resamples == 100


def test_without_any_price_there_is_no_figure(five):
    assert not five.cost.steps.empty and list(five.cost.steps.columns) == STEPS
    assert not draw(five)["prices"]  # nothing was counted as paid


@pytest.mark.parametrize(("hours", "text"), [(0.001, "3.6 s"), (0.5, "30 min"), (12.34, "12.3 h"), (4321.0, "4,321 h")])
def test_durations(hours, text):
    assert words.duration(hours) == text


def test_amounts_are_short():
    assert (words.flops(2.41e13), words.flops(1.44e9), words.flops(0)) == ("2.4e13", "1.4e9", "0")

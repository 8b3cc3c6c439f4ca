"""Do the words, tables and figures of questions 1 to 3 say what stands, no more, and where they end?"""

from dataclasses import replace

import numpy as np
import pytest

from study.analysis.basis import Basis
from study.analysis.interaction import interaction
from study.analysis.levels import levels
from study.analysis.levers import Equivalent, levers
from study.analysis.multiple import correct
from study.analysis.noise import Estimate
from study.analysis.slope_checks import slope_checks
from study.report import figures
from study.report.answers import interaction as first
from study.report.answers import levers as second
from study.report.answers import retention as third
from study.report.answers.interaction import counted
from study.report.answers.words import p_value
from study.report.cautions import cautions
from study.report.findings import Findings, gather
from study.report.tables import csv_tables
from study.store import Store
from tests.study.analysis.planted import PARAMETERS, study
from tests.study.report.synthetic import Plan, build

FIVE = ("xs", "s", "m", "l", "xl")


def only_siqa(points: float, per_tenfold: float = 0.0):
    """Gain of siqa at 1e6 parameters and what a tenfold adds to it; csqa does nothing."""

    def gain(arm: str, target: str, size: str) -> float:
        return points + per_tenfold * float(np.log10(PARAMETERS[size]) - 6) if arm == "siqa" else 0.0

    return gain


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Findings:
    return gather(Store(tmp_path_factory.mktemp("empty")))


@pytest.fixture(scope="module")
def findings(empty):
    """Findings of a planted study: questions 1 and 2 from scores alone, everything else empty."""

    def make(basis: Basis) -> Findings:
        parts = {name: getattr(basis, name) for name in ("design", "resampled", "gains", "pools")}
        return replace(
            empty,
            **parts,
            levels=levels(basis),
            interaction=interaction(basis),
            slope_checks=slope_checks(basis),
            levers=levers(basis),
        )

    return make


@pytest.fixture(scope="module")
def strong(findings) -> Findings:
    return findings(study(only_siqa(20.0, 5.0), sizes=FIVE, dice=1))


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Findings:
    """A small study with retention: 0.8 of the score before is left."""
    plan = Plan(gains={"xs": 4.0, "s": 4.0, "m": 4.0}, targets=("xcopa", "udpos"), retained=0.8, resamples=100)
    return gather(build(tmp_path_factory.mktemp("toy") / "toy", plan))


def test_a_mean_that_hides_a_target_says_so(findings):
    """siqa adds 20 points on xcopa and takes 10 on each of the two others, so that the mean has no sign to claim."""

    def gain(arm: str, target: str, size: str) -> float:
        return 0.0 if arm != "siqa" else 20.0 if target == "xcopa" else -10.0

    verdict = first.answer(findings(study(gain, sizes=FIVE, dice=1))).verdict
    assert verdict.startswith(
        "siqa: no evidence of a gain on the mean (but helps on xcopa and hurts on udpos and xquad)"
    )


def test_one_verdict_per_arm_and_no_more_than_stands(strong):
    answer = first.answer(strong)
    assert "siqa: helps, the gain grows with size" in answer.verdict
    assert "csqa: no evidence of a gain, no evidence that size matters" in answer.verdict
    text = " ".join(answer.sentences)
    assert "siqa on single targets, change with size (per tenfold parameters): xcopa +" in text
    assert "csqa on single targets" not in text and "four times in five" in text
    assert "Slopes checked in other ways (table): mixed model, clustered least squares and bootstrap" in answer.rests_on
    assert "Claims stand with all 2 arms" in answer.rests_on


def test_what_could_overturn_it_names_what_this_study_cannot_see(strong):
    unseen = strong.interaction.pooled["csqa"].slope.detectable
    assert f"A change with size smaller than {unseen:.1f} points, which this study could well miss." in (
        first.answer(strong).overturned_by
    )


def test_three_sizes_are_told_by_a_contrast(findings):
    found = findings(study(only_siqa(20.0, 5.0)))
    text = " ".join(first.answer(found).sentences)
    assert "From xs to m the gain of siqa changes by +" in text and "as a summary" in text
    assert any("cannot show a bend" in line for line in first.answer(found).overturned_by)


def test_a_finding_that_many_arms_take_away_is_said_so():
    clear = Estimate(2.0, 0.1, 3.9, 0.97)
    family = correct("arms", {(name,): clear for name in "abc"})
    told = counted(clear, family, "a")
    assert told == " With all 3 arms counted it does not stand (Holm, p = 0.12)."
    assert counted(clear, correct("arms", {("a",): clear}), "a") == ""
    assert counted(Estimate(2.0, -0.1, 4.1, 1.05), family, "a") == ""


def test_levers_are_compared_with_a_doubling_and_with_the_next_size(strong):
    answer = second.answer(strong)
    assert "siqa: buys more than one doubling of size" in answer.verdict
    assert "csqa: buys less than one doubling of size" in answer.verdict
    text = " ".join(answer.sentences)
    assert "siqa against the next size up without it: +" in text and "so the arm buys more" in text
    assert "csqa against the next size up without it: −" in text and "so the next size buys more" in text
    assert "at xl beyond the ladder" in text
    assert any("end of the ladder" in line for line in answer.overturned_by)


@pytest.mark.parametrize(
    ("low", "point", "high", "text"),
    [
        (1.2, 2.0, 3.14, "×2 (95 % interval ×1.2 to ×3.1)"),
        (1.2, 2.0, np.inf, "×2 (at least ×1.2)"),
        (1.2, np.inf, np.inf, "beyond the ladder (at least ×1.2)"),
        (np.inf, np.inf, np.inf, "beyond the ladder"),
        (0.0, 0.5, 0.9, "×0.5 (at most ×0.9)"),
        (0.0, 0.0, 0.9, "below the ladder (at most ×0.9)"),
        (0.0, 0.0, 0.0, "below the ladder"),
        (0.0, 1.0, np.inf, "×1 (the interval holds the whole ladder)"),
    ],
)
def test_a_factor_says_where_its_interval_leaves_the_ladder(low, point, high, text):
    assert second.factor(Equivalent("s", point, low, high)) == text


def test_retention_is_told_with_its_interval_and_its_relation_only_where_it_can_be(toy):
    answer = third.answer(toy)
    assert answer.verdict.startswith("siqa: partly forgotten")
    mean = toy.memory.curves["siqa"].mean()
    assert mean.low < 80 < mean.high and toy.memory.examples
    text = " ".join(answer.sentences)
    assert "after classification targets only (xcopa): " in text
    assert "cannot tell. There are 6 intermediate checkpoints to compare; fewer than 10 say too little" in text
    assert "seeds and dev examples" in answer.rests_on
    assert set(answer.keys) == {*toy.memory.table["key"], *toy.memory.table["key_before"]}


def test_dev_predictions_that_cannot_be_read_are_said_and_seeds_remain(tmp_path):
    store = build(tmp_path / "toy", Plan(sizes=("xs",), targets=("xcopa",), resamples=20))
    for seed in (0, 1):
        key = f"evaluation-target-xs-siqa-xcopa-{seed}"
        (tmp_path / "toy" / "phases" / key / "predictions" / "siqa.en.dev.parquet").write_bytes(b"not parquet")
    found = gather(store)
    assert sum("the noise of these examples is in no retention" in note for note in found.notes) == 2
    assert found.memory.curves["siqa"].seed_noise


def test_tables_give_corrected_values_beside_the_interval(strong):
    gains = csv_tables(strong)["gains"]
    assert ((gains["holm"] <= 0.05) == gains["clear"]).all() and (gains["holm"] >= gains["p"]).all()
    assert (gains["fdr"] <= gains["holm"] + 1e-12).all()
    one = gains[(gains["level"] == "overall") & (gains["size"] == "all sizes")]
    assert list(one["family"]) == ["2 mean gains of an arm"] * 2
    assert (gains[gains["level"] == "target"]["like_low"] < gains[gains["level"] == "target"]["gain"]).all()
    checks = csv_tables(strong)["slope_checks"]
    assert list(checks[checks["arm"] == "siqa"]["method"]) == [
        "this report",
        "this report",
        "mixed model",
        "clustered least squares",
        "bootstrap",
        "bootstrap",
    ]
    changes = csv_tables(strong)["changes"]
    assert set(changes[changes["clear"]]["arm"]) == {"siqa"} and (changes["detectable"] > 0).all()


def test_cautions_say_what_is_corrected(strong):
    assert any("stands with its whole family counted (Holm)" in line for line in cautions(strong))


def test_figures_are_drawn_where_there_is_something_to_show(strong, toy, empty):
    drawn = {one.name: one.svg for family in ("interaction", "levers") for one in figures.FAMILIES[family](strong)}
    assert list(drawn) == ["interaction-siqa", "interaction-csqa", "levers-points", "levers-factor"]
    assert "beyond" in drawn["levers-factor"] and "twice the parameters" in drawn["levers-points"]
    assert "points per tenfold parameters" in drawn["interaction-siqa"]
    assert [one.name for one in figures.FAMILIES["relation"](toy)] == ["relation"]
    for family in ("interaction", "levers", "relation"):
        assert [one for one in figures.FAMILIES[family](empty) if one] == []


def test_words():
    assert [p_value(p) for p in (0.0004, 0.0312, 0.25, 1.0)] == ["p < 0.001", "p = 0.031", "p = 0.25", "p = 1"]

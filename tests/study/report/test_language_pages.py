"""Does the page say which languages gain, no more than the intervals allow, and can its figures be read?"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from study.report import write
from study.report.answers import languages as told
from study.report.figures import language_gains, language_groups
from study.report.findings import gather
from study.report.tables.transfer import ALL, tables
from tests.study.report.synthetic import DISTANCE, Plan, build

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NEAR = {"xa": 20.0, "xb": 14.0, "xc": 4.0, "xd": -8.0}
PLAN = Plan(sizes=("xs", "m"), targets=("xcopa", "udpos"), seeds=(0, 1, 2), resamples=200, language_gains=NEAR)


@pytest.fixture(scope="module")
def near(tmp_path_factory):
    return gather(build(tmp_path_factory.mktemp("near") / "toy", PLAN))


def test_near_languages_that_gain_more_are_said_to(near):
    answer = told.answer(near)
    assert answer.verdict == "siqa: near languages gain more"
    text = " ".join(answer.sentences)
    assert "near languages +1" in text and "far languages −" in text and "near minus far +2" in text
    assert "xa +" in text and "(xd −" in text and "false discoveries held at 5 %" in text
    assert "Without an intermediate phase: per 0.1 of distance from English the score changes by −1." in text
    assert "Transfer gap" in text and "seen and unseen languages are not told apart" in text
    assert "the lab's own distances: near up to 0.365, far above 0.655" in answer.rests_on


def test_far_languages_that_gain_more_are_said_to(tmp_path):
    far = {code: -gain for code, gain in NEAR.items()}
    found = gather(build(tmp_path / "toy", replace(PLAN, language_gains=far)))
    assert told.answer(found).verdict == "siqa: far languages gain more"


def test_without_an_effect_there_is_no_evidence_and_it_says_what_could_have_been_seen(tmp_path):
    found = gather(build(tmp_path / "toy", replace(PLAN, language_gains={}, chance=3)))
    answer = told.answer(found)
    assert answer.verdict == "siqa: no evidence that distance matters"
    assert "would mostly not have been seen" in " ".join(answer.sentences)


def test_only_the_baseline_arm_cannot_tell(tmp_path):
    found = gather(build(tmp_path / "toy", replace(PLAN, arms=("none",), seeds=(0,))))
    assert told.answer(found).verdict == "cannot tell"


def test_an_arm_with_nothing_to_pool_is_passed_over(tmp_path):
    """MNLI before XNLI trains twice on the same data: the arm has no gain by language, the other one has."""
    plan = replace(PLAN, sizes=("xs",), arms=("none", "siqa", "mnli"), targets=("xnli",), seeds=(0, 1), resamples=50)
    answer = told.answer(gather(build(tmp_path / "toy", plan)))
    assert "siqa" in answer.verdict and "mnli" not in answer.verdict
    assert "mnli changes it by" not in " ".join(answer.sentences)


def test_tables_hold_what_was_planted_and_every_score_has_its_baselines(near):
    made = tables(near)
    groups = made["language_groups"]
    assert (groups["majority"] == 51).all() and (groups["random"] == 50).all() and groups["english"].notna().all()
    whole = groups[(groups["size"] == ALL) & (groups["arm"] == "siqa")].set_index(["kind", "group"])
    row = whole.loc[("distance", "near")]
    assert row["gain_low"] < 17 < row["gain_high"] and row["codes"] == "xa xb"
    assert row["gap"] == pytest.approx(row["english"] - row["score"], abs=0.2)
    gains = made["language_gains"]
    assert set(gains["size"]) == {ALL, "xs", "m"} and set(gains["language"]) == set(DISTANCE)
    gap = made["transfer_gap"].set_index(["target", "arm", "size"])
    one = gap.loc[("xcopa", "siqa", "m")]
    assert one["gap"] == pytest.approx(one["english"] - one["others"], abs=0.2)
    assert one["gap_change"] == pytest.approx(one["gap"] - gap.loc[("xcopa", "none", "m"), "gap"], abs=1e-9)
    assert gap.loc[("xcopa", "none", "m")][["gap_change", "gap_change_low"]].isna().all()
    slopes = made["distance"].set_index(["quantity", "target", "arm", "size"])
    assert slopes.loc[("score", "xcopa", "none", ALL), "high"] < 0
    assert slopes.loc[("gain", "all targets", "siqa", ALL), "without_zero"]


def test_page_shows_answer_tables_and_figures_of_languages(tmp_path):
    store = build(tmp_path / "toy", replace(PLAN, sizes=("xs",), targets=("xcopa",), seeds=(0,), resamples=50))
    paths = write(store, NOW)
    text = Path(paths["page"]).read_text(encoding="utf-8")
    for part in ("6. Which languages gain", 'id="language_groups"', 'id="transfer_gap"', 'id="language_ranks"'):
        assert part in text
    figures = {path.stem for path in Path(paths["figures"]).glob("*.png")}
    assert {"language-gain-siqa", "language-gain-distance-siqa", "language-groups-score"} <= figures
    ranks = pd.read_csv(Path(paths["tables"]) / "language_ranks.csv")
    assert set(ranks["fact"]) == {"distance"}


def test_figures_hold_fifty_languages(tmp_path, recwarn):
    targets = ("panx", "udpos", "xcopa")  # all languages are in one of them
    plan = Plan(sizes=("xs",), seeds=(0,), targets=targets, examples=10, resamples=10, benchmark=True)
    store = build(tmp_path / "toy", plan)
    store.write_spec({**store.spec(), "ladder": "xlmr"})
    found = gather(store)
    drawn = [*language_gains.drawings(found), *language_groups.drawings(found)]
    assert [one.name for one in drawn] == [
        "language-gain-siqa",
        "language-gain-distance-siqa",
        "language-groups-score",
        "language-groups-gain",
    ]
    rows, _, groups, _ = (one.svg for one in drawn)
    assert all(f"({code})" in rows for code in found.languages) and len(found.languages) == 50
    assert "unseen" in groups and "Germanic" in groups and "class 5" in groups
    assert not [str(one.message) for one in recwarn if "constrained_layout" in str(one.message)]


def test_nothing_known_draws_no_groups(tmp_path):
    plan = Plan(sizes=("xs",), seeds=(0,), targets=("xcopa",), languages=dict.fromkeys(("q1", "q2", "q3")), resamples=5)
    found = gather(build(tmp_path / "toy", plan))
    assert [one for one in language_groups.drawings(found) if one] == []
    drawn = [one.name for one in language_gains.drawings(found) if one]
    assert drawn == ["language-gain-siqa"]

"""Are task, group and overall scores the benchmark's means, and is everything that they lack named?"""

from math import isnan

import numpy as np
import pandas as pd
import pytest

from study.analysis.benchmark import OVERALL, average_of, benchmark, scorecard, task_average
from study.analysis.frame import Design
from study.analysis.resample import Judged, resample
from trainables.tasks import TASKS
from trainables.tasks.benchmark import GROUPS, XTREME_R

WHOLE = {task: {code: 40.0 + n for n, code in enumerate(TASKS[task].benchmark)} for task in XTREME_R}
DESIGN = Design("toy", ("xs", "s"), ("none", "siqa"), XTREME_R, (0, 1), parameters={"xs": 10, "s": 100})


def without(task: str, *codes: str) -> dict[str, dict[str, float]]:
    kept = {code: points for code, points in WHOLE[task].items() if code not in codes}
    return WHOLE | {task: kept if codes else {}}


def test_what_xtreme_r_is_made_of():
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(XTREME_R) and len(XTREME_R) == 10
    assert all(TASKS[name].group == group for group, names in GROUPS.items() for name in names)
    counts = [15, 11, 38, 48, 12, 7, 9, 41, 11, 11]
    assert [len(TASKS[name].benchmark) for name in XTREME_R] == counts


def test_means_are_unweighted():
    card = scorecard(WHOLE)
    means = {task: float(np.mean(list(WHOLE[task].values()))) for task in XTREME_R}
    assert {task: one.score for task, one in card.tasks.items()} == pytest.approx(means)
    assert card.groups["qa"].score == pytest.approx(np.mean([means["xquad"], means["mlqa"], means["tydiqa"]]))
    assert card.overall.score == pytest.approx(np.mean(list(means.values()))) and not card.overall.partial


def test_a_missing_language_is_named_and_the_number_partial():
    card = scorecard(without("xnli", "sw", "ur"))
    assert card.tasks["xnli"].missing == ("sw", "ur") and card.tasks["xnli"].partial
    assert card.groups["classification"].missing == card.overall.missing == ("xnli in sw ur",)
    assert not isnan(card.overall.score) and card.overall.partial and not card.groups["qa"].partial


def test_a_missing_task_leaves_no_number():
    card = scorecard(without("lareqa"))
    assert "lareqa" not in card.tasks
    assert isnan(card.overall.score) and card.overall.missing == ("lareqa",)
    assert isnan(card.groups["retrieval"].score) and not isnan(card.groups["qa"].score)


def test_languages_outside_the_benchmark_do_not_count():
    scores = WHOLE | {"xquad": WHOLE["xquad"] | {"xx": 0.0}, "pawsx": {"de": 0.0}}
    assert scorecard(scores) == scorecard(WHOLE)
    only = scorecard({"xquad": {"xx": 50.0}})
    assert only.tasks == {} and only.overall.missing == XTREME_R


def test_averages_of_nothing():
    assert isnan(task_average({}, ("de", "en")).score) and task_average({}, ("de", "en")).missing == ("de", "en")
    assert average_of({"a": task_average({}, ("de",))}, ("a", "b")).missing == ("a", "b")


def cells(scores: dict[tuple[str, str, int], dict[str, dict[str, float]]], stand_in: str = "") -> pd.DataFrame:
    rows = [
        {
            "size": size,
            "arm": arm,
            "seed": seed,
            "target": task,
            "language": code,
            "score": points,
            "stand_in": stand_in,
            "majority": 51.0,
            "random": 50.0,
        }
        for (size, arm, seed), tasks in scores.items()
        for task, by in tasks.items()
        for code, points in by.items()
    ]
    return pd.DataFrame(rows)


def judged(frame: pd.DataFrame) -> dict:
    """Predictions of 100 examples with just the scores of the table."""
    found = {}
    for row in frame.itertuples(index=False):
        hits = (np.arange(100) < row.score).astype(float)
        ids = np.array([f"{row.target}/{row.language}/{n}" for n in range(100)], dtype=object)
        found[(row.size, row.arm, row.target, row.seed, row.language)] = Judged(ids, hits, np.ones(100), np.ones(100))
    return found


def test_table_has_means_over_seeds_with_intervals():
    better = {task: {code: points + 10 for code, points in by.items()} for task, by in WHOLE.items()}
    frame = cells({("xs", "none", 0): WHOLE, ("xs", "none", 1): better, ("s", "none", 0): without("lareqa")})
    table = benchmark(frame, DESIGN, resample(judged(frame), 200))
    assert len(table) == 2 * (1 + 4 + 10)
    rows = table.set_index(["size", "name"])
    whole = rows.loc[("xs", OVERALL)]
    assert whole["score"] == pytest.approx(scorecard(WHOLE).overall.score + 5) and whole["seeds"] == 2
    assert whole["low"] < whole["score"] < whole["high"] and not whole["partial"] and whole["missing"] == ""
    # 203 test sets of 100 examples: without the seeds the interval would be far below a point wide.
    assert whole["high"] - whole["low"] > 2
    lacking = rows.loc[("s", OVERALL)]
    assert isnan(lacking["score"]) and lacking["missing"] == "lareqa" and lacking["seeds"] == 0
    assert rows.loc[("s", "xnli")]["seeds"] == 1 and rows.loc[("s", "lareqa")]["seeds"] == 0


def test_a_number_rests_on_the_seeds_that_have_it():
    frame = cells({("xs", "none", 0): WHOLE, ("xs", "none", 1): without("xnli")})
    row = benchmark(frame, DESIGN, resample(judged(frame), 20)).set_index("name").loc[OVERALL]
    assert row["score"] == pytest.approx(scorecard(WHOLE).overall.score) and row["seeds"] == 1 and row["missing"] == ""


def test_no_interval_without_the_predictions():
    frame = cells({("xs", "none", 0): WHOLE})
    drawn = judged(frame)
    del drawn[("xs", "none", "xnli", 0, "de")]
    table = benchmark(frame, DESIGN, resample(drawn, 20)).set_index("name")
    assert isnan(table.loc["xnli", "low"]) and isnan(table.loc[OVERALL, "high"]) and not isnan(table.loc["qa", "low"])
    assert table.loc[OVERALL, "score"] == pytest.approx(scorecard(WHOLE).overall.score)


def test_stand_ins_are_named():
    frame = cells({("xs", "none", 0): {"xcopa": WHOLE["xcopa"]}}, stand_in="dev for test")
    table = benchmark(frame, DESIGN, resample({}, 10)).set_index("name")
    for name in (OVERALL, "classification", "xcopa"):
        assert table.loc[name, "stand_ins"] == f"xcopa in {' '.join(sorted(WHOLE['xcopa']))}"
    assert table.loc["qa", "stand_ins"] == ""


def test_baselines_stand_beside_every_score():
    """Majority 10 per task number, random 5, English 90: a group has English only where all its tasks test it."""
    rows = [
        {"size": "xs", "arm": "none", "seed": seed, "target": task, "language": code, "stand_in": ""}
        | {"score": 90.0 if code == "en" else 40.0, "majority": 10.0 * number, "random": 5.0}
        for number, task in enumerate(XTREME_R)
        for code in TASKS[task].benchmark
        for seed in (0, 1)
    ]
    design = Design("toy", ("xs",), ("none",), XTREME_R, (0, 1), parameters={"xs": 10})
    table = benchmark(pd.DataFrame(rows), design, resample({}, 5)).set_index("name")
    assert table.loc[OVERALL, "majority"] == pytest.approx(45) and table.loc[OVERALL, "random"] == 5
    assert isnan(table.loc[OVERALL, "english"]) and isnan(table.loc["xcopa", "english"])
    assert table.loc["xnli", "english"] == table.loc["qa", "english"] == 90
    assert table.loc["qa", "majority"] == np.mean([10 * XTREME_R.index(task) for task in GROUPS["qa"]])

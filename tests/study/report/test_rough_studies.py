"""Studies as they are while they run, or as somebody wrote them: no crash, and nothing said that is not so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from study.analysis.gains import score_series
from study.report.answers import answers
from study.report.cautions import cautions
from study.report.findings import gather
from study.report.tables import csv_tables
from tests.study.report.synthetic import Plan, build

GROWING = Plan(gains={"xs": 0.0, "s": 8.0, "m": 18.0}, seed_noise=0.3, targets=("xcopa",), resamples=100)


def everything(folder: Path, plan: Plan, skip=()):
    """Findings, after all that is said and shown of them was made."""
    found = gather(build(folder / "toy", plan, skip))
    csv_tables(found)
    return found, answers(found)


def test_the_order_of_sizes_in_the_spec_changes_no_answer(tmp_path):
    turned = Plan(**{**vars(GROWING), "sizes": ("m", "s", "xs")})
    found, said = everything(tmp_path, turned)
    assert found.design.sizes == ("xs", "s", "m")
    assert "the gain grows with size" in said[0].verdict


def test_a_seed_that_has_not_begun_is_not_counted(tmp_path):
    skip = {(size, arm, "xcopa", 1) for size in GROWING.sizes for arm in GROWING.arms}
    _, said = everything(tmp_path, GROWING, skip)
    assert "1 seed." in said[0].rests_on and "One seed of a gain" in said[0].rests_on


def test_a_target_at_more_sizes_than_the_mean(tmp_path):
    plan = Plan(gains={"xs": -20.0, "s": 0.0, "m": 14.0}, seed_noise=0.2, targets=("xcopa", "udpos"), resamples=100)
    skip = {(size, arm, "udpos", seed) for size in ("s", "m") for arm in plan.arms for seed in plan.seeds}
    found, said = everything(tmp_path, plan, skip)
    assert found.pools["siqa"].gain.sizes == ("xs",)
    assert "xcopa" in " ".join(said[0].sentences)


def test_a_cell_that_lost_languages_is_compared_in_those_that_are_left(tmp_path):
    """One cell keeps a single language: every other cell of the target is then taken in that language."""
    store = build(tmp_path / "toy", GROWING)
    for path in Path(store.join("phases", "evaluation-target-m-siqa-xcopa-0", "predictions")).glob("xcopa.x*.parquet"):
        path.write_bytes(b"lost")
    found = gather(store)
    answers(found)
    points = found.resampled.points
    gains = [points["xs", "siqa", "xcopa", seed, "en"] - points["xs", "none", "xcopa", seed, "en"] for seed in (0, 1)]
    assert found.gains["siqa"]["xcopa"].at("xs").point == pytest.approx(sum(gains) / 2)


def test_one_backbone_is_one_seed(tmp_path):
    """Its score stands at every seed of `none`: there is no spread to pool, and no freedom to gain by it."""
    found, _ = everything(tmp_path, Plan(targets=("tatoeba",), resamples=100))
    backbone = score_series(found.resampled, found.design, "none", "tatoeba")
    assert not backbone.seed_noise and found.gains["siqa"]["tatoeba"].seed_noise


def test_questions_whose_paragraphs_nobody_kept_are_named_as_counted_one_by_one(tmp_path):
    """A study that an earlier version scored: its page says that the intervals of questions are too short."""
    store = build(tmp_path / "toy", Plan(sizes=("xs",), targets=("xquad", "xcopa"), examples=40, resamples=30))
    told = [line for line in cautions(gather(store)) if "one paragraph" in line]
    assert len(told) == 1 and "independent on xquad:" in told[0]
    for path in Path(store.join("phases")).glob("*/predictions/xquad.*.parquet"):
        table = pd.read_parquet(path)
        table.assign(group=[f"paragraph {row // 4}" for row in range(len(table))]).to_parquet(path)
    shutil.rmtree(store.join("report", "cache"))
    assert not [line for line in cautions(gather(store)) if "one paragraph" in line]

"""Does any interval of a score pass 100 or fall below 0: on the page, in CSV, LaTeX, or in a figure?"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from study.analysis.noise import Estimate
from study.report import write
from study.report.findings import gather
from study.store import Store
from tests.study.report import synthetic
from tests.study.report.synthetic import Plan, build

SCORES = {
    "benchmark": ("low", "high"),
    "language_groups": ("score_low", "score_high"),
    "ways": ("score_low", "score_high"),
}
"""{table: its ends of intervals of scores}"""
PLAN = Plan(
    sizes=("xs", "s"),
    targets=("xcopa",),
    seeds=(0, 1, 2),
    seed_noise=4.0,
    examples=30,
    resamples=40,
    benchmark=True,
    per_distance=0.0,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Scores near 97 and 3 with seeds that differ by much: symmetric intervals end far outside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "BASE", {"xs": 3.0, "s": 97.0})
        store = build(tmp_path_factory.mktemp("bounds") / "toy", PLAN)
    write(store)
    return store


def test_the_interval_without_bounds_would_end_outside(store):
    curve = gather(store).scores["xcopa"]["none"]
    assert curve.linear(np.array([0.0, 1.0])).high > 100 and curve.linear(np.array([1.0, 0.0])).low < 0
    assert (curve.at("xs").low, curve.at("s").high) == (0.0, 100.0)
    assert curve.at("s").point == curve.points[1]


def test_no_table_has_a_score_outside(store):
    for name, ends in SCORES.items():
        table = pd.read_csv(Path(store.report_folder, f"{name}.csv"))[list(ends)]
        assert len(table) and table.min().min() >= 0 and table.max().max() <= 100, name
    assert pd.read_csv(Path(store.report_folder, "benchmark.csv"))["high"].max() == 100.0


def test_no_figure_and_no_twin_of_a_table_says_more_than_100(store):
    page = Path(store.report_folder, "index.html").read_text()
    told = re.findall(r"points \(95 % interval ([−\d.]+) to ([−\d.]+)\)\n[\d.]+ k parameters; seed", page)
    ends = [(float(low.replace("−", "-")), float(high.replace("−", "-"))) for low, high in told]
    assert ends and all(0 <= low <= high <= 100 for low, high in ends)
    tex = Path(store.report_folder, "tex", "benchmark_tasks.tex").read_text()
    assert "100.0" in tex and not re.search(r"& (10[1-9]|1[1-9]\d)\.\d", tex)


def test_a_difference_has_no_bounds(store):
    change = gather(store).scores["xcopa"]["none"].linear(np.array([-1.0, 1.0]))
    assert change.point > 80 and change.high > 100
    assert Estimate(99.0, 95.0, 103.0).within(0, 100) == Estimate(99.0, 95.0, 100.0)

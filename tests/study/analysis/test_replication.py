"""Do planted studies agree or disagree with published claims by the stated rules, and is the rest said to be untold?"""

from dataclasses import replace

import numpy as np
import pytest

from study.analysis import claims
from study.analysis.basis import basis
from study.analysis.claims import Claim, Ranking
from study.analysis.noise import Estimate
from study.analysis.replication import AGREES, CANNOT, DISAGREES, find, judged, ranked
from study.report.load import published
from tests.study.analysis.planted_evidence import study

PAPER = published()
TARGETS = list(PAPER.targets)
SINGLES = ("mnli", "squad", "hellaswag", "qqp")
ARMS = {"none": None, **{f"on_{task}": {"tasks": {task: 1}} for task in SINGLES}}
ARMS |= {"all": {"tasks": dict.fromkeys(SINGLES, 1)}}
SPEC = {
    "name": "toy",
    "sizes": ["base", "large"],
    "arms": ARMS,
    "targets": TARGETS,
    "seeds": [0, 1, 2],
    "data": {"source": "hub"},
    "report": {"bootstrap": 100},
    "untuned": ("bucc2018", "tatoeba"),
}
SIZES = {"base": 270_000_000, "large": 560_000_000}
GAINS = {"on_mnli": 0.075, "on_squad": 0.082, "on_hellaswag": 0.07, "on_qqp": -0.02, "all": 0.087}
MOST = ("bucc2018", "tatoeba", "tydiqa")


def level(size, arm, target, code):
    """Each arm adds what was published; retrieval and TyDiQA gain nine points more than the mean, XNLI nothing."""
    if arm == "none" or target == "xnli":
        return 0.4
    share = 2.0 if target in MOST else 0.5 if target != "udpos" else 0.5 + 1 / 2
    return 0.4 + GAINS[arm] * share * 9 / (3 * 2.0 + 4 * 0.5 + 1.0)


@pytest.fixture(scope="module")
def base():
    dev = lambda size, arm, target, code: 0.5 + GAINS.get(arm, 0.0)  # noqa: E731
    return basis(study(SPEC, SIZES, level, examples=300, noise=0.001, dev=dev, codes=("en", "de")))


@pytest.fixture(scope="module")
def table(base):
    return find(base, PAPER).set_index("claim")


def test_what_was_planted_agrees(table):
    for name in (
        "SQuAD as the only intermediate task, mean of targets",
        "MNLI as the only intermediate task, mean of targets",
        "All intermediate tasks together, mean of targets",
        "BUCC, Tatoeba and TyDiQA gain most",
        "MNLI, SQuAD and HellaSwag are the best intermediate tasks",
        "XNLI gains little",
    ):
        assert table.loc[name, "verdict"] == AGREES, (name, table.loc[name])
    assert set(table["size"]) == {"large"}


def test_what_was_planted_otherwise_disagrees(table):
    row = table.loc["Best intermediate task per target: TyDiQA"]
    assert row["theirs"] == 10.9 and row["verdict"] == DISAGREES and row["reason"] == "same direction, larger here"
    xnli = table.loc["Best intermediate task per target: XNLI"]
    assert xnli["verdict"] == DISAGREES and xnli["reason"] == "no clear effect here"


def test_absent_arms_are_said_to_be_absent(table):
    row = table.loc["Machine-translated intermediate data are not better than English ones"]
    assert row["verdict"] == CANNOT and "no arm with training files of its own" in row["reason"]


def test_the_best_arm_is_chosen_on_dev_not_on_test(base):
    chosen = claims.chosen_arms(base, "large", ["xnli", "tatoeba"], list(GAINS))
    assert chosen == {"xnli": "all", "tatoeba": "all"}
    swapped = basis(
        study(SPEC, SIZES, level, examples=20, dev=lambda s, arm, t, c: 0.5 + (arm == "on_qqp") / 4, codes=("en",))
    )
    found = claims.best(swapped, "large", ["tydiqa"])
    worst = claims._at(swapped, "on_qqp", "large", ["tydiqa"])
    assert isinstance(found, Estimate) and found.point == worst.point


def test_lab_one_seed_and_another_size_cannot_be_told(base):
    def reasons(**changes):
        return set(find(replace(base, **changes), PAPER)["reason"])

    assert reasons(spec={**SPEC, "data": {"source": "lab"}}) == {"lab data bear the benchmark's names only"}
    assert reasons(design=replace(base.design, seeds=(0,))) == {"one seed: training noise is not known"}
    (why,) = reasons(design=replace(base.design, parameters={"base": 5_000_000, "large": 20_000_000}))
    assert "nearest size large" in why
    short = replace(base.design, targets=tuple(TARGETS[:3]))
    assert "over 3 of their 9 targets, without panx, xquad, mlqa, tydiqa, bucc2018, tatoeba" in reasons(design=short)
    assert "targets not in this study: panx" in reasons(design=short)
    none = replace(base.design, targets=("xcopa",))
    assert reasons(design=none) == {"none of their targets is in this study"}


def test_a_ranking_of_targets_does_without_one_of_those_named(base):
    fewer = replace(base.design, targets=tuple(target for target in TARGETS if target != "bucc2018"))
    row = find(replace(base, design=fewer), PAPER).set_index("claim").loc["BUCC, Tatoeba and TyDiQA gain most"]
    assert row["verdict"] == AGREES and row["reason"].endswith("(without bucc2018)")


@pytest.mark.parametrize(
    ("theirs", "ours", "verdict"),
    [
        (5.0, (5.5, 4.0, 7.0), AGREES),
        (5.0, (5.5, 1.0, 10.0), CANNOT),  # wider than half of theirs
        (5.0, (2.0, 1.0, 3.0), DISAGREES),
        (0.5, (0.4, -0.5, 1.3), AGREES),  # narrower than a point
        (0.5, (0.4, -2.0, 2.8), CANNOT),
        (-0.7, (2.0, 1.0, 3.0), DISAGREES),
    ],
)
def test_a_value(theirs, ours, verdict):
    assert judged(Claim("", "single", "", theirs), Estimate(*ours))[0] == verdict


@pytest.mark.parametrize(
    ("kind", "ours", "verdict"),
    [
        ("little", (0.5, -0.5, 1.5), AGREES),
        ("little", (3.0, 2.5, 3.5), DISAGREES),
        ("little", (2.0, 0.5, 3.5), CANNOT),
        ("text", (0.5, -0.5, 1.5), AGREES),
        ("text", (0.5, 0.1, 0.9), DISAGREES),
        ("text", (1.0, -1.0, 3.0), CANNOT),
    ],
)
def test_little_and_not_better(kind, ours, verdict):
    assert judged(Claim("", kind, "", within=2.0), Estimate(*ours))[0] == verdict


def test_ignorance_is_no_disagreement():
    draws = np.random.default_rng(0).normal(0, 1, (6, 4000))
    names = tuple("abcdef")
    assert ranked(Ranking(names, ("a", "b", "c"), draws))[0] == CANNOT
    ahead = draws + np.array([9, 9, 9, 0, 0, 0])[:, None]
    assert ranked(Ranking(names, ("a", "b", "c"), ahead))[0] == AGREES
    assert ranked(Ranking(names, ("a", "b", "f"), ahead)) == (DISAGREES, "c is ahead of f")


def test_the_table_of_claims_is_whole():
    assert len(PAPER.claims) == 17 and PAPER.parameters == 559_890_432
    assert all(claim.theirs is not None or claim.kind not in ("single", "mixture", "best") for claim in PAPER.claims)
    assert {claim.mark for claim in PAPER.claims} == {"abstract", "readme", "later"}

"""Regret and fairness on records made by hand."""

from __future__ import annotations

import pytest

from study.analysis import regret
from study.analysis.fairness import fairness
from study.analysis.frame import Design
from tests.study.analysis.searches import searched, trial

TWIN, FULL, NARROW = searched("xs", "xs", 40.0), searched("m", "m", 60.0), searched("m-n", "m", 58.5, 2, by="xs")


def test_regret_is_full_minus_narrowed() -> None:
    found = regret.find([NARROW, TWIN, FULL])
    [row] = found.to_dict("records")
    assert row["regret"] == pytest.approx(1.5)
    assert (row["size"], row["full_trials"], row["trials"], row["full_flops"], row["flops"]) == ("m", 4, 2, 4.0, 2.0)


@pytest.mark.parametrize(
    "other",
    [
        {"identity": {"search": {"trials": 4, "seed": 1, "window": [1e-3, 1e-2]}, "config": {"steps": 10}}},
        {"identity": {"search": {"trials": 4, "seed": 0, "window": [1e-3, 1e-2]}, "config": {"steps": 20}}},
        {"identity": {"search": {"trials": 8, "seed": 0, "window": [1e-3, 1e-2]}, "config": {"steps": 10}}},
        {"identity": {"search": {"trials": 4, "seed": 0, "window": [1e-4, 1e-2]}, "config": {"steps": 10}}},
        {"arm": "siqa"},
        {"task": "udpos"},
        {"seed": 1},
        {"size": "s"},
    ],
)
def test_only_searches_of_the_same_phase_asked_in_the_same_way_are_compared(other: dict) -> None:
    assert len(regret.find([NARROW, TWIN, FULL.model_copy(update=other)])) == 0


@pytest.mark.parametrize("place", [0, 3])
def test_a_phase_that_was_searched_in_full_in_two_ways_is_compared_with_the_one_asked_like_the_twin(place: int) -> None:
    """Whichever of the two the store names first."""
    records = [TWIN, FULL, NARROW]
    records.insert(place, searched("m-8", "m", 61.0, 8))
    assert list(regret.find(records)["full"]) == [60.0]


@pytest.mark.parametrize(("steps", "rows"), [(10, 2), (20, 0)])
def test_behind_another_intermediate_phase_nothing_is_compared(steps: int, rows: int) -> None:
    """A spec that changed an arm's steps beside `transfer` changed more than the search of the targets behind it."""
    told = {"arm": "siqa", "kind": "intermediate", "task": None}
    full = searched("i", "m", 70.0, **told)
    full = full.model_copy(update={"identity": {**full.identity, "config": {"steps": steps}}})
    records = [
        searched("i-xs", "xs", 70.0, **told), searched("t-xs", "xs", 40.0, arm="siqa", parent="i-xs"),
        full, searched("t", "m", 50.0, arm="siqa", parent="i"),
        searched("i-n", "m", 70.0, 2, "i-xs", **told), searched("t-n", "m", 56.0, 2, "t-xs", arm="siqa", parent="i-n"),
    ]  # fmt: skip
    assert len(regret.find(records)) == rows


def test_records_without_a_search_or_an_identity_are_passed_over() -> None:
    assert len(regret.find([])) == 0
    bare = FULL.model_copy(update={"search": None, "identity": {}})
    assert len(regret.find([bare, FULL.model_copy(update={"identity": {}}), TWIN])) == 0


def test_fairness_names_what_is_unequal_and_what_is_narrowed() -> None:
    design = Design("toy", ("xs", "m"), ("none", "siqa"), ("xcopa",), (0,))
    more = searched("m-s", "m", 60.0, 3, arm="siqa")
    more = more.model_copy(update={"trials": (trial(0, 100), trial(1, 90), trial(2, 120))})
    found = fairness([more, NARROW, TWIN], design)
    assert list(found["size"]) == ["xs", "m"]
    small, large = found.to_dict("records")
    assert (small["equal"], small["narrowed"], small["trials"], small["arms"]) == (True, False, 4, 1)
    assert (large["equal"], large["narrowed"]) == (False, True)
    assert (large["trials"], large["most_trials"], large["tokens"], large["most_tokens"]) == (2, 3, 100, 120)


def test_fairness_counts_what_was_stopped_early_and_what_that_saved() -> None:
    """Of 2 x 100 + 10 steps of one arm 60 were spared, of 2 x 100 of the other none; one that diverged would have ended
    at step 10 in any case."""
    design = Design("toy", ("xs",), ("none", "siqa"), ("xcopa",), (0,))
    whole, early = (trial(number).model_copy(update={"steps": 100}) for number in range(2))
    early = early.model_copy(update={"steps": 40, "status": "pruned", "score": None})
    ended = trial(2).model_copy(update={"steps": 10, "status": "diverged", "score": None})
    some = searched("a", "xs", 60.0, 3).model_copy(update={"trials": (whole, early, ended)})
    none = searched("b", "xs", 60.0, 2, arm="siqa").model_copy(update={"trials": (whole, whole)})
    [row] = fairness([some, none], design).to_dict("records")
    assert (row["pruned"], row["steps_saved"]) == (1, pytest.approx(60 / 410))
    [row] = fairness([none], design).to_dict("records")
    assert (row["pruned"], row["steps_saved"]) == (0, 0.0)


@pytest.mark.parametrize("gone", [{"arm": "law"}, {"size": "l"}, {"task": "udpos"}, {"seed": 7}])
def test_what_was_taken_out_of_the_spec_is_compared_with_nothing(gone: dict) -> None:
    design = Design("toy", ("xs", "m"), ("none", "siqa"), ("xcopa",), (0,))
    assert fairness([TWIN, FULL, NARROW.model_copy(update=gone)], design).equals(fairness([TWIN, FULL], design))

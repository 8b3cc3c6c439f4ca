"""Which trials are stopped, and what can a stopped one not do?"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study import cost, costing, halving, narrowing, plan, show
from study.amounts import Bound, work
from study.halving import cutoffs
from study.records import Trial
from study.sampler import DIVERGED, PRUNED, best, open_side, points, startup, verdict
from study.spec import StudySpec
from study.store import Store
from tests.study.phases import spec
from tests.study.planned import finish, spec_on
from trainables.rungs import rungs, scored

STEPS, RUNGS = 12, (3, 6, 9)
STOPPING = {"search": {"early_stopping": True}}


def trial(number: int, status: str, dev: tuple[tuple[int, float], ...], rate: float = 1e-3) -> Trial:
    return Trial(
        number=number, learning_rate=rate, status=status, score=dev[-1][1] if status == "finished" else None,
        dev=dev, steps=dev[-1][0] if dev else 1, tokens=1, flops=1.0, seconds=1.0, wall_seconds=1.0, first_loss=1.0,
        last_loss=0.5,
    )  # fmt: skip


def at(*scores: float | None) -> list[Trial]:
    """Trials with these scores at step 6, and as many points at the end; None: it diverged before that."""
    return [
        trial(number, "diverged", ()) if score is None else trial(number, "finished", ((6, score), (12, score)))
        for number, score in enumerate(scores)
    ]


def test_a_trial_goes_on_among_the_best_half_of_those_that_came_so_far_itself_counted():
    # Of four, the best two go on: the fourth needs the second best score of the others, or as much.
    assert cutoffs((6,), at(40.0, 50.0, 60.0)) == {6: 50.0}
    # Of five, three (half, rounded up): the third best of the other four will do.
    assert cutoffs((6,), at(40.0, 50.0, 60.0, 70.0)) == {6: 50.0}
    assert cutoffs((6,), at(40.0)) == {6: 40.0}
    assert cutoffs((6,), []) == {}


def test_diverged_trials_are_the_worst_also_where_they_had_a_score():
    assert cutoffs((6,), at(40.0, None, None)) == {}, "among three diverged or worse ones every score is good enough"
    assert cutoffs((6,), at(40.0, 50.0, None)) == {6: 40.0}
    risen = trial(2, "diverged", ((6, 99.0),))
    assert cutoffs((6,), [*at(40.0, 50.0), risen]) == {6: 40.0}


def test_what_was_stopped_earlier_did_not_reach_the_later_rung():
    early = trial(3, "pruned", ((3, 10.0),))
    late = trial(4, "pruned", ((3, 60.0), (6, 20.0)))
    assert cutoffs((6,), [*at(40.0, 50.0, 60.0), early]) == {6: 50.0}
    assert cutoffs((6,), [*at(40.0, 50.0, 60.0), early, late]) == {6: 40.0}


@pytest.mark.parametrize(
    ("steps", "evaluations", "warmup", "expected"),
    [
        (120, 2, 0.06, (60,)),
        (120, 4, 0.3, (60, 90)),
        (120, 4, 0.25, (60, 90)),  # at step 30 the rate has only just reached its height
        (120, 1, 0.0, ()),
        (3, 3, 0.0, (1, 2)),
        (2, 2, 0.9, ()),
    ],
)
def test_rungs_lie_after_the_warm_up_and_before_the_end(steps, evaluations, warmup, expected):
    assert rungs(steps, evaluations, warmup) == expected
    assert set(expected) < set(scored(steps, evaluations)) and scored(steps, evaluations)[-1] == steps


# Whole searches: every trial has the curve that it would have if it were not stopped.

curves = st.lists(
    st.one_of(
        st.tuples(st.just("finished"), st.lists(st.integers(0, 5).map(float), min_size=4, max_size=4)),
        st.tuples(st.just("diverged"), st.lists(st.integers(0, 5).map(float), max_size=4)),
    ),
    min_size=1,
    max_size=9,
)


def searched(drawn: list[tuple[str, list[float]]]) -> tuple[list[Trial], list[Trial]]:
    """(the trials of a search, as they would have gone on without the rule)."""
    whole = [
        trial(number, status, tuple(zip((*RUNGS, STEPS), scores, strict=False)), 1e-3 * 1.3**number)
        for number, (status, scores) in enumerate(drawn)
    ]
    found: list[Trial] = []
    for one in whole:
        least = cutoffs(RUNGS, found) if one.number >= startup(len(whole)) else {}
        below = [step for step, score in one.dev if score < least.get(step, -math.inf)]
        reached = tuple(point for point in one.dev if not below or point[0] <= below[0])
        found.append(trial(one.number, "pruned" if below else one.status, reached, one.learning_rate))
    return found, whole


@given(curves)
def test_a_stopped_trial_never_wins_and_something_does_if_anything_could(drawn):
    found, whole = searched(drawn)
    winner = best(found)
    assert (winner is None) == (best(whole) is None), "stopping leaves no search without a winner"
    if winner is None:
        return
    assert winner.status == "finished"
    values = dict(enumerate(value for _, value in points(found)))
    assert values[winner.number] == max(values.values())
    for one in found:
        assert one.status != "pruned" or DIVERGED < values[one.number] == PRUNED < 0 <= values[winner.number]
        assert one.status != "pruned" or one.number >= startup(len(found)), "the first ones make the rungs"


@given(curves)
def test_the_rule_is_that_of_ranks(drawn):
    """By its words: at a rung it is stopped whose rank among those so far, ties to its favour, is beyond half."""
    found, whole = searched(drawn)
    for one, full in zip(found[startup(len(found)) :], whole[startup(len(found)) :], strict=True):
        for step, score in full.dev[: len(RUNGS)]:
            others = [
                -1.0 if other.status == "diverged" else dict(other.dev)[step]
                for other in found[: one.number]
                if other.status == "diverged" or step in dict(other.dev)
            ]
            rank = 1 + sum(other > score for other in others)
            beyond = rank > math.ceil((len(others) + 1) / 2)
            assert beyond == (one.status == "pruned" and one.dev[-1][0] == step)
            if beyond:
                break


@given(curves, st.data(), st.floats(0.1, 5))
def test_a_higher_score_is_never_a_reason_to_stop(drawn, chance, more):
    found, _ = searched(drawn)
    number = chance.draw(st.integers(0, len(drawn) - 1))
    status, scores = drawn[number]
    again, _ = searched([*drawn[:number], (status, [score + more for score in scores]), *drawn[number + 1 :]])
    assert again[:number] == found[:number]
    assert len(again[number].dev) >= len(found[number].dev), "it goes as far at least"


@given(curves, st.randoms())
def test_the_order_in_which_the_files_are_read_changes_nothing(drawn, random):
    found, _ = searched(drawn)
    mixed = list(found)
    random.shuffle(mixed)
    assert cutoffs(RUNGS, mixed) == cutoffs(RUNGS, found)
    assert best(mixed) == best(found) and points(mixed) == points(found)


def test_a_stopped_trial_closes_a_side():
    ended = [trial(0, "finished", ((12, 50.0),), 1e-3), trial(1, "finished", ((12, 60.0),), 3e-3)]
    stopped = trial(2, "pruned", ((6, 55.0),), 9e-3)
    assert verdict(ended) == "edge" and verdict([*ended, stopped]) == "interior"
    assert open_side((3e-3, 60.0), points(ended), (1e-3, 9e-3)) == "above"
    assert open_side((3e-3, 60.0), points([*ended, stopped]), (1e-3, 9e-3)) is None


def test_one_that_led_the_winner_where_it_was_stopped_closes_no_side():
    """The winner was slow to rise: at step 6 the stopped trial scored more, and only others made it end."""
    scores = [(60.0, 61.0), (60.0, 62.0), (30.0, 90.0)]
    ended = [trial(n, "finished", ((6, early), (12, late)), 1e-3 * (n + 1)) for n, (early, late) in enumerate(scores)]
    assert cutoffs((6,), ended) == {6: 60.0} and verdict(ended) == "edge"
    for score, expected in ((50.0, "edge"), (30.0, "edge"), (29.0, "interior")):
        assert verdict([*ended, trial(3, "pruned", ((6, score),), 9e-3)]) == expected, score


# The spec, the plan.


def problems(**training: Any) -> list[str]:
    return halving.problems(spec(training=training, **STOPPING))


def test_what_could_never_stop_a_trial_is_refused_with_a_number_that_would():
    assert problems() == problems(evaluations=2, warmup=0.4) == []
    where = "to score every phase after its warm-up and before its end"
    assert problems(evaluations=1) == [
        f"training.evaluations: found 1, with search.early_stopping allowed: e.g. 2, {where}"
    ]
    assert problems(evaluations=2, warmup=0.8) == [
        f"training.evaluations: found 2, with search.early_stopping allowed: e.g. 6, {where}"
    ]
    assert problems(steps={"default": 2}, warmup=0.5) == [
        "search.early_stopping: found true, allowed: false, because of 2 steps none lies between the warm-up "
        "(training.warmup 0.5) and the last"
    ]
    assert halving.problems(spec(training={"evaluations": 1})) == [], "nobody asked for it"
    assert halving.problems(spec(search={"early_stopping": True, "trials": 1})) == [
        "search.trials: found 1, with search.early_stopping allowed: at least 2 (the first is never stopped)"
    ]


@given(steps=st.lists(st.integers(1, 60), min_size=1, max_size=3), warmup=st.floats(0, 0.99), evaluations=st.integers(1, 60))  # fmt: skip  # noqa: E501
def test_the_number_that_would_do_is_the_least_one(steps, warmup, evaluations):
    named = {"default": min(steps), **dict(zip(("xcopa", "udpos"), steps, strict=False))}
    able = [count for count in range(1, min(steps) + 1) if all(rungs(one, count, warmup) for one in named.values())]
    found = problems(steps=named, warmup=warmup, evaluations=evaluations)
    if evaluations > min(steps):
        assert found == [], "`study.spec` refuses more scorings than steps"
    elif evaluations in able:
        assert found == []
    elif able:
        [line] = found
        assert f"allowed: e.g. {min(able)}, to score" in line
    else:
        assert "allowed: false" in found[0]


def test_numbers_without_sense_are_answered_at_once():
    """Nothing is listed: a billion scorings took minutes before the line that refuses them, a billion steps hours."""
    assert problems(evaluations=10**9) == []
    [line] = problems(evaluations=1, warmup=0.999999, steps={"default": 10**9})
    assert "allowed: e.g. 1000501" in line, "the last but one at step 999,999,001"


def by_slug(root: Path, store: Store, **changes: Any) -> dict[str, plan.Phase]:
    return {phase.slug: phase for phase in plan.build(spec_on(root, **changes), store)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs" / "tiny")


def test_without_it_a_search_is_identified_as_before_there_was_any():
    """As keys of studies that are under way hold it."""
    base = StudySpec.model_validate({"name": "tiny", "ladder": "lab", "sizes": ["xs"], "attention": "causal"})
    assert json.loads(json.dumps(narrowing.identity(base, None))) == {
        "search": {"trials": 4, "window": [0.001, 0.01], "seed": 0}
    }
    assert narrowing.identity(base, "twin") == {
        "search": {"trials": 2, "seed": 0, "transfer": {"below": 4.0, "above": 1.6}},
        "narrowed_by": "twin",
    }


@pytest.mark.parametrize("transfer", [False, True])
def test_switched_on_it_makes_new_what_searches_and_what_builds_on_that(lab_root: Path, store: Store, transfer: bool):
    off, on = ({"search": {"transfer": transfer, "early_stopping": given}} for given in (False, True))
    old, new = by_slug(lab_root, store, **off), by_slug(lab_root, store, **on)
    assert old.keys() == new.keys()
    same = {slug for slug in old if old[slug].key == new[slug].key}
    assert same == {slug for slug in old if slug.startswith("pretrain-") or slug.endswith("s-none")}
    for phase in old.values():
        finish(store, phase)
    reasons = {row.phase.slug: row.reason for row in plan.rows(spec_on(lab_root, **on), store)}
    first = "changed: search.early_stopping.factor nothing -> 2"
    assert reasons["target-xs-none-xcopa-s0"] == first
    assert reasons["target-xs-none-xcopa-s1"] == "changed: the phase that tunes it changed"


def test_the_plan_says_that_its_numbers_are_upper_limits(lab_root: Path, store: Store, capsys: pytest.CaptureFixture):
    for on in (False, True):
        asked = spec_on(lab_root, search={"early_stopping": on})
        rows = plan.rows(asked, store)
        show.plan_text(asked, store, rows, plan.counts(asked, rows), cost.estimate(asked, rows))
        told = "search.early_stopping: hopeless trials end early" in capsys.readouterr().out
        assert told == on
        assert costing.costs(asked, store, "a100-80", None)[1].endswith("price are planned without that") == on
    phase = next(row.phase for row in rows if row.phase.slug == "target-xs-none-xcopa-s0")
    off = spec_on(lab_root)
    assert work(phase, asked, Bound(asked)) == work(phase, off, Bound(off)), "every trial is planned to its end"

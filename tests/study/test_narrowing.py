"""A larger size searches around the winner of the smallest: what waits for what, what is new when, and which window."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from study import cost, narrowing, plan, show
from study.amounts import Bound, work
from study.plan import Phase
from study.sampler import Sampler
from study.search import search
from study.store import Store
from study.work import finished_trials, run_trial, search_window
from tests.study.phases import bowl, job, record, spec, target_phase
from tests.study.planned import finish, spec_on
from trainables.errors import StudyError

TRANSFER = {"search": {"transfer": True}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs" / "tiny")


def by_slug(root: Path, store: Store, **changes: Any) -> dict[str, Phase]:
    return {phase.slug: phase for phase in plan.build(spec_on(root, **changes), store)}


def changed(root: Path, store: Store, before: dict, after: dict) -> set[str]:
    old, new = by_slug(root, store, **before), by_slug(root, store, **after)
    return {slug for slug, phase in new.items() if slug not in old or old[slug].key != phase.key}


def test_larger_sizes_wait_for_their_twins_and_the_smallest_for_nothing(lab_root: Path, store: Store) -> None:
    found = by_slug(lab_root, store, sizes=["s", "xs"], **TRANSFER)
    for slug in ("intermediate-{}-siqa-s0", "target-{}-none-xcopa-s0", "target-{}-siqa-xcopa-s0"):
        large, small = found[slug.format("s")], found[slug.format("xs")]
        assert (large.narrowed_by, small.narrowed_by) == (small.key, None)
        assert small.key in large.needs
    assert found["target-s-siqa-xcopa-s1"].narrowed_by is None, "other seeds run the winner of their own size"
    assert list(found).index("target-xs-siqa-xcopa-s0") < list(found).index("target-s-siqa-xcopa-s0")


def test_only_tuned_phases_of_larger_sizes_are_new(lab_root: Path, store: Store) -> None:
    new = changed(lab_root, store, {}, TRANSFER)
    assert new == {slug for slug in by_slug(lab_root, store) if "-s-" in slug and slug.endswith(("-s0", "-s1"))}
    assert changed(lab_root, store, {"sizes": ["xs"]}, {"sizes": ["xs"], **TRANSFER}) == set(), "one size: no effect"


def test_what_makes_the_twin_new_makes_the_larger_one_new(lab_root: Path, store: Store) -> None:
    wide = {"search": {"transfer": True, "window": [1e-4, 1e-2]}}
    tuned = {slug for slug in by_slug(lab_root, store) if slug.endswith(("-s0", "-s1"))}
    assert changed(lab_root, store, TRANSFER, wide) == tuned
    new = changed(lab_root, store, {"sizes": ["xs"], **TRANSFER}, TRANSFER)
    assert new == {slug for slug in by_slug(lab_root, store) if "-xs" not in slug}, "a larger size changes no other"


def test_the_reason_says_that_transfer_was_switched_on(lab_root: Path, store: Store) -> None:
    for phase in by_slug(lab_root, store).values():
        finish(store, phase)
    reasons = {row.phase.slug: row.reason for row in plan.rows(spec_on(lab_root, **TRANSFER), store)}
    assert reasons["target-xs-none-xcopa-s0"] == ""
    assert reasons["target-s-none-xcopa-s0"].startswith("changed: search.transfer.above nothing -> 1.6; ")
    assert reasons["target-s-none-xcopa-s1"] == "changed: the phase that tunes it changed"
    for phase in by_slug(lab_root, store, **TRANSFER).values():
        finish(store, phase, finished="2026-02-01T00:00:00")
    wide = spec_on(lab_root, search={"transfer": True, "window": [1e-4, 1e-2]})
    reasons = {row.phase.slug: row.reason for row in plan.rows(wide, store)}
    assert reasons["target-s-none-xcopa-s0"] == "changed: the search at the smallest size changed"


@pytest.mark.parametrize(("full", "half"), [(1, 1), (4, 2), (5, 3)])
def test_half_the_trials_are_counted_everywhere(lab_root: Path, store: Store, full: int, half: int) -> None:
    asked = {"search": {"trials": full, "transfer": True}}
    whole = spec_on(lab_root, search={"trials": full})
    narrow, found = spec_on(lab_root, **asked), by_slug(lab_root, store, **asked)
    large, small, other = (found[f"target-{name}"] for name in ("s-none-xcopa-s0", "xs-none-xcopa-s0", "s-none-xcopa-s1"))  # fmt: skip  # noqa: E501
    assert [narrowing.trials(phase, narrow) for phase in (large, small, other)] == [half, full, 1]
    lengths = Bound(narrow)
    assert work(large, narrow, lengths).trained == work(other, narrow, lengths).trained * half
    seconds = [cost.estimate(one, plan.rows(one, store)).seconds for one in (whole, narrow)]
    assert seconds[1] < seconds[0] or full == 1
    assert large.identity["search"]["trials"] == half


def test_the_plan_says_it(lab_root: Path, store: Store, capsys: pytest.CaptureFixture) -> None:
    asked = spec_on(lab_root, **TRANSFER)
    rows = plan.rows(asked, store)
    show.plan_text(asked, store, rows, plan.counts(asked, rows), cost.estimate(asked, rows))
    line = "search.transfer: xs tries 4 rates; s 2, from 1/4 to 1.6 times the winner at xs"
    assert line in capsys.readouterr().out.splitlines()
    value = show.plan_json(asked, store, rows, plan.counts(asked, rows), cost.estimate(asked, rows))
    one = next(phase for phase in value["phases"] if phase["key"].startswith("target-s-none-xcopa-s0"))
    assert one["trials"] == 2 and one["narrowed_by"] in one["needs"]
    assert json.dumps(value)


# The search itself, on the quick host.

TWIN = "target-xxs-s0"
WANTED = {"search": {"trials": 6, "window": (1e-4, 1e-1), "transfer": True}}


def narrowed_job(folder: Path, best: float | None):
    phase = target_phase()
    one = job(folder, Phase(**{**vars(phase), "narrowed_by": TWIN}), **WANTED)
    if best is not None:
        twin = target_phase()
        one.store.write_record(record(Phase(**{**vars(twin), "key": TWIN}), learning_rate=best))
    return one


def test_the_window_lies_around_the_winner_of_the_twin(tmp_path: Path) -> None:
    assert search_window(narrowed_job(tmp_path / "one", 4e-3)) == pytest.approx((1e-3, 6.4e-3))
    assert search_window(job(tmp_path / "two", target_phase(), **WANTED)) == (1e-4, 1e-1)
    with pytest.raises(StudyError, match=f"takes the learning rate of {TWIN}, which has no record"):
        search_window(narrowed_job(tmp_path / "three", None))


def test_trials_of_another_window_are_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin was lost and made again, and its winner is another one."""
    one = narrowed_job(tmp_path, 4e-3)
    kept: list[int] = []
    monkeypatch.setattr("study.search._run", lambda *given: kept.append(len(given[-1])))
    sampler = Sampler(search_window(one), 3, 0, one.phase.key)
    for number in range(sampler.startup):
        run_trial(one, number, sampler.rate(number, ()), bowl(3e-3))
    with pytest.raises(RuntimeError, match="ended with 2 of 3 trials"):
        search(one, bowl(3e-3), {}, concurrent=1)
    assert kept == [2]
    again = narrowed_job(tmp_path, 2e-3)
    with pytest.raises(RuntimeError, match="ended with 0 of 3 trials"):
        search(again, bowl(3e-3), {}, concurrent=1)
    assert kept == [2, 0] and finished_trials(again) == []


def test_a_study_without_transfer_has_the_keys_it_had_before(lab_root: Path, store: Store) -> None:
    phase = by_slug(lab_root, store)["target-s-none-xcopa-s0"]
    assert phase.identity["search"] == {"trials": 4, "window": [1e-3, 1e-2], "seed": 0}
    assert "narrowed_by" not in phase.identity
    assert narrowing.guide(spec()) is None

"""A search is a function of its seed, its phase and the results so far; the same when it is cut off in between."""

from __future__ import annotations

import math

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.records import Trial
from study.sampler import DIVERGED, NUMBER, PROBE, PRUNED, RATE, Sampler, best, open_side, points, verdict

WINDOW = (1e-3, 1e-2)


def sampler(trials: int = 6, seed: int = 0, name: str = "target-xs") -> Sampler:
    return Sampler(WINDOW, trials, seed, name)


def bowl(centre: float):
    """A score that falls with the distance from the best learning rate, in points."""
    return lambda rate: 90.0 - 30.0 * abs(math.log10(rate / centre))


def run(source: Sampler, score, known: list[tuple[int, float, float]] = ()) -> list[tuple[float, float]]:
    """A whole search through Optuna's ask and tell, starting from known (number, rate, score)."""
    study = optuna.create_study(direction="maximize", sampler=source)
    for number, rate, value in known:
        study.add_trial(
            optuna.trial.create_trial(params={NUMBER: number, RATE: rate}, distributions=source.space(), value=value)
        )
    for _ in range(source.trials - len(known)):
        trial = study.ask(source.space())
        study.tell(trial, score(trial.params[RATE]))
    done = sorted((trial.params[NUMBER], trial.params[RATE], trial.value) for trial in study.get_trials())
    assert [number for number, _, _ in done] == list(range(source.trials))
    return [(rate, value) for _, rate, value in done]


def trial(number: int, rate: float, score: float | None) -> Trial:
    return Trial(
        number=number, learning_rate=rate, status="diverged" if score is None else "finished", score=score, steps=1,
        tokens=1, flops=1.0, seconds=1.0, wall_seconds=1.0, first_loss=1.0, last_loss=0.5,
    )  # fmt: skip


@given(st.integers(1, 9), st.integers(0, 50), st.floats(5e-4, 2e-2))
def test_same_seed_same_search_and_every_search_spends_its_budget(trials, seed, centre):
    first = run(sampler(trials, seed), bowl(centre))
    assert first == run(sampler(trials, seed), bowl(centre))
    assert len(first) == trials
    low, high = WINDOW
    assert all(low <= rate <= high for rate, _ in first[:-1]), "only the last trial may leave the window"
    assert low / PROBE <= first[-1][0] <= high * PROBE


@given(st.integers(2, 7), st.integers(0, 20), st.floats(5e-4, 2e-2), st.data())
def test_resumed_search_equals_an_undisturbed_one(trials, seed, centre, data):
    whole = run(sampler(trials, seed), bowl(centre))
    # Start-up trials may have run side by side, so any of them may be missing; later ones are in order.
    startup = sampler(trials, seed).startup
    early = data.draw(st.sets(st.integers(0, startup - 1)))
    later = range(startup, data.draw(st.integers(startup, trials))) if len(early) == startup else ()
    known = [(number, *whole[number]) for number in [*sorted(early), *later]]
    assert run(sampler(trials, seed), bowl(centre), known) == whole


def test_seed_and_phase_change_the_search():
    assert run(sampler(seed=0), bowl(3e-3)) != run(sampler(seed=1), bowl(3e-3))
    assert run(sampler(name="a"), bowl(3e-3)) != run(sampler(name="b"), bowl(3e-3))


def test_startup_trials_cover_the_window_one_per_stratum():
    source = sampler(8)
    rates = sorted(source.rate(number, ()) for number in range(source.startup))
    shares = [math.log(rate / WINDOW[0]) / math.log(WINDOW[1] / WINDOW[0]) for rate in rates]
    assert [int(share * source.startup) for share in shares] == list(range(source.startup))


@pytest.mark.parametrize(("centre", "beyond"), [(5e-2, 1e-2), (1e-4, 1e-3)])
def test_an_optimum_on_the_edge_is_extended_once_past_the_best(centre, beyond):
    found = run(sampler(5), bowl(centre))
    rate = found[-1][0]
    assert rate > beyond * 0.9 if centre > 1e-2 else rate < beyond * 1.1
    earlier = max(found[:-1], key=lambda point: point[1])[0]
    assert rate == pytest.approx(earlier * PROBE if centre > 1e-2 else earlier / PROBE)


def test_a_bracketed_optimum_is_refined_inside_the_window():
    source = sampler(5)
    before = [(1e-3, 50.0), (9e-3, 50.0), (3e-3, 80.0), (3.5e-3, 79.0)]
    assert WINDOW[0] <= source.rate(4, before) <= WINDOW[1]
    assert source.rate(4, before) not in (3e-3 * PROBE, 3e-3 / PROBE)


def test_divergence_closes_the_upper_side_and_all_diverged_goes_below():
    assert open_side((3e-3, 60.0), [(3e-3, 60.0), (8e-3, DIVERGED)], WINDOW) == "below"
    assert open_side((1e-3, DIVERGED), [(1e-3, DIVERGED), (8e-3, DIVERGED)], WINDOW) == "below"


def test_verdict():
    assert verdict([trial(0, 1e-3, 50.0)]) == "single"
    assert verdict([trial(0, 1e-3, 50.0), trial(1, 3e-3, 60.0), trial(2, 9e-3, 55.0)]) == "interior"
    assert verdict([trial(0, 1e-3, 50.0), trial(1, 3e-3, 60.0), trial(2, 9e-3, None)]) == "interior"
    assert verdict([trial(0, 1e-3, 50.0), trial(1, 3e-3, 60.0)]) == "edge"
    assert verdict([trial(0, 1e-3, 50.0), trial(1, 3e-3, 60.0), trial(2, 9e-3, 60.0)]) == "edge"
    assert verdict([trial(0, 1e-3, None), trial(1, 3e-3, None)]) == "single"


def test_winner_is_the_highest_score_with_ties_to_the_lower_rate_and_never_a_diverged_one():
    tied = [trial(0, 9e-3, 60.0), trial(1, 3e-3, 60.0), trial(2, 1e-3, None)]
    assert best(tied).number == 1
    assert best([trial(0, 1e-3, None)]) is None
    assert points(tied) == [(9e-3, 60.0), (3e-3, 60.0), (1e-3, DIVERGED)]
    pruned = trial(3, 5e-3, None).model_copy(update={"status": "pruned", "dev": ((1, 99.0),)})
    assert best([*tied, pruned]).number == 1 and best([pruned]) is None
    assert points([pruned]) == [(5e-3, PRUNED)] and DIVERGED < PRUNED < 0

"""Any DAG, any number of slots: every phase runs once, after what it needs, and failures stay where they belong."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from study.schedule import Clock, Queue, cost, priorities
from trainables.config import (
    Adapter,
    Architecture,
    Cell,
    EvaluationConfig,
    ImportConfig,
    PretrainConfig,
    Size,
    TuneConfig,
)
from trainables.models.ladders import ladder


@st.composite
def dags(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    count = draw(st.integers(1, 20))
    return {
        f"p{i}": tuple(f"p{j}" for j in sorted(draw(st.sets(st.integers(0, i - 1), max_size=3)))) if i else ()
        for i in range(count)
    }


def walk(needs: dict[str, tuple[str, ...]], slots: int, failing: set[str], seed: int) -> tuple[Queue, list[str]]:
    """Run the queue with tasks that end in random order; returns it and the order of starts."""
    queue = Queue(needs, priorities(needs, dict.fromkeys(needs, 1.0)))
    started: list[str] = []
    flying: list[str] = []
    rng = random.Random(seed)
    while not queue.over:
        for key in queue.take(slots - len(flying)):
            assert all(need in queue.done for need in needs[key])
            started.append(key)
            flying.append(key)
        assert flying and len(flying) <= slots, "deadlock, or more than the slots"
        key = flying.pop(rng.randrange(len(flying)))
        if key in failing:
            queue.fail(key, "broken")
        else:
            queue.finish(key)
    return queue, started


def descendants(needs: dict[str, tuple[str, ...]], roots: set[str]) -> set[str]:
    """All phases that wait for one of the roots, directly or not."""
    lost: set[str] = set()
    for key in needs:  # topological order
        if (lost | roots).intersection(needs[key]):
            lost.add(key)
    return lost


@given(dags(), st.integers(1, 25), st.integers(0, 9))
def test_everything_runs_once_at_any_number_of_slots(needs, slots, seed):
    queue, started = walk(needs, slots, set(), seed)
    assert sorted(started) == sorted(needs)
    assert queue.done == set(needs)


@given(dags(), st.integers(1, 5), st.integers(0, 9), st.data())
def test_a_failure_blocks_exactly_its_descendants(needs, slots, seed, data):
    failing = data.draw(st.sets(st.sampled_from(sorted(needs)), max_size=3))
    queue, started = walk(needs, slots, failing, seed)
    reached = failing - descendants(needs, failing)
    assert set(queue.failed) == reached
    assert set(queue.blocked) == descendants(needs, reached)
    assert queue.done == set(needs) - reached - set(queue.blocked)
    assert len(started) == len(set(started))


@given(dags(), st.data())
def test_done_phases_are_not_run_again(needs, data):
    done = data.draw(st.sets(st.sampled_from(sorted(needs))))
    queue = Queue(needs, dict.fromkeys(needs, 1.0), done=set(done))
    while not queue.over:
        for key in queue.take(3):
            assert key not in done
            queue.finish(key)


def test_the_longest_chain_goes_first():
    needs = {"short": (), "long": (), "tail": ("long",)}
    ranks = priorities(needs, {"short": 2.0, "long": 1.0, "tail": 5.0})
    assert ranks == {"short": 2.0, "long": 6.0, "tail": 5.0}
    assert Queue(needs, ranks).take(1) == ["long"]


@given(dags(), st.integers(1, 6), st.integers(1, 4), st.integers(0, 9), st.data())
def test_of_led_phases_only_so_many_run_and_nothing_stands_still_for_them(needs, slots, leaders, seed, data):
    """Every phase runs; what is left out is led, and no led one of less weight was taken in its place."""
    led = data.draw(st.sets(st.sampled_from(sorted(needs))))
    ranks = {key: float(data.draw(st.integers(0, 3))) for key in needs}
    queue, rng = Queue(needs, ranks, asks={key: ("lead",) for key in led}), random.Random(seed)
    flying: list[str] = []
    while not queue.over:
        ready = {key for key in needs if not {key} & (queue.done | queue.running) and queue.done.issuperset(needs[key])}
        free, places = slots - len(flying), leaders - len(led.intersection(flying))
        chosen = queue.take(free, {"lead": places})
        flying += chosen
        assert len(flying) <= slots and len(led.intersection(flying)) <= leaders
        left, lowest = ready.difference(chosen), min((ranks[key] for key in led.intersection(chosen)), default=4.0)
        assert flying and all(ranks[key] <= lowest for key in led & left), "deadlock, or one that was passed over"
        if len(chosen) < free:
            assert left <= led and (not left or len(led.intersection(chosen)) == places)
            assert queue.waits_for("lead") == bool(left)
        assert queue.left("lead") == len(led - queue.done)
        key = flying.pop(rng.randrange(len(flying)))
        if rng.random() < 0.2:
            queue.put_back(key)
        else:
            queue.finish(key)
    assert queue.done == set(needs)


@given(dags(), st.integers(1, 6), st.data())
def test_without_a_bound_led_phases_are_like_all_others(needs, slots, data):
    ranks = {key: float(data.draw(st.integers(0, 3))) for key in needs}
    led = data.draw(st.sets(st.sampled_from(sorted(needs))))
    one, other = Queue(needs, ranks), Queue(needs, ranks, asks={key: ("lead",) for key in led})
    while not one.over:
        chosen = one.take(slots)
        assert other.take(slots) == chosen
        for key in chosen:
            one.finish(key)
            other.finish(key)


def test_a_phase_that_another_driver_holds_is_offered_again():
    queue = Queue({"a": ()}, {"a": 1.0})
    assert queue.take(1) == ["a"]
    assert queue.take(1) == []
    queue.put_back("a")
    assert queue.take(1) == ["a"]


def size(hidden: int) -> Size:
    shape = Architecture(hidden=hidden, layers=2, heads=2, intermediate=3 * hidden)
    return Size(name=str(hidden), family="decoder", architecture=shape)


def tune(hidden: int) -> TuneConfig:
    return TuneConfig(
        kind="target", ladder="lab", size=size(hidden), quantization="none", attention="causal", adapter=Adapter(),
        tasks={"xcopa": 1.0}, steps=10, batch_size=4, max_length={"xcopa": 16}, warmup=0.0, weight_decay=0.0,
        head_learning_rate_scale=1.0, clip=1.0, evaluations=1, seed=0,
    )  # fmt: skip


def test_larger_sizes_and_more_trials_cost_more():
    assert cost(tune(1024), 1) > cost(tune(64), 1)
    assert cost(tune(64), 4) == 4 * cost(tune(64), 1)
    pretrain = PretrainConfig(
        ladder="lab", size=size(64), tokenizer="words", vocabulary=10, steps=10, batch_size=4,
        learning_rate=1e-3, matrix_learning_rate=1e-3, max_length=16, seed=0,
    )  # fmt: skip
    assert cost(pretrain, 1) > cost(tune(64), 1)
    small, large = (ladder("qwen3").size(name) for name in ("0.6b", "14b"))
    brought = ImportConfig(ladder="qwen3", size=small, quantization="nf4", files={})
    assert cost(brought.model_copy(update={"size": large}), 1) > 20 * cost(brought, 1) > 0
    cells = tuple(Cell(task="xcopa", language=language, split="test") for language in ("en", "xa"))
    both = EvaluationConfig(
        ladder="lab", size=size(64), quantization="none", attention="causal", max_length={"xcopa": 16}, cells=cells
    )
    assert cost(both, 1) == 2 * cost(both.model_copy(update={"cells": cells[:1]}), 1)


def test_eta_scales_measured_seconds_and_never_undercuts_the_longest_phase():
    clock = Clock({"a": 1.0, "b": 2.0, "c": 2.0, "d": 30.0}, dict.fromkeys("abcd", "target-xs"))
    assert clock.eta({"a": 5.0}, {"": 2}) is None, "nothing measured yet"
    clock.over("a", 10.0)
    assert clock.rate("target-xs") == 10.0
    assert clock.eta({}, {"": 2}) == 300.0, "d alone takes so long"
    assert clock.eta({}, {"": 1}) == 340.0
    assert clock.eta({"d": 100.0}, {"": 1}) == 240.0
    clock.over("d")
    assert clock.eta({}, {"": 2}) == 20.0
    assert clock.eta({"b": 15.0}, {"": 1}) == 25.0
    assert clock.eta({"b": 25.0}, {"": 1}) == 20.0, "late, but not less than nothing is left of it"
    clock.over("b", 20.0)
    clock.over("c", 20.0)
    assert clock.eta({}, {"": 2}) == 0.0


def test_a_group_without_a_measurement_goes_at_the_rate_of_all():
    clock = Clock({"a": 1.0, "b": 3.0}, {"a": "target-xs", "b": "target-m"})
    clock.over("a", 10.0)
    assert clock.rate("target-m") == 10.0 and clock.eta({}, {"": 1}) == 30.0


def test_the_pool_that_takes_longest_says_how_long_it_takes():
    groups, pools = {"a": "target-s", "b": "target-l", "c": "target-l"}, {"a": "s", "b": "l", "c": "l"}
    clock = Clock({"a": 1.0, "b": 4.0, "c": 4.0}, groups, pools)
    clock.over("a", 10.0)
    assert clock.eta({}, {"s": 9, "l": 1}) == 80.0
    assert clock.eta({"b": 30.0}, {"s": 9, "l": 1}) == 50.0
    assert clock.eta({"b": 30.0}, {"s": 9, "l": 2}) == 40.0


def test_ten_thousand_phases_are_walked_without_looking_at_all_of_them_each_time():
    """Reads of the graph are counted, not seconds: the walk may look at an edge a few times, not at every phase."""
    needs = {f"r{i}": () for i in range(10)} | {f"p{i}": (f"r{i % 10}",) for i in range(10_000)}

    class Counting(dict):
        reads = 0

        def __getitem__(self, key):
            Counting.reads += 1
            return super().__getitem__(key)

    priority = Counting(dict.fromkeys(needs, 1.0))
    queue = Queue(needs, priority)
    while not queue.over:
        for key in queue.take(7):
            queue.finish(key)
    assert Counting.reads == len(needs)

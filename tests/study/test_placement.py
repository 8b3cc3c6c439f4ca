"""Phases find the nodes of their size on a cluster that was made for sizes, and wait for none elsewhere."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.placement import (
    LEAD,
    LEADING_BYTES,
    SLIVER,
    Room,
    asked,
    asks,
    busy,
    check,
    head_resources,
    leaders,
    led,
    pools,
    shared,
    slots,
    widths,
)
from study.schedule import Queue
from study.spec import Compute
from tests.study.phases import pretrain_phase, tune_config
from trainables.errors import StudyError

MADE = {name: float(amount) for name, amount in head_resources({("s",): 8, ("m", "l"): 4}).items()}


def test_only_a_process_with_a_gpu_on_a_cluster_made_for_sizes_asks_for_one():
    assert asked("m", 1.0, MADE) == {"size-m": SLIVER}
    assert asked("m", 0.0, MADE) == {} == asked("m", 1.0, {"CPU": 2.0, "driver": 1.0})


def test_a_size_without_a_group_is_refused_instead_of_waited_for():
    check(["s", "m"], 1.0, MADE)
    check(["xl"], 0.0, MADE)
    check(["xl"], 1.0, {"GPU": 4.0})
    with pytest.raises(StudyError, match="no group for xl, only for l, m, s; render its file again"):
        check(["s", "xl"], 1.0, MADE)


def count(compute: Compute, there: dict[str, float], local: bool) -> int:
    return slots(compute, there, local, {""})[""]


def test_slots_of_a_local_machine_and_of_a_cluster():
    assert count(Compute(), {"CPU": 4.0}, local=True) == 4
    assert count(Compute(cpus_per_trial=2), {"CPU": 5.0}, local=True) == 2
    assert count(Compute(workers=2), {"CPU": 4.0}, local=True) == 2
    assert count(Compute(gpus_per_trial=0.5), {"CPU": 16.0, "GPU": 1.0}, local=True) == 2
    assert count(Compute(slots=3), {"CPU": 16.0}, local=True) == 3
    assert count(Compute(gpus_per_trial=1), {"CPU": 2.0}, local=False) == 1, "an autoscaler must see demand"
    made = {"driver": 1.0, "planned-gpus": 8.0}
    assert count(Compute(gpus_per_trial=2), made, local=False) == 4 + 1, "all that may come is asked for at once"
    assert count(Compute(), made, local=False) == 1


def test_each_group_of_a_cluster_that_was_made_for_sizes_has_slots_of_its_own():
    there = {**MADE, "CPU": 64.0, "GPU": 2.0}
    found = pools(["s", "m", "l"], 1.0, there)
    assert found == {"s": "s", "m": "m/l", "l": "m/l"}
    assert slots(Compute(gpus_per_trial=2), there, False, found.values()) == {"s": 4, "m/l": 2}, "no more than planned"
    assert slots(Compute(gpus_per_trial=1, slots=6), there, False, found.values()) == {"s": 6, "m/l": 4}
    assert not [name for name in MADE if "," in name], "Ray's own list of them is separated by commas"
    assert pools(["s", "m"], 0.0, there) == {"s": "", "m": ""} == pools(["s", "m"], 1.0, {"GPU": 8.0})


def walked(room: Room, needs: dict[str, str], minutes: dict[str, int], nodes: dict[str, int]) -> dict[str, int]:
    """Run phases of sizes (key -> size), of which only so many fit their nodes at a time; size -> when it was done.
    Every other phase is a search."""
    found = {key: asks(room.pools[size], led=place % 2 == 0) for place, (key, size) in enumerate(needs.items())}
    queue = Queue(dict.fromkeys(needs, ()), {key: float(minutes[size]) for key, size in needs.items()}, asks=found)
    flying: dict[str, int] = {}
    ended: dict[str, int] = {}
    for now in range(1000):
        taken = busy((found[key], 1) for key in flying)
        flying |= dict.fromkeys(queue.take(*room.free(taken, queue.left)), 0)
        leading = sum(len(found[key]) > 1 for key in flying)
        assert leading <= max(room.leaders, len(minutes)) and len(flying) <= (room.compute.slots or math.inf)
        for size, many in nodes.items():
            for key in [key for key in flying if needs[key] == size][:many]:
                flying[key] += 1
                if flying[key] == minutes[size]:
                    queue.finish(key)
                    del flying[key]
                    ended[size] = now + 1
    return ended


def two_groups(compute: Compute, leaders: float) -> Room:
    there = {name: float(amount) for name, amount in head_resources({("s",): 6, ("l",): 2}).items()}
    room = Room(compute, pools(["s", "l"], 1.0, there), leaders)
    room.look(there, local=False)
    return room


@pytest.mark.parametrize("leaders", [math.inf, 12.0, 8.0])
def test_a_size_whose_nodes_are_few_or_never_come_leaves_the_others_their_turns(leaders):
    """20 long phases on two nodes before 60 short ones on six: each group is busy from its first minute to its last."""
    needs, minutes = {f"l{i}": "l" for i in range(20)} | {f"s{i}": "s" for i in range(60)}, {"l": 10, "s": 3}
    room = two_groups(Compute(gpus_per_trial=1), leaders)
    assert walked(room, needs, minutes, {"s": 6, "l": 2}) == {"l": 100, "s": 30}
    assert walked(room, needs, minutes, {"s": 6, "l": 0}) == {"s": 30}


@pytest.mark.parametrize(("limit", "leaders"), [(None, 1.0), (2, math.inf), (4, 1.0)])
def test_nor_do_they_where_the_head_or_the_study_lets_only_a_few_run(limit, leaders):
    needs, minutes = {f"l{i}": "l" for i in range(20)} | {f"s{i}": "s" for i in range(60)}, {"l": 10, "s": 3}
    room = two_groups(Compute(gpus_per_trial=1, slots=limit), leaders)
    assert walked(room, needs, minutes, {"s": 6, "l": 0}).keys() == {"s"}
    assert walked(room, needs, minutes, {"s": 6, "l": 2}).keys() == {"s", "l"}


def test_what_the_head_holds_is_for_those_groups_that_have_searches_left():
    room = Room(Compute(gpus_per_trial=1), {"s": "s", "l": "l"}, leaders=10.0, slots={"s": 9, "l": 9})
    left = {f"{LEAD} s": 9, f"{LEAD} l": 7}
    free, names = room.free({"s": 3, f"{LEAD} s": 2}, lambda name: left.get(name, 0))
    assert free == 15 and names == {"s": 6, "l": 9, f"{LEAD} s": 3, f"{LEAD} l": 5}
    left[f"{LEAD} l"] = 2
    assert room.free({}, lambda name: left.get(name, 0))[1][f"{LEAD} s"] == 8
    left[f"{LEAD} l"] = 0
    assert room.free({}, lambda name: left.get(name, 0))[1][f"{LEAD} s"] == 9


def test_it_is_full_only_where_searches_wait_for_the_head():
    room = Room(Compute(), {"s": "s"}, leaders=2.0, slots={"s": 4})
    assert room.full({"s": 2}, lambda name: name == f"{LEAD} s")
    assert not room.full({"s": 0}, lambda name: True) and not room.full({"s": 2}, lambda name: False)


@given(st.floats(0, 50), st.dictionaries(st.text(max_size=2), st.integers(0, 20), max_size=6), st.integers(0, 1))
def test_what_is_shared_out_is_fair_and_no_more_than_there_is(amount, wishes, least):
    parts = shared(amount, wishes, least)
    assert parts.keys() == wishes.keys() and all(parts[name] <= wish for name, wish in wishes.items())
    assert all(parts[name] >= min(least, wish) for name, wish in wishes.items())
    if not least:
        assert sum(parts.values()) == min(int(amount), sum(wishes.values())), "nothing is left lying"
    short = [part for name, part in parts.items() if part < wishes[name]]
    assert all(part <= min(short, default=0) + 1 for part in parts.values()) or not short


def test_a_search_takes_a_slot_for_each_trial_of_a_pool_and_a_single_one_elsewhere():
    flying = [(asks("l", led=True), 3), (asks("l", led=False), 1), (asks("", led=True), 3)]
    assert busy(flying) == {"l": 4, "": 1, f"{LEAD} l": 1, f"{LEAD} ": 1}


def test_a_search_has_several_trials_at_a_time_where_nobody_else_is_ready_for_their_slots():
    searches = {"a": ("l", 3), "b": ("l", 3), "evaluation": ("l", 1)}
    assert widths(searches, {"l": 0.0}) == {"a": 1, "b": 1, "evaluation": 1}
    assert widths(searches, {"l": 3.0}) == {"a": 2, "b": 3, "evaluation": 1}
    assert widths(searches, {"l": 9.0}) == {"a": 3, "b": 3, "evaluation": 1}
    assert widths({"a": ("", 3)}, {"": 0.0}) == {"a": 3}, "where no group was made for it there may be room"


def test_a_trial_that_fits_nowhere_is_refused_in_one_line():
    with pytest.raises(StudyError, match=r"^compute: a trial asks for 1 CPU and 2 GPU, here are 4 CPU and 0 GPU; "):
        count(Compute(gpus_per_trial=2), {"CPU": 4.0}, local=True)
    with pytest.raises(StudyError, match="a trial asks for 8 CPU"):
        count(Compute(workers=4, cpus_per_trial=2), {"CPU": 4.0}, local=True)


def node(alive: bool = True, **resources: float) -> dict[str, object]:
    return {"Alive": alive, "Resources": {"CPU": 2.0, **resources}}


def test_the_memory_of_the_head_says_how_many_searches_run_at_a_time():
    head = node(driver=1.0, memory=12e9)
    workers = [node(memory=64e9), node(memory=64e9, alive=False), node(driver=1.0, memory=64e9, alive=False)]
    gpus = Compute(gpus_per_trial=1)
    assert LEADING_BYTES == 120e6
    assert leaders([head, *workers], gpus, trials=4) == 100
    assert leaders([head, *workers], Compute(), trials=4) == 20, "its trials wait on the head, too, for a warm worker"
    assert leaders([head], Compute(gpus_per_trial=1, workers=2), trials=4) == 20
    assert leaders([node(driver=1.0, memory=1e6)], gpus, trials=4) == 1, "one always may"
    assert leaders(workers, gpus, trials=4) == math.inf, "processes go where there is room"
    assert leaders([node(driver=1.0)], gpus, trials=4) == math.inf


def test_searches_and_worker_groups_are_led():
    assert led(tune_config(), True, Compute()) and led(tune_config(), False, Compute(workers=2))
    assert not led(tune_config(), False, Compute())
    assert not led(pretrain_phase().config, True, Compute(workers=2))

"""Phases find the nodes of their size on a cluster that was made for sizes, and wait for none elsewhere."""

import math

import pytest

from study.placement import LEADING_BYTES, SLIVER, asked, check, head_resources, leaders, led, slots
from study.spec import Compute
from tests.study.phases import pretrain_phase, tune_config
from trainables.errors import StudyError

MADE = {name: float(amount) for name, amount in head_resources(["s", "m"], 8).items()}


def test_only_a_process_with_a_gpu_on_a_cluster_made_for_sizes_asks_for_one():
    assert asked("m", 1.0, MADE) == {"size-m": SLIVER}
    assert asked("m", 0.0, MADE) == {} == asked("m", 1.0, {"CPU": 2.0, "driver": 1.0})


def test_a_size_without_a_group_is_refused_instead_of_waited_for():
    check(["s", "m"], 1.0, MADE)
    check(["l"], 0.0, MADE)
    check(["l"], 1.0, {"GPU": 4.0})
    with pytest.raises(StudyError, match="no group for l, only for m, s; render its file again"):
        check(["s", "l"], 1.0, MADE)


def test_slots_of_a_local_machine_and_of_a_cluster():
    assert slots(Compute(), {"CPU": 4.0}, local=True) == 4
    assert slots(Compute(cpus_per_trial=2), {"CPU": 5.0}, local=True) == 2
    assert slots(Compute(workers=2), {"CPU": 4.0}, local=True) == 2
    assert slots(Compute(gpus_per_trial=0.5), {"CPU": 16.0, "GPU": 1.0}, local=True) == 2
    assert slots(Compute(slots=3), {"CPU": 16.0}, local=True) == 3
    assert slots(Compute(gpus_per_trial=1), {"CPU": 2.0}, local=False) == 1, "an autoscaler must see demand"
    made = {"driver": 1.0, "planned-gpus": 8.0}
    assert slots(Compute(gpus_per_trial=2), made, local=False) == 4 + 1, "all that may come is asked for at once"
    assert slots(Compute(), made, local=False) == 1


def test_a_trial_that_fits_nowhere_is_refused_in_one_line():
    with pytest.raises(StudyError, match=r"^compute: a trial asks for 1 CPU and 2 GPU, here are 4 CPU and 0 GPU; "):
        slots(Compute(gpus_per_trial=2), {"CPU": 4.0}, local=True)
    with pytest.raises(StudyError, match="a trial asks for 8 CPU"):
        slots(Compute(workers=4, cpus_per_trial=2), {"CPU": 4.0}, local=True)


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

"""Phases find the nodes of their size on a cluster that was made for sizes, and wait for none elsewhere."""

import pytest

from study.placement import SLIVER, asked, check, head_resources, slots
from study.spec import Compute
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

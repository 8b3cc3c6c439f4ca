"""Phases find the nodes of their size on a cluster that was made for sizes, and wait for none elsewhere."""

import pytest

from study.placement import SLIVER, asked, check, head_resources
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

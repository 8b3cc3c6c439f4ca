"""The languages of one cell in one block: a mapping, with sums as products."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.analysis.leaves import NOTHING, SUM, Leaves

CODES = ("ar", "de", "en", "sw")


def leaves(codes, shift=0.0):
    """Every language has its own value, and draws around it."""
    return Leaves.of({code: (ord(code[0]) + shift, np.arange(3.0) * ord(code[1]) + shift) for code in codes})


def test_it_is_a_mapping_in_the_order_of_the_codes():
    found = leaves(("en", "de"))
    assert list(found) == ["de", "en"] and len(found) == 2 and "sw" not in found
    value, draws = found["en"]
    assert value == ord("e") and draws.tolist() == [0, ord("n"), 2 * ord("n")]
    with pytest.raises(KeyError):
        found["sw"]


def test_nothing_stays_nothing():
    assert not Leaves.of({}) and not NOTHING.only(CODES)
    assert NOTHING.minus(leaves(CODES)) is NOTHING and leaves(("de",)).minus(leaves(("en",))) is NOTHING
    assert leaves(CODES).weighted({}) == {}


@given(st.sets(st.sampled_from(CODES)), st.sets(st.sampled_from(CODES)))
def test_a_difference_is_that_of_each_language_both_have(ours, theirs):
    found = leaves(ours, shift=5.0).minus(leaves(theirs))
    assert set(found) == ours & theirs
    assert all(value == 5.0 and draws.tolist() == [5.0] * 3 for value, draws in found.values())


def test_sums_are_those_by_hand():
    found = leaves(("de", "en")).weighted({"gap": np.array([-1.0, 1.0]), "mean": np.array([0.5, 0.5])})
    (gap, drawn), (mean, _) = found["gap"][SUM], found["mean"][SUM]
    assert gap == ord("e") - ord("d") and drawn.tolist() == [0, ord("n") - ord("e"), 2 * (ord("n") - ord("e"))]
    assert mean == (ord("e") + ord("d")) / 2

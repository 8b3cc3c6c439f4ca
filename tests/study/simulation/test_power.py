"""Is the foretold power what simulated studies show?"""

import numpy as np
import pytest
from scipy import stats

from study.analysis.basis import basis
from study.simulation import power
from study.simulation.draw import draw
from tests.study.simulation.toy import QUIET, toy

ONE = {"xcopa": {"languages": ["en", "de"], "level": 60.0, "slope": 0.0, "examples": 150}}


def found(planted, studies=10, scope="these"):
    return {one.quantity: one for one in power.power(planted, studies) if one.scope == scope}


def test_the_foretold_chance_is_how_often_simulated_studies_see_it():
    effect, studies = 2.5, 60
    arms = {"none": None, "siqa": {"tasks": ["siqa"], "gain": {"level": effect}}}
    planted = toy(targets=ONE, arms=arms, noise={"seed": 1.5})
    seen = [basis(draw(planted, 1000 + study)[0]).pools["siqa"].gain.mean().positive for study in range(studies)]
    foretold = found(planted)[power.GAIN].chance(effect)
    assert 0.2 < foretold < 0.98  # else it tells nothing
    assert np.mean(seen) == pytest.approx(foretold, abs=3 * (0.25 / studies) ** 0.5)


def test_chances_rise_with_the_effect_and_reach_80_per_cent_where_it_says():
    for one in found(toy(targets=ONE)).values():
        chances = [one.chance(effect) for effect in (0.0, 1.0, 3.0, 9.0, 27.0)]
        assert chances == sorted(chances)
        assert one.chance(one.smallest) == pytest.approx(0.8, abs=1e-6)


def test_seed_noise_alone_gives_what_the_textbook_says():
    one = {"xcopa": {"languages": ["en"], "level": 60.0, "slope": 0.0, "examples": 1500}}
    planted = toy(targets=one, noise={**QUIET, "seed": 5.0, "difficulty": 1.0}, seeds=list(range(8)))
    # A gain is the difference of two means of 24 phases, the spread known from 3 x 7 degrees of freedom.
    error = 5.0 * (2 / 24) ** 0.5
    wanted = error * (stats.t.ppf(0.975, 21) + stats.norm.ppf(0.8))
    assert found(planted, studies=15)[power.GAIN].smallest == pytest.approx(wanted, rel=0.1)


def test_more_seeds_see_smaller_effects_in_all_that_is_asked():
    few, many = (found(toy(targets=ONE, seeds=list(range(count)))) for count in (2, 8))
    assert set(few) == {power.GAIN, power.SINGLE, power.SLOPE, power.CONTRAST, power.RETENTION}
    assert all(many[quantity].smallest < few[quantity].smallest for quantity in few)

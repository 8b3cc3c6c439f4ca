"""Are the facts about languages those of their sources, and is nothing said that nobody stated?"""

import numpy as np
import pytest

from study.analysis.languages import DISTANCES
from study.report.facts import languages, pretraining, published
from study.store import Store
from tests.study.report.synthetic import Plan, build
from trainables.models.ladders import ladder
from trainables.tasks import TASKS
from trainables.tasks.benchmark import XTREME_R

GOLDEN = {  # name, family, script, resource class, GiB of CC-100, distances in the order of DISTANCES
    "af": ("Afrikaans", "Indo-European: Germanic", "Latin", 3, 1.3, (0.151, 0.496, 0.182, 0.309, 0.235)),
    "en": ("English", "Indo-European: Germanic", "Latin", 5, 300.8, (0.0, 0.0, 0.0, 0.0, 0.0)),
    "ht": ("Haitian Creole", "Creole", "Latin", 2, None, (0.270, 0.904, 0.095, 0.221, 0.229)),
    "sw": ("Swahili", "Niger-Congo", "Latin", 2, 1.6, (0.541, 1.0, 0.091, 0.242, 0.342)),
    "zh": ("Chinese", "Sino-Tibetan", "Han", 5, 63.5, (0.289, 1.0, 0.275, 0.303, 0.295)),
}


def test_golden_facts():
    known = published()
    for code, (name, family, script, resource, text, distances) in GOLDEN.items():
        fact = known[code]
        assert (fact.name, fact.family, fact.script, fact.resource, fact.text) == (name, family, script, resource, text)
        assert tuple(fact.distances[kind] for kind in DISTANCES) == distances
        assert fact.distance == fact.distances["syntactic"]


def test_every_language_of_the_benchmark_is_there_and_in_range():
    known = published()
    assert set(known) == {code for task in XTREME_R for code in TASKS[task].benchmark} and len(known) == 50
    for fact in known.values():
        assert fact.name and fact.family and fact.script and fact.resource in range(6)
        assert all(0 <= value <= 1 for value in fact.distances.values())
    without = {code: set(DISTANCES) - set(fact.distances) for code, fact in known.items()}
    assert {code: kinds for code, kinds in without.items() if kinds} == {"eu": {"genetic"}, "qu": {"genetic"}}


def test_two_sources_agree_on_what_xlmr_was_trained_on():
    """CC-100's table of sizes and the ladder's own list of languages were written down separately."""
    assert {code for code, fact in published().items() if fact.text} == set(ladder("xlmr").languages)


def test_distances_say_what_is_known_of_languages():
    """Relatives are near: each Germanic language is nearer than each of these, by family as by syntax."""
    known = published()
    for germanic in ("de", "nl", "af"):
        for far in ("ja", "tr", "ko", "my", "ta"):
            assert known[germanic].distance < known[far].distance
            assert known[germanic].distances["genetic"] < known[far].distances["genetic"]


def test_pretraining_is_what_the_ladder_states_for_each_size():
    assert pretraining({"ladder": "xlmr", "sizes": ["base"]}) == {"base": frozenset(ladder("xlmr").languages)}
    assert pretraining({"ladder": "gemma3", "sizes": ["270m", "4b"]}) == {"270m": frozenset({"en"})}
    own = {"languages": ["en", "de"], "sizes": {"s": {"languages": None}, "m": {"languages": ["en"]}}}
    assert pretraining({"ladder": "mine", "own_ladder": own, "sizes": ["s", "m"]}) == {
        "s": frozenset({"en", "de"}),
        "m": frozenset({"en"}),
    }
    for silent in ({"ladder": "lab", "sizes": ["xs"]}, {"ladder": "gone", "sizes": ["xs"]}, {}):
        assert pretraining(silent) == {}


def test_a_lab_states_its_own_distances_and_nothing_else_is_added(tmp_path):
    store = build(tmp_path / "toy", Plan(sizes=("xs",), seeds=(0,), targets=("xcopa",), resamples=5, examples=10))
    known = languages(store, {"ladder": "lab", "sizes": ["xs"]}, ["en", "xa", "de", "zz"])
    assert known["xa"].distance == 0.14 and known["xa"].resource is None and known["xa"].seen == {}
    assert known["de"].distance == pytest.approx(0.097)
    assert known["zz"].name == "" and known["zz"].distance is None


def test_seen_and_unseen_by_size(tmp_path):
    known = languages(Store(tmp_path / "none"), {"ladder": "xlmr", "sizes": ["base", "large"]}, ["sw", "qu"])
    assert known["sw"].seen == {"base": True, "large": True} and known["qu"].seen == {"base": False, "large": False}


def test_terciles_of_the_real_languages_split_them_evenly():
    from study.analysis.languages import groups

    sizes = {group.name: len(group.members["s"]) for group in groups(published(), ("s",)) if group.kind == "distance"}
    assert sizes.keys() == {"near", "middle", "far"} and np.ptp(list(sizes.values())) <= 2

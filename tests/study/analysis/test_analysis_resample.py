"""Does the bootstrap give the score's own formula, paired and in any order?"""

from dataclasses import replace

import numpy as np
import pytest

from study.analysis.resample import Judged, resample


def judged(hits, ids=None, predicted=None, possible=None) -> Judged:
    count = len(hits)
    ones = np.ones(count)
    names = np.array(ids or [f"e{n}" for n in range(count)], dtype=object)
    return Judged(
        names,
        np.array(hits, dtype=float),
        ones if predicted is None else predicted,
        ones if possible is None else possible,
    )


def grouped(hits, groups) -> Judged:
    return replace(judged(hits), groups=groups)


def cell(size="s", arm="none", target="t", seed=0, language="en"):
    return (size, arm, target, seed, language)


def test_point_is_the_score_formula():
    found = resample({cell(): judged([1, 2], predicted=np.array([2.0, 2.0]), possible=np.array([1.0, 3.0]))}, 10)
    assert found.points[cell()] == pytest.approx(200 * 3 / 8)


def test_spread_of_an_accuracy_is_binomial():
    hits = np.array([1.0] * 140 + [0.0] * 60)
    draws = resample({cell(): judged(hits)}, 4000).draws[cell()]
    assert draws.mean() == pytest.approx(70, abs=0.3)
    assert draws.std() == pytest.approx(100 * np.sqrt(0.7 * 0.3 / 200), rel=0.06)


def test_difference_of_two_equal_cells_has_no_spread():
    rng = np.random.default_rng(0)
    hits = rng.integers(0, 2, 80)
    order = rng.permutation(80)
    shuffled = judged(hits[order], [f"e{n}" for n in order])
    found = resample({cell(): judged(hits), cell(arm="siqa"): shuffled}, 200)
    assert np.allclose(found.draws[cell()], found.draws[cell(arm="siqa")])
    assert found.draws[cell()].std() > 1


def test_parallel_languages_share_their_draws():
    hits = np.random.default_rng(1).integers(0, 2, 50)
    found = resample({cell(): judged(hits), cell(language="de"): judged(hits)}, 100)
    assert np.array_equal(found.draws[cell()], found.draws[cell(language="de")])


PARAGRAPHS, QUESTIONS = 60, 5


def covered(grouped: bool, studies: int = 300) -> float:
    """How often the 95 % interval of a score holds the true one: paragraphs are hard or easy, five questions each."""
    rng = np.random.default_rng(5)
    paragraph = np.repeat(np.arange(PARAGRAPHS), QUESTIONS)
    hits = 0
    for _ in range(studies):
        easy = rng.beta(1.2, 0.8, PARAGRAPHS)  # 0.6 on the mean
        one = judged((rng.random(PARAGRAPHS * QUESTIONS) < easy[paragraph]).astype(float))
        found = resample({cell(): replace(one, groups=paragraph if grouped else None)}, 200)
        hits += abs(found.points[cell()] - 60) < 1.96 * found.draws[cell()].std()
    return hits / studies


def test_questions_of_a_paragraph_are_drawn_together():
    """Counted one by one their interval holds the truth far less often than 95 %."""
    assert covered(grouped=True) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)
    assert covered(grouped=False) < 0.85


def test_groups_of_one_example_change_nothing():
    hits = np.random.default_rng(3).integers(0, 2, 50)
    plain, alone = (resample({cell(): judged(hits)}, 50), resample({cell(): grouped(hits, np.arange(50))}, 50))
    assert np.array_equal(plain.draws[cell()], alone.draws[cell()])
    assert (plain.grouped, alone.grouped) == (frozenset(), {"t"})


def test_cells_without_groups_take_those_of_the_others_and_parallel_languages_too():
    rng = np.random.default_rng(4)
    hits, groups = rng.integers(0, 2, 60), np.arange(60) // 3
    other = groups.copy()
    other[0] = 99  # a translation that does not repeat its text to the letter
    found = resample(
        {cell(): grouped(hits, groups), cell(arm="siqa"): judged(hits), cell(language="tr"): grouped(hits, other)}, 50
    )
    assert np.array_equal(found.draws[cell()], found.draws[cell(arm="siqa")])
    assert np.array_equal(found.draws[cell()], found.draws[cell(language="tr")])


def test_the_order_of_examples_and_the_names_of_groups_do_not_matter():
    rng = np.random.default_rng(6)
    hits, groups, order = rng.integers(0, 2, 60), np.arange(60) // 4, rng.permutation(60)
    names = [f"e{n}" for n in order]
    shuffled = replace(judged(hits[order], names), groups=(100 - groups)[order])
    first, second = resample({cell(): grouped(hits, groups)}, 50), resample({cell(): shuffled}, 50)
    assert first.draws[cell()] == pytest.approx(second.draws[cell()])


def test_too_few_texts_count_by_example():
    """From three texts nothing is known of the spread of texts; no interval may shrink to nothing for that."""
    hits = np.random.default_rng(7).integers(0, 2, 60)
    one = resample({cell(language=code): grouped(hits, np.arange(60) % 9) for code in ("de", "en")}, 50)
    assert np.array_equal(one.draws[cell()], resample({cell(): judged(hits)}, 50).draws[cell()])
    [note] = one.notes  # nobody may take such an interval for what it is not
    assert note.startswith("t/de, en: test examples about fewer than 10 texts count as independent")
    assert resample({cell(): grouped(hits, np.arange(60) % 10)}, 50).notes == ()
    assert resample({cell(): grouped(hits[:5], np.arange(5))}, 50).notes == (), "five texts with one example each"


def test_order_of_cells_does_not_matter():
    rng = np.random.default_rng(2)
    cells = {cell(seed=n, language=code): judged(rng.integers(0, 2, 40)) for n in range(3) for code in ("en", "de")}
    forward, backward = resample(cells, 50), resample(dict(reversed(cells.items())), 50)
    assert all(np.array_equal(forward.draws[name], backward.draws[name]) for name in cells)


def test_only_shared_examples_count_and_a_note_says_so():
    found = resample({cell(): judged([1, 0, 0]), cell(arm="siqa"): judged([1, 1], ["e0", "e1"])}, 10)
    assert found.points[cell()] == pytest.approx(50)
    assert found.notes == ("t/en: 2 of 3 test examples are shared by all its cells.",)


def test_cells_without_a_shared_example_are_left_out():
    found = resample({cell(): judged([1]), cell(arm="siqa"): judged([1], ["other"])}, 10)
    assert found.points == {} and "0 of 1" in found.notes[0]

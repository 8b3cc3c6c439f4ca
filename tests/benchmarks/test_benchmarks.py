"""The benchmarks run in their smallest form, compare like with like, and the README shows what was measured."""

import json
from pathlib import Path

import pytest

from tests.benchmarks import mixed_lengths, scoring, snapshot, table, training
from tests.benchmarks.side_by_side import Turn, compare, keep

SMALL = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    folder = tmp_path_factory.mktemp("net")
    mixed_lengths.write_net(folder / "model", SMALL)
    return folder


def test_ratios_are_taken_within_a_round_and_the_first_turn_does_not_count():
    order = []

    def contender(name, seconds):
        times = iter(seconds)

        def turn():
            order.append(name)
            return Turn(12.0, next(times), 1.0)

        return turn

    # A round that is three times as slow for both moves the rates and not the ratio.
    both = {"ours": contender("ours", [99, 1, 3, 1]), "other": contender("other", [1, 2, 6, 2.5])}
    found = compare("race", "meals/s", both, rounds=3)
    ratio = found.ratios["other"]
    assert (ratio.least, ratio.median, ratio.greatest) == (2.0, 2.0, 2.5)
    assert found.rates["ours"].median == 12.0 and found.rates["ours"].least == 4.0
    assert order == ["ours", "other"] * 2 + ["other", "ours"] + ["ours", "other"]


def test_training_compares_the_same_work(net, tmp_path):
    found = training.measured(net, examples=160, steps=2, rounds=1)
    shares = found.facts["padding_of_epoch_and_of_turn"]
    ours, default, grouped = (shares[name][0] for name in found.rates)
    assert ours < default and grouped < default
    assert set(found.ratios) == {"HF Trainer, defaults", "HF Trainer, group_by_length"}
    keep(tmp_path / "bench.json", found)
    assert json.loads((tmp_path / "bench.json").read_text())["training"]["facts"]["steps"] == 2


def test_batches_of_a_turn_waste_as_much_as_those_of_the_epoch():
    lengths = mixed_lengths.lengths(3200).tolist()
    for seed in range(3):
        random = list(range(16 * seed, 3200))
        orders = [random[at : at + training.BATCH] for at in range(0, len(random), training.BATCH)]
        for epoch in (orders, training.epoch_batches(lengths, training.BATCH, seed, 0)):
            _check_turn(epoch, lengths)


def _check_turn(epoch, lengths):
    turn = training.evenly(epoch, lengths, 12)
    assert len({tuple(batch) for batch in turn}) == 12
    wasted = [training.padding(of, lengths) for of in (epoch, turn)]
    assert wasted[1] == pytest.approx(wasted[0], abs=0.01)


def test_scoring_compares_the_same_logits(net):
    found = scoring.measured(net, rows=40, fewer=40, rounds=1)
    assert 0 <= found.facts["largest_difference_of_logits"] <= scoring.AGREE
    assert set(found.ratios) == {"padded to 384", "padded to the longest of the batch"}


def test_the_snapshot_holds_what_quantising_on_loading_gives(tmp_path):
    shape = {**SMALL, "hidden_size": 64, "vocab_size": 100}
    found = snapshot.measured(tmp_path, shape, rounds=1)
    assert set(found.ratios) == {"quantised on loading"}


@pytest.mark.skipif(not (HERE / "results.json").exists(), reason="no results are kept")
def test_the_readme_shows_the_results_that_are_kept():
    page = (HERE.parents[1] / "README.md").read_text()
    assert table.inserted(page, table.markdown(json.loads((HERE / "results.json").read_text()))) == page

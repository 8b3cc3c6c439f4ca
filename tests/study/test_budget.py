"""What a study will cost: counted once per shared phase, searches in full, dearer where it must be."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from study import cli, guard
from study.amounts import Amount, Bound, work
from study.budget import budget, demand, operations
from study.costing import costs
from study.gpus import card
from study.plan import build, rows
from study.runtime import MICRO_TOKENS, check, runtime
from study.store import Store
from tests.study.planned import finish, spec_on
from trainables.errors import StudyError
from trainables.flops import flops
from trainables.models.shape import linear


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "tiny")


def phases_of(spec, store, kind):
    return [phase for phase in build(spec, store) if phase.kind == kind]


def test_a_search_costs_all_its_trials_and_other_seeds_one(lab_root, store):
    spec = spec_on(lab_root, search={"trials": 4}, seeds=[0, 1])
    first, second = (p for p in phases_of(spec, store, "intermediate") if p.size == "xs")
    one, four = work(second, spec, Bound(spec)), work(first, spec, Bound(spec))
    assert four.trained == 4 * one.trained and four.scored == 4 * one.scored
    # 200 steps of 16 examples, three options (five at most) of 64 tokens
    assert one.trained == 200 * 16 * 5 * 64


def test_operations_are_four_six_and_two_per_weight_and_token(lab_root, store):
    spec = spec_on(lab_root)
    shape = demand(spec, "s").shape
    phase = phases_of(spec, store, "target")[0]
    done = work(phase, spec, Bound(spec))
    attention = 4 * done.width * shape.hidden * shape.layers
    assert operations(shape, done, recompute=False) == pytest.approx(
        (2 * done.trained + done.scored) * (2 * linear(shape) + attention)
    )
    more = operations(shape, done, recompute=True) - operations(shape, done, recompute=False)
    assert more == flops(linear(shape), shape.hidden, shape.layers, round(done.trained), done.width, 1)


class Known:
    """Ten examples of seven tokens in every split."""

    basis = "known"

    def of(self, task, split, language):
        return Amount(10, 7)


def test_hours_and_price_follow_from_operations_and_add_up(lab_root, store):
    spec = spec_on(lab_root)
    found = budget(spec, rows(spec, store), Known(), card("a100-80"), None, rate=2.0)
    for one in found.sizes:
        step = 16 * 5 * 64
        assert one.hours == pytest.approx(one.flops / (312e12 * 0.4 * min(1, step / 1100)) / 3600)
        assert one.price == pytest.approx(2 * one.hours)
        assert "assumed: 40%" in one.basis
    assert found.hours == pytest.approx(sum(one.hours for one in found.sizes))
    cells = {phase.key: phase for phase in build(spec, store)}
    scored = sum(10 * 7 * len(p.config.cells) for p in cells.values() if p.kind == "evaluation" and p.size == "xs")
    trained = sum(work(p, spec, Known()).trained for p in cells.values() if p.size == "xs")
    dev = sum(work(p, spec, Known()).scored for p in cells.values() if p.size == "xs" and p.kind != "evaluation")
    assert found.sizes[0].tokens == scored + trained + dev


def test_what_is_done_costs_nothing_more(lab_root, store):
    spec = spec_on(lab_root)
    before = budget(spec, rows(spec, store), Known(), card("a100-80"), None, None).sizes[0]
    finish(store, build(spec, store)[0])
    after = budget(spec, rows(spec, store), Known(), card("a100-80"), None, None).sizes[0]
    assert after.phases == before.phases - 1 and after.flops < before.flops and after.price is None


def call(*arguments: object):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture
def file(tmp_path: Path, lab_root: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(spec_on(lab_root).model_dump_json(exclude={"storage"}))
    return path


def test_the_command_prints_a_table_that_fits_and_says_what_it_rests_on(file, tmp_path):
    result = call("plan", file, "--cost", "--gpu", "all", "--rate", 1.8, "--storage", tmp_path)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert max(map(len, lines[: lines.index("")])) <= 100
    for name in ("l4-24", "a100-40", "a100-80", "h200-141"):
        assert sum(f" {name} " in line for line in lines) == 3
    assert "tokens: an upper bound: every row as long as training.max_length" in result.stdout
    assert "speed: assumed: 40% of a100-80's 312 TFLOP/s" in result.stdout


def test_the_command_as_json(file, tmp_path):
    result = call("plan", file, "--cost", "--gpu", "a100-80", "--rate", 1.8, "--storage", tmp_path, "--json")
    value = json.loads(result.stdout)
    (one,) = value["gpus"]
    assert [size["size"] for size in one["sizes"]] == ["xs", "s"]
    assert one["price"] == pytest.approx(1.8 * one["hours"])
    assert one["sizes"][0]["fit"]["gpus"] == 1


def test_the_price_of_the_report_is_the_default_rate(file, tmp_path):
    value = {**yaml.safe_load(file.read_text()), "report": {"gpu_hour_price": 2.5}}
    file.write_text(yaml.safe_dump(value))
    result = call("plan", file, "--cost", "--gpu", "a100-80", "--storage", tmp_path, "--json")
    (one,) = json.loads(result.stdout)["gpus"]
    assert one["price"] == pytest.approx(2.5 * one["hours"])


def test_an_unknown_card_is_one_line(file, tmp_path):
    result = call("plan", file, "--cost", "--gpu", "a100-8", "--storage", tmp_path)
    assert result.exit_code == guard.BAD_INPUT
    assert result.stderr == "error: gpu: 'a100-8' is not known; did you mean a100-80?\n"


def test_tokens_are_sampled_where_the_ladder_s_tokenizer_is_there(lab_root, store, tmp_path):
    from tests import models

    spec = spec_on(lab_root, storage=str(tmp_path))
    bound, _ = costs(spec, store, "a100-80", None)
    models.save(Path(store.checkpoint_folder(build(spec, store)[0].key)), "encoder", kind="words")
    sampled, basis = costs(spec, store, "a100-80", None)
    assert basis.startswith("from a sample of the data")
    assert 0.05 * bound[0].sizes[0].tokens < sampled[0].sizes[0].tokens < bound[0].sizes[0].tokens


def test_a_published_ladder_is_costed_before_anything_is_fetched(lab_root, tmp_path):
    spec = spec_on(lab_root, ladder="qwen3", sizes=["0.6b", "14b"], attention="causal")
    found, basis = costs(spec, Store(tmp_path / "tiny"), "l4-24", None)
    small, large = found[0].sizes
    assert (small.parameters, large.parameters) == (596049920, 13990394880) and basis.startswith("an upper bound")
    assert large.fit.peak < 22.0 * 0.92 * 2**30 and large.hours > 10 * small.hours
    assert not (tmp_path / "models").exists()


def test_a_phase_on_a_gpu_is_cut_up_as_planned(lab_root, store):
    qwen = {"ladder": "qwen3", "sizes": ["0.6b", "14b"], "attention": "causal"}
    large = {"batch_size": 64}
    spec = spec_on(lab_root, **qwen, training=large, compute={"gpu": "l4-24", "gpus_per_trial": 1})
    small, big = runtime(spec, "0.6b", store), runtime(spec, "14b", store)
    assert not small.recompute and big.recompute
    planned = budget(spec, [], Known(), card("l4-24"), None, None).sizes
    assert [small.micro_tokens, big.micro_tokens] == [one.fit.micro_tokens for one in planned]
    given = spec_on(lab_root, **qwen, compute={"gpu": "l4-24", "gpus_per_trial": 1, "micro_tokens": 512})
    assert runtime(given, "14b", store).micro_tokens == 512
    assert runtime(spec_on(lab_root, **qwen), "14b", store).micro_tokens == MICRO_TOKENS


def test_a_size_that_does_not_fit_is_refused_before_anything_runs(lab_root, store):
    small = {"max_length": {"default": 256}, "batch_size": 10**6}
    spec = spec_on(lab_root, training=small, compute={"gpu": "l4-24", "gpus_per_trial": 1e-6})
    with pytest.raises(StudyError, match="xs: an example of 1280 tokens needs"):
        check(spec, store)
    check(spec_on(lab_root, compute={"gpu": "l4-24", "gpus_per_trial": 1}), store)

"""What fits on which card, when activations are computed again, and what is said when nothing fits."""

from dataclasses import replace

import pytest

from study import memory
from study.fit import CEILING, FLOOR, Demand, fit, room
from study.gpus import card, cards, recognised
from trainables.config import Adapter, Architecture
from trainables.errors import SpecError, StudyError
from trainables.models.ladders import ladder


def demand(size: str, **changes: object) -> Demand:
    family, _, name = size.partition("/")
    shape = ladder(family).size(name).architecture
    values = {"longest": 128, "rows": 1, "batch_size": 128, "projects": False, **changes}
    return Demand(size, shape, "nf4", Adapter(rank=16, alpha=32), **values)


def test_what_is_planned_fits_and_a_little_more_does_not():
    for name in cards():
        for size in ("qwen3/0.6b", "qwen3/8b", "xlmr/large"):
            wanted = demand(size)
            found = fit(wanted, card(name))
            need = memory.of(wanted.shape, "nf4", wanted.adapter, "bf16")
            assert need.peak(found.micro_tokens, 128, found.recompute) <= room(card(name))
            if found.micro_tokens < CEILING:
                assert need.peak(found.micro_tokens + 64, 128, found.recompute) > room(card(name))
            assert found.peak <= room(card(name))


def test_recompute_only_where_a_pass_would_else_be_small():
    assert not fit(demand("qwen3/8b"), card("h200-141")).recompute
    tight = fit(demand("qwen3/14b"), card("l4-24"))
    assert tight.recompute and tight.micro_tokens >= FLOOR
    # A step that is small anyway is taken as it is.
    assert not fit(demand("qwen3/8b", batch_size=2), card("l4-24")).recompute


def test_accumulation_covers_the_step():
    found = fit(demand("qwen3/14b", batch_size=1024), card("a100-40"))
    assert (found.accumulation - 1) * found.micro_tokens < 1024 * 128 <= found.accumulation * found.micro_tokens


def test_more_memory_never_means_less():
    sizes = [fit(demand("qwen3/8b"), one) for one in cards().values()]
    assert [one.recompute for one in sizes] == sorted((one.recompute for one in sizes), reverse=True)
    for flag in (False, True):
        tokens = [one.micro_tokens for one in sizes if one.recompute is flag]
        assert tokens == sorted(tokens)


def test_a_size_too_large_for_one_card_is_spread():
    found = fit(demand("llama2/70b"), card("a10-24"))
    assert found.gpus > 1 and found.recompute
    assert fit(demand("llama2/70b"), card("a100-80")).gpus == 1


def test_refusal_names_need_and_have_and_the_nearest_that_fits():
    with pytest.raises(StudyError) as caught:
        fit(demand("llama2/70b"), card("l4-24"), gpus=1)
    (line,) = str(caught.value).splitlines()
    assert "llama2/70b" in line and "l4-24 has 21.7" in line
    assert "4 of them with compute.shard" in line and "gpu l40s-48" in line
    with pytest.raises(StudyError, match="training.max_length"):
        fit(demand("qwen3/14b", longest=16_384, rows=4), card("l4-24"), gpus=1)


def test_what_is_offered_as_a_way_out_does_fit():
    wanted = demand("llama2/70b")
    assert fit(wanted, card("l4-24"), gpus=4).gpus == 4
    assert fit(wanted, card("l40s-48"), gpus=1).gpus == 1


def test_nothing_at_all_holds_it():
    huge = replace(demand("llama2/70b"), shape=Architecture(
        hidden=32768, layers=400, heads=256, intermediate=131072, vocabulary=32000, model_type="llama"
    ))  # fmt: skip
    with pytest.raises(StudyError, match="no card of the table holds it"):
        fit(huge, card("h200-141"))


def test_eager_attention_pays_for_long_rows():
    card_ = card("h200-141")
    short, long = (fit(demand("bloom/7b1", longest=n, batch_size=4096), card_) for n in (128, 512))
    assert not short.recompute and not long.recompute and long.micro_tokens < 0.8 * short.micro_tokens
    flat = [fit(demand("qwen3/8b", longest=n, batch_size=4096), card_).micro_tokens for n in (128, 512)]
    assert flat[1] > 0.98 * flat[0]


def test_a_vocabulary_head_takes_its_chunk():
    ask = [demand("bloom/7b1", projects=flag, batch_size=4096) for flag in (False, True)]
    plain, projecting = (fit(one, card("h200-141")) for one in ask)
    assert projecting.micro_tokens < plain.micro_tokens


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("NVIDIA H200", "h200-141"),
        ("NVIDIA A100-SXM4-80GB", "a100-80"),
        ("NVIDIA A100-PCIE-40GB", "a100-40"),
        ("NVIDIA L4", "l4-24"),
        ("NVIDIA L40S", "l40s-48"),
        ("NVIDIA A10G", "a10-24"),
        ("Tesla T4", None),
    ],
)
def test_devices_are_recognised_by_whole_words(device, name):
    found = recognised(device)
    assert (found.name if found else None) == name


def test_an_unknown_card_is_answered_with_the_nearest():
    with pytest.raises(SpecError, match="did you mean a100-80"):
        card("a100-8")

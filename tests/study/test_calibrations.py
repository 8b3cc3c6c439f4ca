"""What a measurement changes about a plan: the speed, and the bytes per token of networks of its type."""

from pathlib import Path

import pytest

from study import calibrations, memory
from study.budget import budget
from study.fit import fit
from study.gpus import card
from study.plan import rows
from study.store import Store
from tests.study.planned import spec_on
from tests.study.test_budget import Known
from tests.study.test_fit import demand
from trainables.config import Adapter, Architecture
from trainables.errors import CheckpointError
from trainables.measured import Calibration, Device, Measured, Shape
from trainables.models.ladders import ladder

H200 = Device(name="NVIDIA H200", kind="cuda", memory=150 * 10**9)
ADAPTER = Adapter(rank=16, alpha=32)


def point(shape: Architecture, rows_: int, recompute: bool, seconds: float, stretch: float = 1.0) -> Measured:
    """As if activations took `stretch` times what the formula says."""
    need = memory.of(shape, "nf4", ADAPTER, "bf16")
    peak = need.fixed - need.context + stretch * rows_ * 256 * need.per_token(256, recompute)
    return Measured(
        size="x",
        architecture=shape,
        quantization="nf4",
        adapter=ADAPTER,
        shape=Shape(rows=rows_, width=256, recompute=recompute),
        seconds=seconds,
        spread=0.0,
        steps=5,
        peak_bytes=round(peak),
        base_bytes=round(need.weights),
    )


def calibration(*points: Measured, device: Device = H200) -> Calibration:
    return Calibration(device=device, made="2026-01-01T00:00:00+00:00", versions={}, points=points)


def test_what_is_written_is_read_again_by_the_device(tmp_path: Path):
    store = Store(tmp_path / "study")
    shape = ladder("qwen3").size("1.7b").architecture
    made = calibration(point(shape, 8, False, 1.0))
    assert calibrations.write(str(tmp_path), made).endswith("calibrations/nvidia-h200.json")
    found = calibrations.load(store)
    assert found == {"NVIDIA H200": made}
    assert calibrations.of_card(found, card("h200-141")) == made
    assert calibrations.of_card(found, card("h100-80")) is None


def test_a_damaged_file_is_one_line(tmp_path: Path):
    (tmp_path / "calibrations").mkdir()
    (tmp_path / "calibrations" / "x.json").write_text("{}")
    with pytest.raises(CheckpointError, match="calibrate again"):
        calibrations.load(Store(tmp_path / "study"))


def test_the_speed_is_that_of_the_nearest_size_and_pass():
    small, large = (ladder("qwen3").size(name).architecture for name in ("1.7b", "14b"))
    found = calibration(
        point(small, 8, False, 1.0),
        point(small, 32, False, 2.0),
        point(large, 8, False, 4.0),
        point(small, 8, True, 3.0),
    )
    asked = ladder("qwen3").size("8b").architecture
    expected = calibrations.operations(found.points[2]) / 4.0
    assert calibrations.speed(found, asked, recompute=False, tokens=4096) == expected
    assert calibrations.speed(found, small, False, 7000) == calibrations.operations(found.points[1]) / 2.0
    assert calibrations.speed(found, large, True, 7000) == calibrations.operations(found.points[3]) / 3.0


def test_measured_activations_stretch_the_formula_for_their_network_alone():
    qwen, bloom = ladder("qwen3").size("1.7b").architecture, ladder("bloom").size("7b1").architecture
    found = calibration(*(point(qwen, n, False, 1.0, stretch=1.3) for n in (8, 16)), point(qwen, 8, True, 1.0))
    assert calibrations.stretch(found, qwen)[False] == pytest.approx(1.3, rel=1e-3)
    assert calibrations.stretch(found, qwen)[True] == 1.0  # one size of pass says nothing of a slope
    assert calibrations.stretch(found, bloom) == {False: 1.0, True: 1.0}
    wanted = demand("qwen3/8b")
    less = fit(wanted, card("a100-80"), stretch=calibrations.stretch(found, qwen))
    assert not less.recompute and less.micro_tokens < fit(wanted, card("a100-80")).micro_tokens


def test_a_budget_says_that_its_speed_was_measured(lab_root: Path, tmp_path: Path):
    spec, store = spec_on(lab_root), Store(tmp_path / "tiny")
    shape = ladder("qwen3").size("1.7b").architecture
    found = calibration(point(shape, 8, False, 1.0))
    one = budget(spec, rows(spec, store), Known(), card("h200-141"), found, None).sizes[0]
    assert one.basis == "calibrated on NVIDIA H200"
    assert one.hours == pytest.approx(one.flops / calibrations.operations(found.points[0]) / 3600)


def test_a_cpu_that_was_calibrated_is_a_card_of_its_own():
    device = Device(name="cpu-x86_64-1t", kind="cpu", memory=8 * 2**30)
    own = calibrations.as_card(device)
    assert own.name == "cpu-x86_64-1t" and own.memory == 8 * 2**30
    assert fit(demand("qwen3/0.6b"), own).gpus == 1

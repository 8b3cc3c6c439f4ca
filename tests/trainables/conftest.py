"""One lab world and one barely pretrained backbone, shared by the tests of this folder."""

from types import SimpleNamespace

import pytest

from trainables import lab
from trainables.config import Adapter, Places, PretrainConfig, Runtime, Size, TuneConfig
from trainables.models.ladders import ladder
from trainables.pretrain import pretrain


def pretrain_config(size: Size, steps: int = 30, seed: int = 0) -> PretrainConfig:
    values = {**ladder("lab").pretrain.model_dump(), "steps": steps}
    return PretrainConfig(ladder="lab", size=size, seed=seed, **values)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """root, size and the folder of a backbone that has seen 30 batches."""
    folder = tmp_path_factory.mktemp("world")
    root = str(folder / "root")
    lab.write_root(root, seed=0)
    size = ladder("lab").size("xs")
    places = Places(root=root, backbone="", snapshots=str(folder / "snapshots"), output=str(folder / "pretrain"))
    outcome = pretrain(pretrain_config(size), places, Runtime(), lambda event: None)
    return SimpleNamespace(
        root=root, size=size, backbone=outcome.checkpoint, snapshots=places.snapshots, outcome=outcome
    )


@pytest.fixture
def places(world, tmp_path):
    """Places for one phase of this test."""

    def make(name: str = "out", parent: str | None = None) -> Places:
        return Places(
            root=world.root,
            backbone=world.backbone,
            snapshots=world.snapshots,
            output=str(tmp_path / name),
            parent=parent,
        )

    return make


@pytest.fixture(scope="session")
def tune_config(world):
    """A short phase on one task (or a mixture); any field can be changed."""

    def make(*tasks: str, **changes) -> TuneConfig:
        values = {
            "kind": "target", "ladder": "lab", "size": world.size, "quantization": "nf4", "attention": "causal",
            "adapter": Adapter(), "tasks": dict.fromkeys(tasks, 1.0), "steps": 12, "batch_size": 8,
            "max_length": {name: 64 for name in (*tasks, "text")},
            "warmup": 0.1, "weight_decay": 0.0, "head_learning_rate_scale": 1.0, "clip": 1.0, "evaluations": 2,
            "seed": 3,
        }  # fmt: skip
        return TuneConfig(**{**values, **changes})

    return make

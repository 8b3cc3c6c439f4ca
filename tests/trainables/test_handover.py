"""A target phase stacked on an intermediate one, through training and scoring as a study does them."""

import pytest

from trainables.config import Adapter, Cell, EvaluationConfig, Runtime
from trainables.evaluate import evaluate
from trainables.models.adapters import stacked
from trainables.phase import train


@pytest.mark.parametrize(
    ("quantization", "attention", "scorer"),
    [("int8", "causal", "lm"), ("nf4", "bidirectional", "pooled"), ("none", "causal", "lm")],
)
def test_a_stacked_target_is_scored_as_it_was_trained(tune_config, places, world, quantization, attention, scorer):
    how = {"quantization": quantization, "attention": attention}
    middle = train(tune_config("siqa", kind="intermediate", **how), 1e-3, places("one"), Runtime(), lambda event: None)
    config = tune_config("xcopa", adapter=Adapter(handover="stack", rslora=True), **how)
    target = train(config, 1e-3, places("two", middle.checkpoint), Runtime(), lambda event: None)
    assert target.facts["heads"] == {"siqa": scorer, "xcopa": scorer}
    assert len(stacked(target.checkpoint)) == 1
    asked = EvaluationConfig(
        ladder="lab", size=world.size, max_length={"xcopa": 64, "siqa": 64},
        cells=tuple(Cell(task=task, language="en", split="dev") for task in ("xcopa", "siqa")), **how,
    )  # fmt: skip
    scores = evaluate(asked, places("three", target.checkpoint), Runtime(), lambda event: None)
    assert scores[0].score == pytest.approx(target.score), "the intermediate head answers beside it"
    assert [score.details["scorer"] for score in scores] == [scorer, scorer]

"""The training loop: a run that is cut off and goes on is the run that was never cut off."""

import random
from dataclasses import replace

import pytest
import torch

from tests.trainables.line import Killed, kill_at, make, quietly
from trainables import loop, preemption, state
from trainables.errors import CheckpointError, Halted, ModelError, Preempted
from trainables.group import Group
from trainables.step import Planned


@pytest.mark.parametrize("killed_at", [1, 7, 19])
def test_resumed_loss_equals_uninterrupted_loss_to_the_last_digit(tmp_path, killed_at):
    run, objective, model = make(tmp_path / "whole", dropout=0.2)
    whole = loop.train(run, objective, quietly)
    run, objective, _ = make(tmp_path / "cut", dropout=0.2, checkpoint_seconds=0.0)
    with pytest.raises(Killed):
        loop.train(run, objective, kill_at(killed_at + 1))
    run, objective, again = make(tmp_path / "cut", dropout=0.2)
    torch.rand(100)  # whatever random numbers another process has drawn
    trace = loop.train(run, objective, quietly)
    assert trace.losses == whole.losses
    assert trace.restarts == 1
    assert torch.equal(again.weight, model.weight)
    assert trace.tokens == whole.tokens == 160


def test_one_pass_of_eight_equals_eight_passes_of_one(tmp_path):
    results = []
    for cuts in (1, 2, 8):
        run, objective, model = make(tmp_path / str(cuts), cuts=cuts)
        results.append((loop.train(run, objective, quietly).losses, model.weight.detach().clone()))
    for losses, weight in results[1:]:
        assert losses == pytest.approx(results[0][0], rel=1e-5)
        assert torch.allclose(weight, results[0][1], atol=1e-6)


def test_a_loss_that_is_no_number_ends_the_run_and_is_named(tmp_path):
    run, objective, _ = make(tmp_path, poison=4)
    trace = loop.train(run, objective, quietly)
    assert len(trace.losses) == 5
    assert trace.diverged() == "loss became nan at step 5"


def test_a_loss_that_ends_above_its_start_has_diverged():
    trace = loop.Trace(losses=[1.0] * 10 + [3.0] * 10)
    assert trace.diverged() == "loss ended at 3.000, above its start 1.000"
    assert loop.Trace(losses=[3.0] * 10 + [1.0] * 10).diverged() == ""


def test_a_loss_that_stays_where_it_was_has_not_diverged():
    rng = random.Random(0)
    flat = [[1.0 + rng.gauss(0, 0.1) for _ in range(60)] for _ in range(100)]
    assert sum(bool(loop.Trace(losses=losses).diverged()) for losses in flat) <= 2


def scores_of(run_steps=20):
    """Dev scores that only depend on the step, as many as there are scorings."""
    given = iter(range(1, run_steps + 1))
    return lambda: 10.0 * next(given)


def stop_at(step, events):
    """A report that asks, in answer to the score of that step, to stop."""

    def report(event):
        events.append(event)
        return "score" in event and event["step"] == step

    return report


def test_a_run_is_stopped_by_the_answer_to_a_dev_score_and_has_no_result(tmp_path):
    events = []
    run, objective, _ = make(tmp_path, evaluate=scores_of(), evaluations=4, checkpoint_seconds=0.0)
    trace = loop.train(run, objective, stop_at(10, events))
    assert (len(trace.losses), events[-1]["step"], trace.stopped) == (10, 10, True)
    outcome = trace.outcome(20.0, "checkpoint", 1, {})
    assert (outcome.status, outcome.score, outcome.checkpoint, outcome.steps) == ("pruned", None, None, 10)
    assert (
        outcome.dev == ((5, 10.0), (10, 20.0)) and outcome.note == "not worth going on with dev score 20.0 at step 10"
    )
    assert outcome.tokens == 80 and outcome.flops == 160.0, "what was spent is counted"


@pytest.mark.parametrize("asked", [7, 20])
def test_only_the_answer_to_a_score_before_the_end_stops_a_run(tmp_path, asked):
    """Step 7 has no score, and after the last one there is nothing to spare."""
    run, objective, _ = make(tmp_path, evaluate=scores_of(), evaluations=4)
    trace = loop.train(run, objective, lambda event: event["step"] == asked)
    assert len(trace.losses) == 20 and not trace.stopped
    assert trace.outcome(40.0, None, 1, {}).status == "finished"


@pytest.mark.parametrize("cut", [4, 9, 10])
def test_a_run_that_was_cut_off_is_stopped_where_it_would_have_been(tmp_path, cut):
    """Step 10 is the one that stops it: killed right after it was told so, it is told so again."""
    run, objective, _ = make(tmp_path, evaluate=lambda: 20.0, evaluations=2, checkpoint_seconds=0.0)
    with pytest.raises(Killed):
        loop.train(run, objective, kill_at(cut))
    events = []
    run, objective, _ = make(tmp_path, evaluate=lambda: 20.0, evaluations=2)
    trace = loop.train(run, objective, stop_at(10, events))
    assert (trace.stopped, len(trace.losses), trace.scores) == (True, 10, [(10, 20.0)])
    assert events[-1]["step"] == 10


@pytest.mark.parametrize("told", [3, 10])
def test_a_run_that_had_to_go_is_stopped_where_it_would_have_been(tmp_path, told):
    """Told to go at the step that is to be scored, it leaves the score to its next start, which stops at once."""

    def leave(event):
        if event["step"] == told - 1:
            preemption.give_notice()

    run, objective, _ = make(tmp_path, evaluate=lambda: 20.0, evaluations=2)
    with pytest.raises(Preempted):
        loop.train(run, objective, leave)
    events = []
    run, objective, _ = make(tmp_path, evaluate=lambda: 20.0, evaluations=2)
    trace = loop.train(run, objective, stop_at(10, events))
    assert (trace.stopped, len(trace.losses), trace.preemptions) == (True, 10, 1)
    assert len(events) == (7 if told == 3 else 1)


class Beside(Group):
    """A group whose other worker says this in all that is asked of both."""

    def most(self, value):
        return max(value, self.other)


@pytest.mark.parametrize(("other", "raised"), [(0, Preempted), (1, Halted)])
def test_a_worker_whose_group_is_stopped_for_good_says_so_though_only_the_other_was_told(tmp_path, other, raised):
    run, objective, _ = make(tmp_path)
    beside = type("Told", (Beside,), {"other": other})(rank=0, size=1)
    with pytest.raises(Preempted) as caught:
        loop.train(replace(run, group=beside), objective, lambda event: preemption.give_notice())
    assert type(caught.value) is raised


def test_a_damaged_state_starts_the_run_again(tmp_path):
    run, objective, _ = make(tmp_path, checkpoint_seconds=0.0)
    with pytest.raises(Killed):
        loop.train(run, objective, kill_at(10))
    path = tmp_path / "resume" / state.STATE
    path.write_bytes(path.read_bytes()[:-20])
    run, objective, _ = make(tmp_path)
    with pytest.raises(CheckpointError, match="not a whole state"):
        state.read(run.resume, run.tensors, run.optimizers)
    trace = loop.train(run, objective, quietly)
    assert len(trace.losses) == 20
    assert trace.restarts == 1


def test_a_state_of_another_learning_rate_starts_the_run_again(tmp_path):
    """The search behind the rate was made again and found another one."""
    run, objective, _ = make(tmp_path, checkpoint_seconds=0.0)
    with pytest.raises(Killed):
        loop.train(run, objective, kill_at(10))
    expected = loop.train(*_at_twice_the_rate(tmp_path / "fresh"), quietly)
    trace = loop.train(*_at_twice_the_rate(tmp_path), quietly)
    assert trace.losses == expected.losses
    assert trace.restarts == 1


def _at_twice_the_rate(folder):
    run, objective, _ = make(folder)
    for group in run.optimizers[0].param_groups:
        group["lr"] *= 2
    return run, objective


def test_the_schedule_rises_then_falls_to_zero():
    schedule = loop.Schedule(steps=100, warmup=0.1)
    factors = [schedule.factor(step) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == pytest.approx(1.0)
    assert factors.index(max(factors)) in (9, 10)
    assert 0 < factors[-1] < 0.02
    assert loop.Schedule(100, 0.0).factor(0) == 1.0


def test_a_curve_keeps_at_most_a_hundred_points_and_the_mean():
    trace = loop.Trace(losses=[float(i) for i in range(1050)])
    curve = trace.curve()
    assert len(curve) <= 100
    assert curve[-1][0] == 1050
    assert curve[0] == (11, 5.0)


# The memory runs out.


@pytest.mark.parametrize("fits", [4, 2, 1])
def test_a_run_that_runs_out_of_memory_at_once_is_the_run_planned_with_smaller_passes(tmp_path, fits):
    run, objective, model = make(tmp_path / "planned", dropout=0.2, cuts=8 // fits)
    planned = loop.train(run, objective, quietly)
    run, objective, again = make(tmp_path / "full", dropout=0.2, capacity=lambda step: fits)
    trace = loop.train(run, objective, quietly)
    assert trace.halvings == {4: 1, 2: 2, 1: 3}[fits]
    assert trace.losses == planned.losses
    assert (trace.tokens, trace.flops) == (planned.tokens, planned.flops)
    assert torch.equal(again.weight, model.weight)


def test_a_step_that_was_started_again_is_the_step_it_would_have_been(tmp_path):
    """The memory runs out in the third of four passes, for a reason that halving does not touch."""
    run, objective, model = make(tmp_path / "whole", dropout=0.2, cuts=8)
    whole = loop.train(run, objective, quietly)
    run, objective, again = make(tmp_path / "full", dropout=0.2, cuts=8)
    made, planned = [], objective.passes

    def passes(step, group, halvings=0):
        found = planned(step, group, halvings)
        if step == 6 and not halvings:
            found[2] = Planned(lambda: made.append(step) or objective._pass(torch.ones(9, 3), torch.ones(9), step))
        return found

    objective.passes = passes
    trace = loop.train(run, objective, quietly)
    assert made == [6]
    assert trace.halvings == 1
    assert trace.losses == whole.losses
    assert torch.equal(again.weight, model.weight)


def test_smaller_passes_from_some_step_on_change_nothing_but_rounding(tmp_path):
    run, objective, _ = make(tmp_path / "whole")
    whole = loop.train(run, objective, quietly)
    run, objective, _ = make(tmp_path / "full", capacity=lambda step: 8 if step < 7 else 2)
    trace = loop.train(run, objective, quietly)
    assert trace.halvings == 2
    assert trace.losses[:7] == whole.losses[:7]
    assert trace.losses == pytest.approx(whole.losses, rel=1e-5)


def test_a_resumed_run_keeps_its_smaller_passes(tmp_path):
    options = {"dropout": 0.2, "capacity": lambda step: 2 if step == 3 else 8}
    run, objective, _ = make(tmp_path / "whole", **options)
    whole = loop.train(run, objective, quietly)
    run, objective, _ = make(tmp_path / "cut", checkpoint_seconds=0.0, **options)
    with pytest.raises(Killed):
        loop.train(run, objective, kill_at(9))
    run, objective, _ = make(tmp_path / "cut", **options)
    trace = loop.train(run, objective, quietly)
    assert trace.halvings == whole.halvings == 2
    assert trace.losses == whole.losses


def test_an_example_that_does_not_fit_is_one_line(tmp_path):
    run, objective, _ = make(tmp_path, capacity=lambda step: 0 if step == 4 else 8)
    with pytest.raises(ModelError, match="^out of memory: one point does not fit; lower training.max_length, or .*$"):
        loop.train(run, objective, quietly)

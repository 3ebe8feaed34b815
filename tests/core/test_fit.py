from __future__ import annotations

import copy
import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch

import graftwork
from core.fakes import Ends
from graftwork.core.checkpoint import Checkpointing, read
from graftwork.core.fit import Progress, fit
from graftwork.core.scoring import predict_examples, score
from graftwork.errors import DataError, NonFiniteLossError
from graftwork.techniques import EMA, SAM, Accumulate, Consistency, Mixup, Probe
from tinyrun import Worlds, same, weights


def test_the_best_weights_on_validation_are_kept(worlds: Worlds):
    world = worlds("transformer")
    run = world.run(steps=8, evaluations=8, head_lr=0.3, lr=0.05)
    seen: dict[int, dict[str, torch.Tensor]] = {}
    fitted = fit(run, observers=[lambda progress: seen.update({progress.step: weights(run.network)})])
    scores = {point.step: point.score for point in fitted.history}
    best = max(scores, key=lambda step: scores[step] or -math.inf)
    assert fitted.best_step == best < 8  # such rates end worse than they were
    assert fitted.best_score == scores[best]
    assert same(weights(fitted.network), seen[best])
    given = predict_examples(fitted.network, world.valid)
    assert score(given, world.valid, world.tasks, world.metrics) == pytest.approx(scores[best], abs=1e-6)
    assert not fitted.network.training


def test_the_last_weights_are_kept_where_asked_for(worlds: Worlds):
    run = worlds("transformer").run(steps=8, evaluations=8, head_lr=0.3, lr=0.05, keep="last")
    seen: dict[int, dict[str, torch.Tensor]] = {}
    fitted = fit(run, observers=[lambda progress: seen.update({progress.step: weights(run.network)})])
    assert fitted.best_step == 8
    assert same(weights(fitted.network), seen[8])


def test_history_holds_mean_losses_between_the_scores(worlds: Worlds):
    losses: list[float] = []
    _, fitted = worlds("cnn").fit(steps=7, evaluations=3, observers=[lambda progress: losses.append(progress.loss)])
    assert [point.step for point in fitted.history] == [2, 5, 7]
    expected = [np.mean(losses[:2]), np.mean(losses[2:5]), np.mean(losses[5:])]
    assert [point.loss for point in fitted.history] == pytest.approx(expected)


def test_evaluations_change_nothing(worlds: Worlds):
    world = worlds("transformer")
    often, seldom = (world.fit([Mixup()], evaluations=count, keep="last")[1] for count in (6, 1))
    assert same(weights(often.network), weights(seldom.network))


def test_without_validation_the_last_weights_are_kept(worlds: Worlds):
    world = dataclasses.replace(worlds("cnn"), valid=None)
    _, fitted = world.fit()
    assert fitted.best_score is None
    assert fitted.best_step == 6
    assert all(point.score is None for point in fitted.history)
    assert not same(weights(fitted.network), weights(world.network))


def test_a_run_of_no_steps_is_scored(worlds: Worlds):
    world = worlds("cnn")
    _, fitted = world.fit(steps=0)
    assert fitted.steps == 0
    assert fitted.best_score is not None
    assert same(weights(fitted.network), weights(world.network))


def test_a_probe_is_solved_before_the_first_step(worlds: Worlds):
    run, fitted = worlds("transformer").fit([Probe()], steps=None, epochs=None)
    assert run.plan.total_steps == 0
    assert [point.step for point in fitted.history] == [0]
    again, _ = worlds("transformer").fit([Probe(), Mixup()], steps=None, epochs=None, lr=0.0, head_lr=0.0)
    assert again.plan.total_steps > 0  # mixup changes what is trained for


# --- stopping early -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("techniques", [[], [EMA(0.5)]], ids=["best", "averaged"])
def test_patience(techniques: list[EMA], worlds: Worlds):
    _, fitted = worlds("cnn").fit(techniques, lr=0.0, head_lr=0.0, steps=10, evaluations=10, patience=3)
    assert [point.step for point in fitted.history] == [1, 2, 3, 4]
    assert fitted.steps == 4


def test_no_patience_is_never_early(worlds: Worlds):
    _, fitted = worlds("cnn").fit(lr=0.0, head_lr=0.0, steps=10, evaluations=10)
    assert fitted.steps == 10


# --- what goes wrong ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_a_number_that_is_not_finite_stops_at_its_step(what: str, worlds: Worlds, tmp_path: Path):
    world = worlds("cnn")
    with pytest.raises(NonFiniteLossError, match=rf"The {what} is not a finite number at step 3 \(label = ") as caught:
        world.fit([Ends(3, what)], checkpoints=Checkpointing(tmp_path, "run", seconds=0.0))
    assert "--set lr" in str(caught.value)
    assert f"The last good checkpoint is in {tmp_path}" in str(caught.value)
    kept = read(Checkpointing(tmp_path, "run"))
    assert kept is not None
    assert kept.meta["step"] == 2
    assert all(torch.isfinite(value).all() for value in kept.group("network").values())


def test_weights_that_are_not_finite_stop_at_the_first_step(worlds: Worlds):
    with pytest.raises(NonFiniteLossError, match="at step 1") as caught:
        worlds("cnn").fit([Ends(1)])
    assert "checkpoint" not in str(caught.value)


@pytest.mark.parametrize("step", [1, 4, 6])
def test_ctrl_c_keeps_the_best_so_far(step: int, worlds: Worlds):
    def press(progress: Progress) -> None:
        if progress.step == step:
            raise KeyboardInterrupt

    world = worlds("transformer")
    run = world.run()
    seen: dict[int, dict[str, torch.Tensor]] = {}
    watch = lambda progress: seen.update({progress.step: weights(run.network)})
    fitted = fit(run, observers=[watch, press])
    assert fitted.interrupted
    assert fitted.steps == step
    assert fitted.best_step == {1: 1, 4: 3}.get(step, fitted.best_step)  # none was scored before step 3
    assert same(weights(fitted.network), seen[fitted.best_step])
    assert not fitted.network.training


def test_observers_see_every_step_and_no_random_number_is_lost(worlds: Worlds):
    seen: list[Progress] = []
    before = torch.get_rng_state()
    _, fitted = worlds("transformer").fit([Consistency()], observers=[seen.append])
    assert torch.equal(before, torch.get_rng_state())
    assert [(progress.step, progress.total) for progress in seen] == [(step, 6) for step in range(1, 7)]
    assert [progress.score for progress in seen[:2]] == [None, None]
    assert seen[-1].score == fitted.history[-1].score
    assert seen[-1].best == fitted.best_score


def test_training_rows_that_all_count_nothing_are_refused(worlds: Worlds):
    world = worlds("cnn")
    with pytest.raises(DataError, match="Every training row has the weight 0"):
        dataclasses.replace(
            world, train=dataclasses.replace(world.train, weight=np.zeros(len(world.train), np.float32))
        ).run()


def test_training_without_any_label_is_refused(worlds: Worlds):
    world = worlds("cnn")
    none = dataclasses.replace(world.train, labelled={"label": np.zeros(len(world.train), bool)})
    with pytest.raises(DataError, match="No training row has a label"):
        dataclasses.replace(world, train=none).run()
    none = dataclasses.replace(world.valid, labelled={"label": np.zeros(len(world.valid), bool)})
    with pytest.raises(DataError, match="No validation row has a label in 'label'"):
        dataclasses.replace(world, valid=none).run()


# --- parts of a batch -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("base", ["rnn", "cnn"])
@pytest.mark.parametrize("parts", [3, 8, 50])
def test_unequal_parts_are_as_the_large_batch(base: str, parts: int, worlds: Worlds):
    """Missing labels make the parts more unequal still. Dropout draws anew for each part, so it is off."""
    world = worlds(base, "classes", True)
    network = copy.deepcopy(world.network)
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    world = dataclasses.replace(world, network=network)
    whole = world.fit([], keep="last", batch=7)[1]
    in_parts = world.fit([Accumulate(parts)], keep="last", batch=7)[1]
    for name, value in weights(whole.network).items():
        torch.testing.assert_close(value, weights(in_parts.network)[name], rtol=1e-3, atol=1e-4)
    for first, second in zip(whole.history, in_parts.history, strict=True):
        assert first.loss == pytest.approx(second.loss, rel=1e-4)


def test_sam_ends_where_it_stood(worlds: Worlds):
    """With no learning rate the climb must leave no trace, to the bit."""
    world = worlds("transformer")
    _, fitted = world.fit([SAM(0.5)], lr=0.0, head_lr=0.0, keep="last")
    assert same(weights(fitted.network), weights(world.network))


def test_fit_and_techniques_can_be_read_at_one_go():
    root = Path(graftwork.__file__).parent
    lines = {str(path.relative_to(root)): len(path.read_text().splitlines()) for path in root.rglob("*.py")}
    assert lines["core/fit.py"] <= 130
    shared = {
        "techniques/__init__.py",
        "techniques/transfer/head_initialisation.py",
        "techniques/transfer/solve.py",
        "techniques/transfer/kernel.py",
        "techniques/meta/episodic.py",
        "techniques/adversarial/attack.py",
        "techniques/adversarial/adversarial_training.py",
    }
    of_techniques = {name for name in lines if name.startswith("techniques/")} - shared
    assert {name: lines[name] for name in of_techniques if lines[name] > 150} == {}
    assert {name: count for name, count in lines.items() if count > 320} == {}

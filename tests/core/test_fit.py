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
from graftwork.core.fit import Progress, fit
from graftwork.core.scoring import predict_examples, score
from graftwork.core.training.checkpoint import Checkpointing, read
from graftwork.errors import DataError, NonFiniteLossError
from graftwork.techniques import EMA, SAM, Accumulate, Consistency, Mixup, Probe
from tinyrun import Worlds, same, weights


def test_the_best_weights_on_validation_are_kept(fixtures: Worlds):
    fixture = fixtures("transformer")
    run = fixture.run(steps=8, evaluations=8, head_lr=0.3, lr=0.05)
    seen: dict[int, dict[str, torch.Tensor]] = {}
    fitted = fit(run, observers=[lambda progress: seen.update({progress.step: weights(run.network)})])
    scores = {point.step: point.score for point in fitted.history}
    best = max(scores, key=lambda step: scores[step] or -math.inf)
    assert fitted.best_step == best < 8  # such rates end worse than they were
    assert fitted.best_score == scores[best]
    assert same(weights(fitted.network), seen[best])
    given = predict_examples(fitted.network, fixture.valid)
    assert score(given, fixture.valid, fixture.tasks, fixture.metrics) == pytest.approx(scores[best], abs=1e-6)
    assert not fitted.network.training


def test_the_last_weights_are_kept_where_asked_for(fixtures: Worlds):
    run = fixtures("transformer").run(steps=8, evaluations=8, head_lr=0.3, lr=0.05, keep="last")
    seen: dict[int, dict[str, torch.Tensor]] = {}
    fitted = fit(run, observers=[lambda progress: seen.update({progress.step: weights(run.network)})])
    assert fitted.best_step == 8
    assert same(weights(fitted.network), seen[8])


def test_history_holds_mean_losses_between_the_scores(fixtures: Worlds):
    losses: list[float] = []
    _, fitted = fixtures("cnn").fit(steps=7, evaluations=3, observers=[lambda progress: losses.append(progress.loss)])
    assert [point.step for point in fitted.history] == [2, 5, 7]
    expected = [np.mean(losses[:2]), np.mean(losses[2:5]), np.mean(losses[5:])]
    assert [point.loss for point in fitted.history] == pytest.approx(expected)


def test_evaluations_change_nothing(fixtures: Worlds):
    fixture = fixtures("transformer")
    often, seldom = (fixture.fit([Mixup()], evaluations=count, keep="last")[1] for count in (6, 1))
    assert same(weights(often.network), weights(seldom.network))


def test_without_validation_the_last_weights_are_kept(fixtures: Worlds):
    fixture = dataclasses.replace(fixtures("cnn"), valid=None)
    _, fitted = fixture.fit()
    assert fitted.best_score is None
    assert fitted.best_step == 6
    assert all(point.score is None for point in fitted.history)
    assert not same(weights(fitted.network), weights(fixture.network))


def test_a_run_of_no_steps_is_scored(fixtures: Worlds):
    fixture = fixtures("cnn")
    _, fitted = fixture.fit(steps=0)
    assert fitted.steps == 0
    assert fitted.best_score is not None
    assert same(weights(fitted.network), weights(fixture.network))


def test_a_probe_is_solved_before_the_first_step(fixtures: Worlds):
    run, fitted = fixtures("transformer").fit([Probe()], steps=None, epochs=None)
    assert run.plan.total_steps == 0
    assert [point.step for point in fitted.history] == [0]
    again, _ = fixtures("transformer").fit([Probe(), Mixup()], steps=None, epochs=None, lr=0.0, head_lr=0.0)
    assert again.plan.total_steps > 0  # mixup changes what is trained for


# --- stopping early -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("techniques", [[], [EMA(0.5)]], ids=["best", "averaged"])
def test_patience(techniques: list[EMA], fixtures: Worlds):
    _, fitted = fixtures("cnn").fit(techniques, lr=0.0, head_lr=0.0, steps=10, evaluations=10, patience=3)
    assert [point.step for point in fitted.history] == [1, 2, 3, 4]
    assert fitted.steps == 4


def test_no_patience_is_never_early(fixtures: Worlds):
    _, fitted = fixtures("cnn").fit(lr=0.0, head_lr=0.0, steps=10, evaluations=10)
    assert fitted.steps == 10


# --- what goes wrong ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_a_number_that_is_not_finite_stops_at_its_step(what: str, fixtures: Worlds, tmp_path: Path):
    fixture = fixtures("cnn")
    with pytest.raises(NonFiniteLossError, match=rf"The {what} is not a finite number at step 3 \(label = ") as caught:
        fixture.fit([Ends(3, what)], checkpoints=Checkpointing(tmp_path, "run", seconds=0.0))
    assert "--set lr" in str(caught.value)
    assert f"The last good checkpoint is in {tmp_path}" in str(caught.value)
    kept = read(Checkpointing(tmp_path, "run"))
    assert kept is not None
    assert kept.meta["step"] == 2
    assert all(torch.isfinite(value).all() for value in kept.group("network").values())


def test_weights_that_are_not_finite_stop_at_the_first_step(fixtures: Worlds):
    with pytest.raises(NonFiniteLossError, match="at step 1") as caught:
        fixtures("cnn").fit([Ends(1)])
    assert "checkpoint" not in str(caught.value)


@pytest.mark.parametrize("step", [1, 4, 6])
def test_ctrl_c_keeps_the_best_so_far(step: int, fixtures: Worlds):
    def press(progress: Progress) -> None:
        if progress.step == step:
            raise KeyboardInterrupt

    fixture = fixtures("transformer")
    run = fixture.run()
    seen: dict[int, dict[str, torch.Tensor]] = {}
    watch = lambda progress: seen.update({progress.step: weights(run.network)})
    fitted = fit(run, observers=[watch, press])
    assert fitted.interrupted
    assert fitted.steps == step
    assert fitted.best_step == {1: 1, 4: 3}.get(step, fitted.best_step)  # none was scored before step 3
    assert same(weights(fitted.network), seen[fitted.best_step])
    assert not fitted.network.training


def test_observers_see_every_step_and_no_random_number_is_lost(fixtures: Worlds):
    seen: list[Progress] = []
    before = torch.get_rng_state()
    _, fitted = fixtures("transformer").fit([Consistency()], observers=[seen.append])
    assert torch.equal(before, torch.get_rng_state())
    assert [(progress.step, progress.total) for progress in seen] == [(step, 6) for step in range(1, 7)]
    assert [progress.score for progress in seen[:2]] == [None, None]
    assert seen[-1].score == fitted.history[-1].score
    assert seen[-1].best == fitted.best_score


def test_training_rows_that_all_count_nothing_are_refused(fixtures: Worlds):
    fixture = fixtures("cnn")
    with pytest.raises(DataError, match="Every training row has the weight 0"):
        dataclasses.replace(
            fixture, train=dataclasses.replace(fixture.train, weight=np.zeros(len(fixture.train), np.float32))
        ).run()


def test_training_without_any_label_is_refused(fixtures: Worlds):
    fixture = fixtures("cnn")
    none = dataclasses.replace(fixture.train, labelled={"label": np.zeros(len(fixture.train), bool)})
    with pytest.raises(DataError, match="No training row has a label"):
        dataclasses.replace(fixture, train=none).run()
    none = dataclasses.replace(fixture.valid, labelled={"label": np.zeros(len(fixture.valid), bool)})
    with pytest.raises(DataError, match="No validation row has a label in 'label'"):
        dataclasses.replace(fixture, valid=none).run()


# --- parts of a batch -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("base", ["rnn", "cnn"])
@pytest.mark.parametrize("parts", [3, 8, 50])
def test_unequal_parts_are_as_the_large_batch(base: str, parts: int, fixtures: Worlds):
    """Missing labels make the parts more unequal still. Dropout draws anew for each part, so it is off."""
    fixture = fixtures(base, "classes", True)
    network = copy.deepcopy(fixture.network)
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    fixture = dataclasses.replace(fixture, network=network)
    whole = fixture.fit([], keep="last", batch=7)[1]
    in_parts = fixture.fit([Accumulate(parts)], keep="last", batch=7)[1]
    for name, value in weights(whole.network).items():
        torch.testing.assert_close(value, weights(in_parts.network)[name], rtol=1e-3, atol=1e-4)
    for first, second in zip(whole.history, in_parts.history, strict=True):
        assert first.loss == pytest.approx(second.loss, rel=1e-4)


def test_sam_ends_where_it_stood(fixtures: Worlds):
    """With no learning rate the climb must leave no trace, to the bit."""
    fixture = fixtures("transformer")
    _, fitted = fixture.fit([SAM(0.5)], lr=0.0, head_lr=0.0, keep="last")
    assert same(weights(fitted.network), weights(fixture.network))


def test_fit_and_techniques_can_be_read_at_one_go():
    root = Path(graftwork.__file__).parent
    lines = {str(path.relative_to(root)): len(path.read_text().splitlines()) for path in root.rglob("*.py")}
    assert lines["core/fit.py"] <= 150
    shared = {
        "techniques/__init__.py",
        "techniques/meta/episodic.py",
        "techniques/adversarial/attack.py",
        "techniques/adversarial/adversarial_training.py",
    }
    of_techniques = {name for name in lines if name.startswith("techniques/")} - shared
    assert {name: lines[name] for name in of_techniques if lines[name] > 150} == {}
    assert {name: count for name, count in lines.items() if count > 320} == {}

"""What each action would have brought; and a policy that learns it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from graftwork.core.rows.examples import make_batch
from graftwork.core.scoring import predict_examples
from graftwork.errors import RefusedError
from graftwork.tasks.bandit import Bandit
from graftwork.techniques.reward.doubly_robust import DoublyRobust, brought
from tinyrun import Fixture, Worlds, make_worlds


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Fixture:
    worlds: Worlds = make_worlds(tmp_path_factory.mktemp("worlds"))
    return worlds("logs")


def test_rewards_are_put_right_where_they_are_known(logs: Fixture):
    task = logs.tasks["label"]
    assert isinstance(task, Bandit)
    batch = make_batch(logs.train, logs.network, np.arange(6))
    target, said = batch.targets["label"], torch.full((40, 3), 0.5)
    predictions = torch.zeros(6, task.outputs)
    found = brought(task, predictions, target, batch, said, target[:, 2].repeat(7)[:40])
    for at in range(6):
        action, reward, chance = int(target[at, 0]), float(target[at, 1]), float(target[at, 2])
        wanted = np.full(3, 0.5)
        wanted[action] += (task.standardised(reward) - 0.5) / chance
        np.testing.assert_allclose(found[at].numpy(), wanted, rtol=1e-5)


def test_the_mean_over_logged_actions_is_what_each_action_brings(logs: Fixture):
    """Doubly robust: summed over what might have been logged, by its chance, the model cancels."""
    task = logs.tasks["label"]
    assert isinstance(task, Bandit)
    batch = make_batch(logs.train, logs.network, np.zeros(3, np.int64))
    chance, brings, model = (
        torch.tensor([0.2, 0.3, 0.5]),
        torch.tensor([1.0, 0.4, 0.1]),
        torch.tensor([[5.0, -2.0, 0.0]]),
    )
    target = torch.stack([torch.arange(3.0), brings, chance], dim=1)
    found = brought(task, torch.zeros(3, 6), target, batch, model.repeat(40, 1), torch.full((40,), 0.0))
    assert torch.isfinite(found).all()
    each = [
        brought(task, torch.zeros(3, 6), target, replace(batch, rows=torch.arange(3)), model.repeat(3, 1), chance)[at]
        for at in range(3)
    ]
    mean = sum(share * one for share, one in zip(chance, each, strict=True))
    torch.testing.assert_close(mean, task.standardised(brings), atol=1e-4, rtol=0)


def test_rows_that_nothing_was_said_of_have_what_the_network_expects(logs: Fixture):
    task = logs.tasks["label"]
    assert isinstance(task, Bandit)
    batch = make_batch(logs.train, logs.network, np.array([0, 39]))
    predictions = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    target = batch.targets["label"]
    found = brought(task, predictions, target, batch, torch.zeros(1, 3), target[:1, 2])
    others = [at for at in range(3) if at != int(target[1, 0])]
    torch.testing.assert_close(found[1, others], predictions[1, 3:][others])
    assert (found[0, [at for at in range(3) if at != int(target[0, 0])]] == 0).all()


def test_it_learns_the_better_actions(logs: Fixture):
    run, fitted = logs.fit([DoublyRobust(folds=3)], steps=200, keep="last")
    task = logs.tasks["label"]
    kept = predict_examples(fitted.network, logs.valid)["label"]
    chosen = task.predicted(task.in_units(kept))
    found = logs.valid.targets["label"]
    right = found[:, 1] >= 1.0
    assert (chosen[right] == found[right, 0]).mean() > 0.8
    assert (chosen[~right] != found[~right, 0]).mean() >= 0.8
    assert run.plan.total_steps == 200


def test_other_tasks_refuse_it(tmp_path_factory: pytest.TempPathFactory):
    worlds = make_worlds(tmp_path_factory.mktemp("others"))
    with pytest.raises(RefusedError, match=r"doubly-robust needs logged_choices, .* use --task bandit and --role"):
        worlds("rnn").run([DoublyRobust()], started=False)

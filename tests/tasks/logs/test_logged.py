"""Logs that nothing can be learned from are refused in words; what is unusual of them is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graftwork.data.load import load, load_like
from graftwork.errors import DataError, UsageError
from graftwork.tasks.bandit import Bandit
from graftwork.tasks.logs.logged import Logged

N = 60
LOG: dict[str, list[Any]] = {
    "text": [f"words of visit {at}" for at in range(N)],
    "action": ["a", "b", "c"] * (N // 3),
    "gain": [float(at % 3 == 1) + at % 5 / 10 for at in range(N)],
    "p": [0.25, 0.5, 0.75] * (N // 3),
}
ROLES = {"reward": "gain", "propensity": "p"}


def learned(task: Bandit = Bandit(), roles: dict[str, str] = ROLES, **changed: list[Any]) -> Bandit:  # noqa: B008
    table = load(LOG | changed, target="action", roles=roles, name="log.csv").table
    return task.learn_rows(table, "action")


def test_what_is_known_of_a_log():
    task = learned()
    gain = np.array(LOG["gain"])
    assert task.log.mean == pytest.approx(gain.mean())
    assert task.log.std == pytest.approx(gain.std())
    assert task.log.shares == pytest.approx((1 / 3,) * 3)
    assert task.labels.texts[task.log.constant] == "b"
    assert task.outputs == 6
    assert task.reading == ()


def test_rewards_must_be_named():
    with pytest.raises(UsageError, match=r"no column is named for it\. Name it: --role reward=COLUMN"):
        learned(roles={})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"gain": [1.0] * N}, "log.csv: all 60 rewards are 1 in 'gain', so no action is better than another"),
        ({"action": ["a"] * 51 + ["b"] * 9}, "1 action of 2 in 'action' was logged in 10 rows or more"),
    ],
)
def test_what_can_not_be_learned(changed: dict[str, list[Any]], reason: str):
    with pytest.raises(DataError, match=reason):
        learned(**changed)


def test_rare_actions_are_never_chosen_and_that_is_said():
    task = learned(action=["a"] * 30 + ["b"] * 27 + ["c"] * 3)
    assert task.log.supported == (1.0, 1.0, 0.0)
    assert task.reading == ("actions: 1 of 3 have fewer than 10 logged rows and are never chosen: c",)
    kept = np.array([[0.0, 1.0, 50.0, 0.0, 0.0, 9.0]], np.float32)
    assert task.in_units(kept)[0, 2] == 0.0
    assert task.decode(task.in_units(kept)) == ["b"]
    assert learned(Bandit(support=3), action=["a"] * 30 + ["b"] * 27 + ["c"] * 3).decode(kept) == ["c"]


def test_propensities_that_are_not_logged_are_said_and_learned():
    task = learned(roles={"reward": "gain"}, inputs_=[0.0] * N)
    assert task.outputs == 9
    assert task.reading[0].startswith("warning: no propensities are logged, so they are estimated")
    assert "--role propensity=p" in task.reading[1]


def test_a_column_called_chance_may_hold_propensities():
    log = {"chance" if name == "p" else name: values for name, values in LOG.items()}
    table = load(log, target="action", roles={"reward": "gain"}, name="log.csv").table
    assert "--role propensity=chance" in Bandit().learn_rows(table, "action").reading[1]


def test_the_logging_policy_is_made_honest_by_validation():
    task = learned(roles={"reward": "gain"})
    draw = np.random.default_rng(0)
    logits = 2 * draw.normal(size=(4000, 3))
    chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    action = (chance.cumsum(axis=1) > draw.random((4000, 1))).argmax(axis=1)
    kept = np.concatenate([np.zeros((4000, 6)), 3 * logits], axis=1).astype(np.float32)
    targets = np.stack([action, np.zeros(4000), np.zeros(4000)], axis=1).astype(np.float32)
    found = task.calibrated(kept, targets)
    assert found.log.heat == pytest.approx(3.0, rel=0.1)
    assert Logged.of(found.log.state()).heat == found.log.heat
    np.testing.assert_allclose(found.scored(kept)[:, 6:], chance, atol=0.03)
    assert learned().calibrated(kept, targets).log.heat == 1.0


def test_a_log_without_chance_is_said():
    assert "actions were chosen without chance" in learned(p=[1.0] * N).reading[0]


def test_an_action_that_was_never_logged_is_named_by_row():
    first = load(LOG, target="action", roles=ROLES, name="log.csv").table
    task = Bandit().learn_rows(first, "action")
    later = load_like([{"text": "x", "action": "d", "gain": 1.0, "p": 0.5}], first.schema, with_target=True).table
    with pytest.raises(DataError, match=r"1 label that the training rows never had: 'd' \(row 1"):
        task.encode_rows(later, "action")


def test_a_table_without_the_logs_columns_is_refused():
    first = load(LOG, target="action", roles=ROLES, name="log.csv").table
    task = Bandit().learn_rows(first, "action")
    later = load_like([{"text": "x", "action": "a", "gian": 1.0, "p": 0.5}], first.schema, with_target=True).table
    with pytest.raises(DataError, match=r"no column .gain., which held the reward in .*\. Did you mean"):
        task.encode_rows(later, "action")


@pytest.mark.parametrize("settings", [{"support": 0}, {"clip": 1.0}, {"clip": float("inf")}])
def test_settings_out_of_range(settings: dict[str, Any]):
    with pytest.raises(UsageError, match="bandit: "):
        Bandit(**settings)


@pytest.mark.parametrize("changed", [{"std": 0.0}, {"high": 0.0, "low": 1.0}, {"constant": 5}, {"scale": -1.0}])
def test_a_damaged_state_is_refused(changed: dict[str, float]):
    with pytest.raises(ValueError, match=r"action|rewards"):
        Logged.of(learned().log.state() | changed)


def test_rows_without_an_action_or_its_reward_teach_nothing():
    table = load(LOG, target="action", roles=ROLES, name="log.csv").table
    task = Bandit().learn_rows(table, "action")
    found = task.encode_rows(table, "action")
    assert found is not None
    assert found.labelled.all()
    np.testing.assert_allclose(found.values[1], [1, 1.1, 0.5], rtol=1e-6)

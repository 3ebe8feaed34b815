from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from graftwork.data.rollouts import NONE, Rollouts, read_rollouts
from graftwork.data.table import Column, Schema, Table
from graftwork.errors import DataError

ROLES = (
    Column("game", "category", "rollout"),
    Column("at", "number", "step"),
    Column("points", "number", "reward"),
)


def table(games: list[str | None], steps: list[float], points: list[float | None], numbers: int = 1) -> Table:
    data = pa.table({"game": games, "at": steps, "points": pa.array(points, pa.float64())})
    return Table(data, Schema(ROLES), "log.csv", np.arange(numbers, numbers + len(games)))


def test_the_rows_of_a_rollout_are_in_the_order_of_its_steps_wherever_they_stand() -> None:
    found = read_rollouts(table(["a", "b", "a", "a", "b"], [30, 1, 10, 20, 0], [1, 2, 3, 4, 5]))
    assert found is not None
    assert found.rollout.tolist() == [0, 1, 0, 0, 1]
    assert found.place.tolist() == [2, 1, 0, 1, 0]
    assert found.reward.tolist() == [1, 2, 3, 4, 5]


def test_returns_are_what_a_loop_over_each_rollout_gives() -> None:
    draw = np.random.default_rng(0)
    rollout = draw.integers(-1, 6, 80)
    place = np.array([int((rollout[:at] == rollout[at]).sum()) for at in range(80)])
    shuffled = draw.permutation(80)
    known = Rollouts(rollout[shuffled], place[shuffled], draw.normal(size=80)[shuffled])
    for discount in (0.0, 0.9, 1.0):
        expected = np.zeros(80)
        for row in range(80):
            if known.rollout[row] == NONE:
                continue
            later = (known.rollout == known.rollout[row]) & (known.place >= known.place[row])
            expected[row] = (known.reward[later] * discount ** (known.place[later] - known.place[row])).sum()
        np.testing.assert_allclose(known.returns(discount), expected, atol=1e-12)


def test_a_row_that_lacks_a_role_belongs_to_no_rollout() -> None:
    found = read_rollouts(table(["a", None, "a"], [1, 2, 3], [1.0, 2.0, None]))
    assert found is not None
    assert found.rollout.tolist() == [0, NONE, NONE]
    assert found.returns().tolist() == [1.0, 0.0, 0.0]


def test_without_all_roles_there_are_none() -> None:
    whole = table(["a"], [1], [1.0])
    assert read_rollouts(Table(whole.data, Schema(ROLES[:2]), "log.csv", whole.rows)) is None


def test_a_step_that_stands_twice_is_refused_with_its_rows() -> None:
    doubled = table(["a", "b", "a", "a"], [1, 1, 2, 1], [0.0, 0.0, 0.0, 0.0], numbers=11)
    with pytest.raises(DataError, match=r"step 1 of 'a' \(row 11 and row 14\).*Number the steps"):
        read_rollouts(doubled)


def test_no_rows_have_no_returns() -> None:
    found = read_rollouts(table([], [], []))
    assert found is not None
    assert len(found.returns(0.9)) == 0

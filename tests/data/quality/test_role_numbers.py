"""The roles of logged choices: what they are read as, and which of their values can't be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from graftwork.data.columns.times import moments
from graftwork.data.load import load, load_like
from graftwork.data.quality.role_numbers import wrong_numbers
from graftwork.data.table import Column
from graftwork.errors import DataError, UsageError

N = 12
LOG: dict[str, list[Any]] = {
    "text": [f"words of visit {at}" for at in range(N)],
    "action": ["a", "b"] * (N // 2),
    "reward": [0, 1] * (N // 2),
    "p": [0.25, 1.0] * (N // 2),
    "visitor": [at // 3 for at in range(N)],
    "click": [at % 3 for at in range(N)],
}
ROLES = {"reward": "reward", "propensity": "p", "rollout": "visitor", "step": "click"}


def _load(**changed: list[Any]) -> Any:
    return load(LOG | changed, target="action", roles=ROLES, name="log.csv")


def test_roles_of_logged_choices_are_read_and_are_no_inputs() -> None:
    loaded = _load()
    columns = {column.role: column for column in loaded.table.schema.columns if column.role}
    assert [column.name for column in loaded.table.schema.inputs] == ["text"]
    assert columns["reward"] == Column("reward", "number", "reward")
    assert columns["propensity"] == Column("p", "number", "propensity")
    assert columns["rollout"] == Column("visitor", "category", "rollout")
    assert columns["step"] == Column("click", "number", "step")
    assert "propensity: p (number), as named" in loaded.notes


def test_steps_may_be_dates_but_no_words() -> None:
    dated = _load(click=[f"2026-01-{at + 1:02d} 10:00" for at in range(N)])
    step = dated.table.schema.role("step")
    assert step.kind == "date"
    assert (np.diff(moments(dated.table.column("click"))) == 86_400_000).all()
    with pytest.raises(UsageError, match="--role step=click: its values are no times"):
        _load(click=["soon", "later"] * (N // 2))


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("p", 0.0, "row 3, p: the propensity is 0, but this action was chosen"),
        ("p", 40, r"row 3, p: the propensity 40 is no chance; .* up to 1, such as 0.4 for 40 %"),
        ("p", -0.5, "row 3, p: the propensity -0.5 is no chance"),
        ("p", None, "row 3, p: missing"),
        ("reward", None, "row 3, reward: missing"),
        ("reward", float("inf"), "row 3, reward: 'inf' is not a number"),
        ("visitor", None, "row 3, visitor: missing"),
        ("click", None, "row 3, click: missing"),
    ],
)
def test_bad_values_are_named_by_row(column: str, value: Any, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        _load(**{column: [*LOG[column][:2], value, *LOG[column][3:]]})


def test_a_prediction_needs_none_of_them() -> None:
    schema = _load().table.schema
    assert len(load_like([{"text": "new"}], schema, with_target=False).table) == 1
    assert len(load_like([{"text": "new", "p": 0.0}], schema, with_target=False).table) == 1


def test_a_missing_number_is_not_wrong_and_other_roles_take_any() -> None:
    numbers = pa.chunked_array([[None, -1.0, 0.5]], pa.float64())
    assert set(wrong_numbers("propensity", numbers)) == set(wrong_numbers("weight", numbers)) == {1}
    assert wrong_numbers("reward", numbers) == wrong_numbers(None, numbers) == {}

"""A log of choices, read from a table: which action was chosen, what it brought, and the chance that it had."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graftwork.data.table import Table
from graftwork.errors import DataError, UsageError, nearest

CALLED = ("propensity", "propensities", "pscore", "prob", "probability", "action_prob", "chance", "p")
"""Names of columns that may hold propensities, though nobody said so."""


@dataclass(frozen=True)
class Log:
    """reward (N,), NaN where missing; propensity (N,), NaN where missing or not logged."""

    reward: np.ndarray
    propensity: np.ndarray


def reward_column(table: Table) -> str:
    """The column with the role reward. Raises UsageError where none has it."""
    column = table.schema.role("reward")
    if column is None:
        raise UsageError(
            f"{table.source}: a policy is learned from what the logged actions brought, and no column is named for it. "
            "Name it: --role reward=COLUMN (in Python roles={'reward': COLUMN})."
        )
    return column.name


def propensity_column(table: Table) -> str:
    """The column with the role propensity; empty where none has it."""
    column = table.schema.role("propensity")
    return column.name if column is not None else ""


def read_log(table: Table, reward: str, propensity: str) -> Log:
    """The columns of a table. propensity: empty where none are logged. Raises DataError where a column is lacking."""
    return Log(
        _numbers(table, reward, "reward"),
        _numbers(table, propensity, "propensity") if propensity else np.full(len(table), np.nan),
    )


def misread_propensities(table: Table) -> str:
    """The input that may hold propensities, by its name; empty where none is called so."""
    return next((column.name for column in table.schema.inputs if column.name.strip().lower() in CALLED), "")


def _numbers(table: Table, name: str, role: str) -> np.ndarray:
    if name not in table.data.column_names:
        raise DataError(
            f"{table.source} has no column '{name}', which held the {role} in the training table. "
            f"{nearest(name, table.data.column_names)} Rename the column that holds it."
        )
    column = table.column(name)
    try:
        found: np.ndarray = np.asarray(column.cast("float64", safe=False).to_numpy(), np.float64)
    except (ValueError, NotImplementedError) as error:
        raise DataError(f"{table.source}: column '{name}' ({role}) holds {column.type}. Expected numbers.") from error
    return found

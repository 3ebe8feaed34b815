"""Rollouts of a table: which rows follow each other, what each brought, and what still came after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from graftwork.data.columns.times import moment_text, moments
from graftwork.data.table import Role, Table
from graftwork.errors import DataError
from graftwork.shown import shortened_text

ROLES: tuple[Role, ...] = ("rollout", "step", "reward")
"""Of the columns that tell a rollout."""
NONE = -1
"""The rollout of a row that belongs to none."""
_SHOWN = 5


@dataclass(frozen=True)
class Rollouts:
    """What is known of N rows: which rollout each belongs to (N,), `NONE` for none; its place there (N,), 0, 1, … in
    the order of its steps; and its reward (N,), float64, 0 where it belongs to none."""

    rollout: np.ndarray
    place: np.ndarray
    reward: np.ndarray

    def __len__(self) -> int:
        return len(self.rollout)

    def returns(self, discount: float = 1.0) -> np.ndarray:
        """The return to go of each row (N,): its reward, and the later ones of its rollout, each by `discount` less for
        every row that lies between.

        >>> known = Rollouts(np.array([0, 0, 1]), np.array([1, 0, 0]), np.array([4.0, 1.0, 7.0]))
        >>> known.returns(0.5).tolist()
        [4.0, 3.0, 7.0]
        """
        order = np.lexsort((-self.place, self.rollout))
        found = np.zeros(len(self))
        last, after = NONE, 0.0
        for row in order:
            after = self.reward[row] + (discount * after if self.rollout[row] == last else 0.0)
            last, found[row] = self.rollout[row], after
        found[self.rollout == NONE] = 0.0
        return found


def read_rollouts(table: Table) -> Rollouts | None:
    """The rollouts of a table's rows; None where it has no columns with the roles rollout, step and reward.

    Raises DataError where two rows are the same step of one rollout.
    """
    named = [table.schema.role(role) for role in ROLES]
    columns = [column.name for column in named if column is not None]
    if len(columns) < len(ROLES) or any(name not in table.data.column_names for name in columns):
        return None
    names, steps, rewards = (table.column(name) for name in columns)
    codes = names.combine_chunks().cast(pa.string()).dictionary_encode().indices
    rollout: np.ndarray = codes.fill_null(NONE).to_numpy(zero_copy_only=False).astype(np.int64)
    step, reward = moments(steps), moments(rewards)
    rollout = np.where(np.isnan(step) | np.isnan(reward), NONE, rollout)
    reward = np.where(rollout == NONE, 0.0, reward)
    order = np.lexsort((step, rollout))
    same = (np.diff(rollout[order]) == 0) & (np.diff(step[order]) == 0) & (rollout[order][1:] != NONE)
    if same.any():
        pairs = [(int(order[at]), int(order[at + 1])) for at in np.flatnonzero(same)]
        raise DataError(_doubled(table, columns, pairs))
    begins = np.r_[True, np.diff(rollout[order]) != 0]
    place = np.empty(len(table), np.int64)
    counted = np.arange(len(table))
    place[order] = counted - np.maximum.accumulate(np.where(begins, counted, 0)) if len(table) else counted
    return Rollouts(rollout, place, reward)


def _doubled(table: Table, columns: Sequence[str], pairs: Sequence[tuple[int, int]]) -> str:
    rollout, step, _ = columns
    shown = []
    for first, second in pairs[:_SHOWN]:
        name = shortened_text(str(table.column(rollout)[first].as_py()))
        when = moment_text(table.column(step), float(moments(table.column(step))[first]))
        places = " and ".join(table.place(int(table.rows[at])) for at in sorted((first, second)))
        shown.append(f"step {when} of '{name}' ({places})")
    more = f"; and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
    return (
        f"{table.source}: two rows are the same step of one rollout: {'; '.join(shown)}{more}. Expected one row for "
        f"each '{step}' of a '{rollout}'. Number the steps of each rollout, or give each a name of its own."
    )

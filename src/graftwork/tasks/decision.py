"""A policy from rollouts: which action to take in a situation, learned from what was done and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from graftwork.data.rollouts import NONE, ROLES, read_rollouts
from graftwork.data.table import Table
from graftwork.errors import DataError, UsageError
from graftwork.shown import counted, shown_number
from graftwork.tasks.classification import Classification
from graftwork.tasks.learned import with_learned
from graftwork.tasks.section import Section, SeenRows

_BEST = 0.1
"""Share of the rollouts that are called the best."""


@dataclass(frozen=True, kw_only=True)
class Decision(Classification):
    """One of C actions a row, cloned from rollouts; softmax and cross-entropy.

    The columns with the roles rollout, step and reward say which rows follow each other and what each brought. Of those
    the technique advantage-weighted makes weights, which a fit has unless it names techniques of its own. Scores say
    how often the logged action is chosen, which is not what a policy is for: play it in the environment for that.

    Predictions need none of these columns. Where actions are numbers, take regression with the same roles and
    technique.
    """

    name: ClassVar[str] = "decision"
    usual_techniques: ClassVar[tuple[str, ...]] = ("advantage-weighted",)

    returns: tuple[float, ...] = field(default=(), init=False)
    """Of the training rollouts: how many there are, their mean, lowest and highest return, and the mean of the best."""

    def learn_rows(self, table: Table, name: str) -> Self:
        """Raises UsageError where no column has one of the roles, DataError where no row belongs to a rollout, or two
        rows are the same step of one."""
        rollouts = read_rollouts(table)
        if rollouts is None:
            lacking = [role for role in ROLES if table.schema.role(role) is None]
            raise UsageError(
                f"{table.source}: --task decision learns from rollouts, and no column has the role "
                f"{' or '.join(lacking)}. Name the column: {' '.join(f'--role {role}=COLUMN' for role in lacking)}; "
                "or learn what was done whatever came of it: --task classification."
            )
        known = rollouts.rollout != NONE
        if not known.any():
            raise DataError(f"{table.source}: no row belongs to a rollout. Expected its name, its step and its reward.")
        first = known & (rollouts.place == 0)
        totals = np.sort(rollouts.returns()[first])
        best = totals[-max(1, round(_BEST * len(totals))) :]
        found = (len(totals), totals.mean(), totals[0], totals[-1], best.mean())
        return with_learned(super().learn_rows(table, name), returns=tuple(map(float, found)))

    @property
    def reading(self) -> tuple[str, ...]:
        if not self.returns:
            return ()
        return (f"rollouts: {self._log}",)

    def sections(self, truth: np.ndarray, kept: np.ndarray, rows: SeenRows) -> tuple[Section, ...]:
        """What the log brought, and what is not known of the policy."""
        if not self.returns:
            return ()
        told = (
            f"The training rows are {self._log}.",
            "Scores here say how often the logged action is chosen. What the policy brings is known only once it acts: "
            "graft evaluate MODEL --env ENVIRONMENT plays it, where there is an environment.",
        )
        return (Section("What the log brought", told),)

    @property
    def _log(self) -> str:
        count, *numbers = self.returns
        mean, low, high, best = map(shown_number, numbers)
        return (
            f"{counted(int(count), 'rollout')} of a return of {mean} on average, from {low} to {high}; the best "
            f"{_BEST:.0%} brought {best}"
        )

    def state(self) -> dict[str, Any]:
        return {**super().state(), "returns": list(self.returns)}

    def with_state(self, state: dict[str, Any]) -> Self:
        return with_learned(super().with_state(state), returns=tuple(float(one) for one in state.get("returns", ())))

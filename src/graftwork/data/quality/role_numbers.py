"""Numbers that a column's role rules out: negative weights, propensities that are no chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

from graftwork.data.table import Role


def wrong_numbers(role: Role | None, column: pa.ChunkedArray) -> dict[int, str]:
    """By index, why a number can't stand in a column of this role. column: float64; missing values are not wrong."""
    reason = _REASONS.get(role) if role else None
    if reason is None:
        return {}
    numbers = np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
    said = {value: reason(value) for value in np.unique(numbers[~np.isnan(numbers)]).tolist()}
    wrong = [value for value, why in said.items() if why]
    return {int(at): said[float(numbers[at])] for at in np.flatnonzero(np.isin(numbers, wrong))}


def _weight(value: float) -> str:
    return f"the weight {value} is negative" if value < 0 else ""


def _propensity(value: float) -> str:
    if 0.0 < value <= 1.0:
        return ""
    if value == 0.0:
        return "the propensity is 0, but this action was chosen; expected the chance that it had, above 0 and up to 1"
    hint = f", such as {value / 100:.4g} for {value:g} %" if 1.0 < value <= 100.0 else ""
    return f"the propensity {value:g} is no chance; expected a number above 0 and up to 1{hint}"


_REASONS: Mapping[Role, Callable[[float], str]] = {"weight": _weight, "propensity": _propensity}

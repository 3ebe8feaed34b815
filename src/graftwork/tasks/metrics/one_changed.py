"""What a metric would be if one row had another answer, for many rows and answers at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graftwork.data.store.ragged import Ragged, from_rows
from graftwork.tasks.metrics.metric import OfSums, Scorer

_AT_ONCE, _WEIGHTED = 4096, 256
"""Changes that are scored together: by what a row adds to sums, and by weighting all rows for each of them."""


def one_changed(
    make: Callable[[Any, Any], Scorer], truth: Any, held: Any, others: Any, times: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """The score of P rows with the answers that are held, and the scores (A, P) where one row has another answer.

    make: (truth, given) -> scorer. truth, held: of the P rows. others: A answers of each, the first ones of all rows in
    front (A * P). times: how often each row is there (P,); one of them is changed.
    """
    rows, count = len(truth), len(others)
    times = np.ones(rows) if times is None else times.astype(np.float64)
    whole = make(truth, held)
    size = _AT_ONCE if isinstance(whole, OfSums) else max(_WEIGHTED, rows)
    found = np.empty(count)
    for start in range(0, count, size):
        changes = np.arange(start, min(start + size, count))
        changed = changes % rows
        scorer = make(_picked(truth, np.concatenate([np.arange(rows), changed])), _joined(held, others, changes))
        scores = _by_sums(scorer, changed, times) if isinstance(scorer, OfSums) else _weighted(scorer, changed, times)
        found[changes] = scores
    return float(whole(times[None])[0]), found.reshape(-1, rows)


def _by_sums(scorer: OfSums, changed: np.ndarray, times: np.ndarray) -> np.ndarray:
    return scorer.of_sums(scorer.with_one_changed(times, changed), np.full(len(changed), times.sum()))


def _weighted(scorer: Scorer, changed: np.ndarray, times: np.ndarray) -> np.ndarray:
    rows, each = len(times), np.arange(len(changed))
    weights = np.zeros((len(changed), rows + len(changed)))
    weights[:, :rows] = times
    weights[each, changed] -= 1
    weights[each, rows + each] = 1
    return scorer(weights)


def _picked(values: Any, places: np.ndarray) -> Any:
    return values[places] if isinstance(values, np.ndarray | Ragged) else [values[at] for at in places]


def _joined(held: Any, others: Any, changes: np.ndarray) -> Any:
    if isinstance(held, np.ndarray):
        return np.concatenate([held, others[changes]])
    rows = [*held, *(others[at] for at in changes)]
    return from_rows(rows) if isinstance(held, Ragged) else rows

"""How rows make batches: rows of similar length together, under a budget of padded tokens, in a repeatable order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from graftwork.errors import UsageError

MEGA_BATCHES = 50
"""Batches' worth of rows that are sorted by length together; the order stays random beyond that."""


@dataclass(frozen=True, eq=False)
class LengthBuckets:
    """Batches of an epoch. The same for the same seed and epoch, on every machine.

    lengths: tokens of each row (N,). batch: rows in a batch at most. max_tokens: rows x longest row in a batch at
    most; a row that is longer than that makes a batch of its own. weights: None, or (N,) not negative: then an epoch
    is N rows drawn with replacement in proportion to them.
    """

    lengths: np.ndarray
    batch: int
    max_tokens: int
    seed: int
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        _check(self.batch, self.max_tokens)
        if self.weights is not None:
            _check_weights(self.weights, len(self.lengths))

    def epoch(self, index: int) -> list[np.ndarray]:
        """The batches of one epoch, as row indices. Without weights every row comes exactly once."""
        draw = np.random.default_rng([self.seed, index])
        order = self._rows(draw)
        size = MEGA_BATCHES * self.batch
        batches = []
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            by_length = rows[np.argsort(-self.lengths[rows].astype(np.int64), kind="stable")]
            batches += _cut(by_length, self.lengths, self.batch, self.max_tokens)
        return [batches[at] for at in draw.permutation(len(batches))]

    def steps(self, epochs: float) -> int:
        """Batches in this many epochs; of a broken epoch, the part is rounded up."""
        whole = int(epochs)
        steps = sum(len(self.epoch(index)) for index in range(whole))
        return steps + (math.ceil((epochs - whole) * len(self.epoch(whole))) if epochs > whole else 0)

    def _rows(self, draw: np.random.Generator) -> np.ndarray:
        if self.weights is None:
            return draw.permutation(len(self.lengths))
        share = np.cumsum(self.weights, dtype=np.float64)
        drawn = np.searchsorted(share, draw.random(len(self.lengths)) * share[-1], side="right")
        rows: np.ndarray = np.minimum(drawn, np.flatnonzero(self.weights)[-1])
        return rows


def sorted_batches(lengths: np.ndarray, max_rows: int, max_tokens: int) -> list[np.ndarray]:
    """Every row exactly once, longest first, so that a batch too large for the memory shows at once.

    A batch that is a quarter full ends where the length changes: without padding there is no mask to compute with.
    """
    _check(max_rows, max_tokens)
    lengths = np.asarray(lengths, np.int64)
    order = np.argsort(-lengths, kind="stable")
    batches = []
    for batch in _cut(order, lengths, max_rows, max_tokens):
        changes = np.flatnonzero(np.diff(lengths[batch])) + 1
        enough = changes[changes * max(1, int(lengths[batch[0]])) * 4 >= max_tokens]
        batches += np.split(batch, enough[:1])
    return batches


def _cut(rows: np.ndarray, lengths: np.ndarray, batch: int, max_tokens: int) -> list[np.ndarray]:
    """Consecutive batches of rows that stand longest first."""
    batches, start = [], 0
    while start < len(rows):
        longest = max(1, int(lengths[rows[start]]))
        size = max(1, min(batch, max_tokens // longest))
        batches.append(rows[start : start + size])
        start += size
    return batches


def _check(batch: int, max_tokens: int) -> None:
    for name, value in (("batch", batch), ("max_tokens", max_tokens)):
        if value < 1:
            raise UsageError(f"{name} is {value}. Expected 1 or more.")


def _check_weights(weights: np.ndarray, rows: int) -> None:
    if weights.shape != (rows,):
        raise UsageError(f"{len(weights)} weights for {rows} rows. Expected one a row.")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise UsageError("Sampling weights must be finite and not negative, and one of them above 0.")

"""Counts by class under many weightings of the rows: what F1, recall and Matthews correlation are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from graftwork.tasks.metrics.metric import OfSums


@dataclass(frozen=True)
class Confusion:
    """Weight of the rows, by weighting and class (R, K): right answers, rows of the class, rows that chose it."""

    right: np.ndarray
    truth: np.ndarray
    chosen: np.ndarray


def single_label_confusion(truth: np.ndarray, chosen: np.ndarray) -> Callable[[np.ndarray], Confusion]:
    """truth, chosen: class indices (N,). The result takes weights (R, N). Classes that never occur are left out of K.

    Rows with the same (truth, chosen) are added up first, so that the cost per class is paid once per pair of classes
    that does occur, and not once per row.
    """
    classes, codes = np.unique(np.concatenate([truth, chosen]), return_inverse=True)
    true_code, chosen_code = codes[: len(truth)], codes[len(truth) :]
    cells, cell_of = np.unique(true_code * len(classes) + chosen_code, return_inverse=True)
    of_truth, of_chosen = np.divmod(cells, len(classes))
    each = np.arange(len(classes))
    is_truth = (of_truth[:, None] == each).astype(np.float64)
    is_chosen = (of_chosen[:, None] == each).astype(np.float64)
    is_right = is_truth * is_chosen

    def counts(weights: np.ndarray) -> Confusion:
        by_cell = sums_by_group(weights, cell_of, len(cells))
        return Confusion(by_cell @ is_right, by_cell @ is_truth, by_cell @ is_chosen)

    return counts


def multihot_confusion(truth: np.ndarray, chosen: np.ndarray) -> Callable[[np.ndarray], Confusion]:
    """truth, chosen: 0 or 1 by row and class (N, C). The result takes weights (R, N)."""
    true, said = truth.astype(np.float64), chosen.astype(np.float64)
    right = true * said
    return lambda weights: Confusion(weights @ right, weights @ true, weights @ said)


def sums_by_group(weights: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    """Weights (R, N) added up by the group (N,) of each row: (R, count)."""
    return np.stack([np.bincount(group, weights=each, minlength=count) for each in weights])


@dataclass(frozen=True, eq=False)
class OfClasses(OfSums):
    """A scorer of what is counted by class. truth, chosen: class indices (N,), or 0 or 1 by row and class (N, C).

    ratio: counts (R, K) of R weightings, and the weight of all rows of each (R,) -> scores (R,).
    """

    truth: np.ndarray
    chosen: np.ndarray
    ratio: Callable[[Confusion, np.ndarray], np.ndarray]

    @cached_property
    def count(self) -> Callable[[np.ndarray], Confusion]:
        counted = multihot_confusion if self.truth.ndim == 2 else single_label_confusion
        return counted(self.truth, self.chosen)

    @property
    def statistics(self) -> np.ndarray:
        true, said = self.truth, self.chosen
        if true.ndim == 1:
            classes, codes = np.unique(np.concatenate([true, said]), return_inverse=True)
            marks = np.eye(len(classes))[codes]
            true, said = marks[: len(true)], marks[len(true) :]
        return np.concatenate([true * said, true, said], axis=1).astype(np.float64)

    def with_one_changed(self, times: np.ndarray, changed: np.ndarray) -> np.ndarray:
        """Counted by class, without a mark for each row and class where there is one class a row."""
        if self.truth.ndim == 2:
            return super().with_one_changed(times, changed)
        classes, codes = np.unique(np.concatenate([self.truth, self.chosen]), return_inverse=True)
        true, said = np.split(codes, 2)
        count, held, each = len(classes), len(times), np.arange(len(changed))
        sums = np.zeros(3 * count)
        for place, codes, weights in ((0, true, times * (true == said)[:held]), (1, true, times), (2, said, times)):
            sums[place * count : (place + 1) * count] = np.bincount(codes[:held], weights, count)
        found = np.tile(sums, (len(changed), 1))
        for rows, sign in ((changed, -1), (held + each, 1)):
            found[each, true[rows]] += sign * (true == said)[rows]
            found[each, count + true[rows]] += sign
            found[each, 2 * count + said[rows]] += sign
        return found

    def of_sums(self, sums: np.ndarray, total: np.ndarray) -> np.ndarray:
        return self.ratio(Confusion(*np.split(sums, 3, axis=1)), total)

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        return self.ratio(self.count(weights), weights.sum(axis=1))

"""Counts by class under many weightings of the rows: what F1, recall and Matthews correlation are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Confusion:
    """Weight of the rows, by weighting and class (R, K): right answers, rows of the class, rows that chose it."""

    right: np.ndarray
    truth: np.ndarray
    chosen: np.ndarray


def single_label_confusion(truth: np.ndarray, chosen: np.ndarray, weights: np.ndarray) -> Confusion:
    """truth, chosen: class indices (N,); weights (R, N). Classes that never occur are left out of K.

    Rows with the same (truth, chosen) are added up first, so that the cost per class is paid once per pair of classes
    that does occur, and not once per row.
    """
    classes, codes = np.unique(np.concatenate([truth, chosen]), return_inverse=True)
    true_code, chosen_code = codes[: len(truth)], codes[len(truth) :]
    cells, cell_of = np.unique(true_code * len(classes) + chosen_code, return_inverse=True)
    order = np.argsort(cell_of, kind="stable")
    starts = np.searchsorted(cell_of[order], np.arange(len(cells)))
    by_cell = np.add.reduceat(weights[:, order], starts, axis=1)
    of_truth, of_chosen = np.divmod(cells, len(classes))
    each = np.arange(len(classes))
    is_truth = (of_truth[:, None] == each).astype(np.float64)
    is_chosen = (of_chosen[:, None] == each).astype(np.float64)
    return Confusion(by_cell @ (is_truth * is_chosen), by_cell @ is_truth, by_cell @ is_chosen)


def multihot_sums(truth: np.ndarray, chosen: np.ndarray, weights: np.ndarray) -> Confusion:
    """truth, chosen: 0 or 1 by row and class (N, C); weights (R, N)."""
    true, said = truth.astype(np.float64), chosen.astype(np.float64)
    return Confusion(weights @ (true * said), weights @ true, weights @ said)

"""Tasks that have learned, and made-up predictions whose truth is drawn from them or from something near."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from graftwork.evidence.sure.calibration import Calibration
from graftwork.tasks.classification import Classification
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.quantile_regression import QuantileRegression
from graftwork.tasks.regression import Regression


def classes(count: int) -> Classification:
    return Classification().learn(pa.chunked_array([[f"c{at:03}" for at in range(count)] * 2]), "rows")


def label_sets(count: int) -> Multilabel:
    return Multilabel().learn(pa.chunked_array([[[f"c{at:03}"] for at in range(count)] * 2]), "rows")


def numbers(values: np.ndarray, **settings: bool) -> Regression:
    return Regression(**settings).learn(pa.chunked_array([values]), "rows")


def quantiles(values: np.ndarray) -> QuantileRegression:
    return QuantileRegression().learn(pa.chunked_array([values]), "rows")


def class_rows(
    draw: np.random.Generator, rows: int, count: int, shares: np.ndarray | None = None, signal: float = 2.0
) -> Calibration:
    """Probabilities that are too sure of themselves, so that they promise nothing by themselves."""
    truth = draw.choice(count, rows, p=shares)
    logits = draw.normal(size=(rows, count)) * 2
    logits[np.arange(rows), truth] += signal
    made = np.exp(3 * (logits - logits.max(axis=1, keepdims=True)))
    return Calibration((made / made.sum(axis=1, keepdims=True)).astype(np.float32), truth)


def set_rows(draw: np.random.Generator, rows: int, count: int) -> Calibration:
    logits = draw.normal(size=(rows, count)) * 2
    truth = (draw.random((rows, count)) < 1 / (1 + np.exp(-logits / 2))).astype(np.uint8)
    return Calibration((1 / (1 + np.exp(-logits))).astype(np.float32), truth)

"""Temperature scaling: one number that makes a model's probabilities honest without changing what it predicts.

Guo et al. 2017, "On Calibration of Modern Neural Networks": divide the predictions before the softmax by the
temperature that minimises the log-loss on validation rows. It helps wherever probabilities are read; it changes no
label of a single-label task.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from graftwork.tasks.task import Task

LOWEST, HIGHEST = 0.02, 50.0


def fit_temperature(predictions: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """The temperature for `task.probabilities`; 1.0 for a task without classes, or where it doesn't help.

    predictions: (N, C) before softmax or sigmoid. targets: as `task.encode` gives them, of labelled rows.

    The log-loss is taken against targets that are softened by 1 part in N + 2 (Platt 1999), so that a handful of
    validation rows that are all right does not make every prediction certain. The plain log-loss on these rows is
    never above that of temperature 1.
    """
    if task.answer not in ("class", "classes"):
        return 1.0
    loss = _multilabel_loss if targets.ndim == 2 else _single_label_loss
    if targets.ndim == 1:
        predictions, targets = predictions[targets >= 0], targets[targets >= 0]
    if len(targets) == 0:
        return 1.0
    logits = predictions.astype(np.float64)
    slack = 1.0 / (len(targets) + 2)
    found = math.exp(_minimum(lambda log_t: loss(logits / math.exp(log_t), targets, slack), LOWEST, HIGHEST))
    plain = [loss(logits / temperature, targets, 0.0) for temperature in (found, 1.0)]
    return found if plain[0] < plain[1] else 1.0


def _single_label_loss(logits: np.ndarray, targets: np.ndarray, slack: float) -> float:
    """Mean cross-entropy; `slack` of the probability is spread over the other classes."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    right = log_p[np.arange(len(targets)), targets]
    others = (log_p.sum(axis=1) - right) / max(logits.shape[1] - 1, 1)
    return float(-((1 - slack) * right + slack * others).mean())


def _multilabel_loss(logits: np.ndarray, targets: np.ndarray, slack: float) -> float:
    soft = targets * (1 - 2 * slack) + slack
    return float((np.logaddexp(0, logits) - soft * logits).mean())


def _minimum(function: Callable[[float], float], low: float, high: float) -> float:
    """Golden-section search for the log of the best value; the loss has one minimum, since it is convex in 1 / T."""
    ratio = (math.sqrt(5) - 1) / 2
    a, b = math.log(low), math.log(high)
    c, d = b - ratio * (b - a), a + ratio * (b - a)
    at_c, at_d = function(c), function(d)
    while b - a > 1e-4:
        if at_c < at_d:
            b, d, at_d = d, c, at_c
            c = b - ratio * (b - a)
            at_c = function(c)
        else:
            a, c, at_c = c, d, at_d
            d = a + ratio * (b - a)
            at_d = function(d)
    return (a + b) / 2

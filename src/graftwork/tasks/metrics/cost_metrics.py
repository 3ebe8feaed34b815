"""What a model's answers cost on the mean: its plain ones, and those of least expected cost."""

from __future__ import annotations

from functools import partial
from typing import Protocol

import numpy as np

from graftwork.tasks.costs import CostMatrix, bayes
from graftwork.tasks.metrics.metric import Metric, Scorer, mean_of_rows


class Answers(Protocol):
    """What is asked here of a task: its plain choices (N,) by probabilities (N, C)."""

    def predicted(self, kept: np.ndarray) -> np.ndarray: ...


def mean_cost_metric(costs: CostMatrix) -> Metric:
    """The mean cost of choices, class indices (N,)."""
    return Metric(
        "mean_cost",
        lambda truth, chosen: mean_of_rows(costs.costs[truth, chosen]),
        "choices",
        False,
        "Mean cost",
        "plain",
        meaning="what an answer costs on the mean, by the table of costs; less is better",
    )


def bayes_cost_metric(costs: CostMatrix) -> Metric:
    """The same of the choices of least expected cost."""
    return Metric(
        "bayes_cost",
        lambda truth, given: mean_of_rows(costs.costs[truth, bayes(given, costs)]),
        "probabilities",
        False,
        "Mean cost of Bayes decisions",
        "plain",
        meaning="the same, where each answer is the one of least expected cost by the calibrated probabilities",
    )


def cost_saved_metric(task: Answers, costs: CostMatrix) -> Metric:
    """By how much the latter cost less than the task's plain choices, row by row, so that its interval is paired."""
    return Metric(
        "cost_saved",
        partial(_saved, task, costs),
        "probabilities",
        True,
        "Saved by Bayes decisions",
        "plain",
        meaning="by how much Bayes decisions cost less than the plain answers to the same rows",
    )


def cost_metrics(task: Answers, costs: CostMatrix) -> tuple[Metric, ...]:
    """All three."""
    return mean_cost_metric(costs), bayes_cost_metric(costs), cost_saved_metric(task, costs)


def _saved(task: Answers, costs: CostMatrix, truth: np.ndarray, given: np.ndarray) -> Scorer:
    plain, cheapest = costs.costs[truth, task.predicted(given)], costs.costs[truth, bayes(given, costs)]
    return mean_of_rows(plain - cheapest)

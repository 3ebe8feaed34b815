"""Trials as a tune would leave them, and their answers on judged rows: how good they are is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graftwork.evidence.tune.resampled import Judged, Resampled, resampled
from graftwork.evidence.tune.trials import Origin, State, Trial
from graftwork.tasks.metrics.metric import Metric, mean_of_rows

ACCURACY = Metric("accuracy", lambda truth, given: mean_of_rows(truth == given), "choices", True, "Accuracy")
ERROR = Metric("mae", lambda truth, given: mean_of_rows(np.abs(truth - given)), "choices", False, "Mean error", "own")


def trial(number: int, score: float | None = None, *, state: State = "finished", **fields: Any) -> Trial:
    """Finished, of 22 million parameters; number 0 is the default. Other fields as of a Trial."""
    origin: Origin = "default" if number == 0 else "searched"
    rungs = () if score is None else ((90, score),)
    given: dict[str, Any] = {"name": f"trial {number}", "origin": origin, "recipe": {}, "parameters": 22_000_000}
    return Trial(**{**given, "number": number, "state": state, "rungs": rungs, **fields})


def answers(right: float, rows: int, random: np.random.Generator) -> np.ndarray:
    """Answers (rows,) of which 1 is right, as often as `right`."""
    return (random.random(rows) < right).astype(np.int64)


def redone(own: np.ndarray, share: float, right: float, random: np.random.Generator) -> np.ndarray:
    """The same answers, but a share of the rows answered again, right as often as `right`."""
    again = random.random(len(own)) < share
    return np.where(again, answers(right, len(own), random), own)


def judged(given: Mapping[int, np.ndarray], draws: int = 400, seed: int = 0) -> Resampled:
    """Of answers that are right where they are 1, scored by accuracy."""
    rows = len(next(iter(given.values())))
    return resampled([Judged(ACCURACY, np.ones(rows, np.int64), given)], rows, resamples=draws, seed=seed)


def scored(found: Resampled, plain: Sequence[int] = (0,)) -> list[Trial]:
    """Their trials. plain: which have no technique; the others have a useless one."""
    return [
        trial(number, float(value), techniques=() if number in plain else ("mixup",))
        for number, value in zip(found.numbers, found.values, strict=True)
    ]

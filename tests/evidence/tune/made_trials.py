"""Trials as a tune would leave them, and their answers on judged rows: how good they are is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.tune.outcome import About, Outcome, outcome
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


def drawn(values: Mapping[int, float], error: float, rows: int = 400) -> Resampled:
    """Scores on 4,000 draws, so that every difference has this standard error."""
    numbers = tuple(values)
    own = np.array([values[number] for number in numbers])
    random = np.random.default_rng(0)
    noise = [random.normal(size=(4000, len(numbers))) * error / 2**0.5 for _ in range(2)]
    return Resampled(numbers, own, own + noise[0], own + noise[1], rows)


def a_tune(rows: int = 400, **about: Any) -> Outcome:
    """A search that found something: trial 5 is truly better than the default; one failed, one is paused."""
    random = np.random.default_rng(2)
    plain = answers(0.80, rows, random)
    given = {0: plain, 1: redone(plain, 0.3, 0.80, random), 2: answers(0.70, rows, random)}
    given |= {number: redone(plain, 0.2, 0.80, random) for number in (3, 4)}
    given[5] = redone(plain, 0.5, 0.97, random)
    found = judged(given)
    made = [
        trial(
            number,
            float(score),
            name=f"fine-tune {number} of minilm",
            origin="default" if number < 2 else "base" if number == 2 else "searched",
            base="gte-small" if number == 2 else "minilm",
            techniques=() if number < 3 else ("lora:rank=8",) if number == 5 else ("mixup",),
            params={"lr": 1e-3} if number > 2 else {},
            at=10.0 * (number + 1),
            seconds=9.0,
            latency=0.002 * (number + 1),
            size=20_000_000 * (number + 1),
        )
        for number, score in zip(found.numbers, found.values, strict=True)
    ]
    made += [
        trial(6, 0.70, state="paused", rungs=((10, 0.70),), steps=90, at=70.0),
        trial(7, None, state="failed", failed="out of memory: 3.2 GB were needed"),
    ]
    given_about: dict[str, Any] = {"title": "Tune of runs/x", "target": "label", "rows": rows, "seconds": 75.0}
    given_about |= {"folder": "runs/x", "command": "graft tune train.csv --target label --out runs/x", "budget": 80.0}
    return outcome(made, found, Scale("Accuracy", "percent"), About(**{**given_about, **about}))

"""The rows of a pool that a model should learn next: those it can't decide on, and unlike each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from graftwork.core.rows.examples import held_rows, prepare
from graftwork.core.scoring import ROW_FEATURES, predict_examples
from graftwork.data.table import Table
from graftwork.errors import UsageError
from graftwork.runs.advice.choosing import Strategy, chosen_rows, uncertainty
from graftwork.saving import Saved
from graftwork.shown import shortened_text
from graftwork.tasks.capabilities import Calibrated
from graftwork.tasks.task import Task

CHUNK = 8192


@dataclass(frozen=True)
class Chosen:
    """A row to label. row: its number in the source (`Table.rows`). uncertainty: 0 is sure, 1 undecided between two
    classes; None where the model says no probabilities."""

    row: int
    reason: str
    uncertainty: float | None


def choose(model: Saved, pool: Table, rows: int, seed: int = 0, strategy: Strategy = "clusters") -> list[Chosen]:
    """The rows of a pool to label first, the most rewarding ones first; all where no more are there.

    pool: with the model's columns, each row readable; targets in it are not looked at. A model without probabilities
    gets rows that are unlike each other. Raises UsageError for no rows.
    """
    if rows < 1:
        raise UsageError(f"{rows} rows are to be chosen. Expected 1 or more.")
    if not len(pool):
        return []
    features, told = _answers(model, pool)
    every = [each for name, task in model.tasks.items() for each in _of_classes(task, told[name])]
    picked = chosen_rows(every, features, rows, seed, strategy)
    unsure = uncertainty(every) if every else None
    return [
        Chosen(int(pool.rows[at]), _reason(model, told, at), None if unsure is None else float(unsure[at]))
        for at in picked
    ]


def _answers(model: Saved, pool: Table) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The network's features of each row (N, F), and by target what is read of its predictions."""
    features, told = list[np.ndarray](), {name: list[np.ndarray]() for name in model.tasks if _decides(model, name)}
    size = held_rows(model.network, CHUNK)
    for start in range(0, len(pool), size):
        part = pool.take(np.arange(start, min(start + size, len(pool))))
        examples = prepare(part, model.network, {}, model.recipe.text, keep_on_disk=False)
        found = predict_examples(model.network, examples, model.recipe.listed, tasks=model.tasks, features=True)
        features.append(np.asarray(found[ROW_FEATURES]))
        for name, parts in told.items():
            parts.append(np.asarray(model.tasks[name].in_units(found[name], model.temperature.get(name, 1.0))))
    none = np.zeros((len(pool), 0), np.float32)
    return np.concatenate(features), {
        name: np.concatenate(told[name]) if name in told else none for name in model.tasks
    }


def _decides(model: Saved, target: str) -> bool:
    """Whether the target has classes, with a probability each."""
    task = model.tasks[target]
    return task.answer in ("class", "classes") and task.holds_out != "classes" and isinstance(task, Calibrated)


def _of_classes(task: Task, told: np.ndarray) -> Iterator[np.ndarray]:
    """Probabilities with sum 1: of the classes, or of each label and its absence."""
    if not told.shape[1]:
        return
    if task.answer == "class":
        yield told
        return
    for label in range(told.shape[1]):
        yield np.stack([told[:, label], 1 - told[:, label]], axis=1)


def _reason(model: Saved, told: dict[str, np.ndarray], at: int) -> str:
    """What the model is undecided on, by the target where that is most so."""
    best, said = -1.0, "unlike the rows that are chosen before it"
    for name, task in model.tasks.items():
        for label, each in enumerate(_of_classes(task, told[name])):
            doubt = float(uncertainty([each[at : at + 1]])[0])
            if doubt > best:
                best, said = doubt, _doubt(task, each[at], label)
    return said


def _doubt(task: Task, probabilities: np.ndarray, label: int) -> str:
    if task.answer == "classes":
        return f"'{_cut(task.classes[label])}' or not ({100 * probabilities[0]:.0f} %)"
    second, first = np.argsort(probabilities, kind="stable")[-2:] if len(probabilities) > 1 else (0, 0)
    named = (f"'{_cut(task.classes[one])}' ({100 * probabilities[one]:.0f} %)" for one in (first, second))
    return " or ".join(named)


def _cut(label: str) -> str:
    return shortened_text(label, 40)

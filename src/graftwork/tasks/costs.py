"""What answers cost: a matrix of true classes and choices, the choices of least expected cost, and their mean cost."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graftwork.data.columns.number_text import is_missing_number
from graftwork.data.columns.numbers import NumberForm, find_form
from graftwork.data.columns.values import same_value
from graftwork.data.read.source import Source, read
from graftwork.errors import DataError, nearest
from graftwork.shown import counted, shortened_text
from graftwork.tasks.labels import shortened

ABSTAIN = "(abstain)"
"""The column of a cost table, and the choice, of no answer at all."""


@dataclass(frozen=True, eq=False)
class CostMatrix:
    """What each choice costs, by the class that is true; more is worse, and a gain is below 0.

    classes: in the order of the task's outputs. costs: (C, K), float64, row: the true class, column: the choice. K is
    C, or C + 1 where the last choice is to abstain. Raises ValueError for another shape or numbers that are not finite.
    """

    classes: tuple[str, ...]
    costs: np.ndarray

    def __post_init__(self) -> None:
        costs = np.asarray(self.costs, np.float64)
        count = len(self.classes)
        if count < 2 or len(set(self.classes)) < count or costs.shape not in ((count, count), (count, count + 1)):
            raise ValueError(f"costs of shape {costs.shape} for {count} classes")
        if not np.isfinite(costs).all():
            raise ValueError("costs that are not finite")
        costs.setflags(write=False)
        object.__setattr__(self, "costs", costs)

    @property
    def abstains(self) -> bool:
        """Whether there is the choice to give no answer."""
        return len(self.costs[0]) > len(self.classes)

    @property
    def choices(self) -> tuple[str, ...]:
        """Names of the choices (K,): the classes, and "(abstain)" where that is one."""
        return (*self.classes, ABSTAIN) if self.abstains else self.classes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CostMatrix) and self.state() == other.state()

    def __hash__(self) -> int:
        return hash((self.classes, self.costs.tobytes()))

    def state(self) -> dict[str, Any]:
        """As plain data; `of_state` is the inverse."""
        return {"classes": list(self.classes), "costs": self.costs.tolist()}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> CostMatrix:
        """Raises ValueError, TypeError or KeyError for what `state` can't have given."""
        if not isinstance(state["classes"], list) or not all(isinstance(name, str) for name in state["classes"]):
            raise ValueError("classes that are no list of names")
        return cls(tuple(state["classes"]), np.array(state["costs"], np.float64))


def bayes(probabilities: np.ndarray, costs: CostMatrix) -> np.ndarray:
    """The choice of least expected cost of each row (N,), int64, from calibrated probabilities (N, C); of choices that
    cost the same, the first (Elkan 2001). The index C is to abstain.

    >>> costs = CostMatrix(("ham", "spam"), np.array([[0.0, 9.0], [1.0, 0.0]]))
    >>> bayes(np.array([[0.2, 0.8], [0.05, 0.95]]), costs)
    array([0, 1])
    """
    return np.asarray((np.asarray(probabilities, np.float64) @ costs.costs).argmin(axis=1), np.int64)


def mean_cost(truth: np.ndarray, choices: np.ndarray, costs: CostMatrix) -> float:
    """The mean over rows of what the choices (N,) cost where these classes (N,) are true.

    >>> mean_cost(np.array([0, 1]), np.array([1, 1]), CostMatrix(("a", "b"), np.array([[0.0, 3.0], [1.0, 0.0]])))
    1.5
    """
    return float(costs.costs[truth, choices].mean())


def read_costs(source: Source, classes: Sequence[str], name: str | None = None) -> CostMatrix:
    """The matrix of a table (csv, tsv, a frame, …): the first column names the true class, then there is one column a
    class, and optionally one called "(abstain)". Rows and columns may come in any order.

    classes: of the model, in the order of its outputs. name: of the table in messages. Raises DataError for a file that
    is missing or no table, and for a class that is missing, unknown or there twice, an empty cell, and what is no
    finite number.
    """
    table, called = read(source, name=name)
    header = table.column_names
    if len(header) < 3:
        raise DataError(
            f"{called} has {counted(len(header), 'column')}. Expected the true class in the first, then a column for "
            f"each choice: {shortened(tuple(classes))}."
        )
    known = {same_value(name): at for at, name in enumerate(classes)}
    true, *columns = (table.column(name).to_pylist() for name in header)
    choices = _places(header[1:], {ABSTAIN: len(known), **known}, classes, f"{called}, its header", "column")
    rows = _places([_text(value) for value in true], known, classes, f"{called}, column '{header[0]}'", "row")
    form = _form(columns)
    made = np.zeros((len(known), len(choices)))
    for at, cells in zip(choices, columns, strict=True):
        for row, (place, cell) in enumerate(zip(rows, cells, strict=True), 1):
            where = f"{called}, row {row} ('{true[row - 1]}'), column '{header[1 + choices.index(at)]}'"
            made[place, at] = _number(cell, form, where)
    return CostMatrix(tuple(classes), made)


def _places(names: Sequence[str], known: Mapping[str, int], classes: Sequence[str], where: str, what: str) -> list[int]:
    """The index of what each row or column is of. Raises DataError unless there is one for each class."""
    found: list[int] = []
    for at, name in enumerate(names, 1):
        place = known.get(same_value(name))
        if place is None:
            here = f"{where}, row {at}" if what == "row" else where
            told = f"'{shortened_text(name)}' is no class of the model" if name.strip() else "there is no class"
            raise DataError(f"{here}: {told}. {nearest(name, classes)}")
        if place in found:
            raise DataError(f"{where}: there are two {what}s for '{shortened_text(name)}'. Keep one of them.")
        found.append(place)
    lacking = tuple(name for name in classes if known[same_value(name)] not in found)
    if lacking:
        raise DataError(
            f"{where}: there is no {what} for {shortened(lacking)}. Expected one for each of the "
            f"{counted(len(classes), 'class')}."
        )
    return found


def _form(columns: Sequence[Sequence[Any]]) -> NumberForm:
    """How all cells write numbers, which tells a decimal comma."""
    found = find_form(Counter(cell for cells in columns for cell in cells if isinstance(cell, str) and cell.strip()))
    return NumberForm() if found is None else found.form


def _number(cell: Any, form: NumberForm, where: str) -> float:
    text = _text(cell)
    if not text.strip() or is_missing_number(text):
        raise DataError(f"{where}: the cost is missing. Write a number in each cell; 0 where it costs nothing.")
    value = form.value(text) if isinstance(cell, str) else _float(cell)
    if value is None or not math.isfinite(value):
        why = form.why_not(text) if value is None else "is not finite"
        raise DataError(f"{where}: '{shortened_text(text)}' {why}. Write what the choice costs as a number.")
    return value


def _float(cell: Any) -> float | None:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    return "" if value is None else str(value)

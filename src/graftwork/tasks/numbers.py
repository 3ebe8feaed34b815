"""Targets that are one number a row: read, standardised, and the logarithm learned where a few are far larger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from graftwork.data.table import Kind
from graftwork.errors import DataError
from graftwork.shown import counted, shortened_text
from graftwork.tasks.labels import row_list
from graftwork.tasks.learned import with_learned
from graftwork.tasks.sampling import DrawsNumbers
from graftwork.tasks.task import Answer, ColumnTask, Task

FEWEST, SKEWED = 30, 2.0
"""Training targets from which their skewness is looked at, and the skewness from which the logarithm is learned."""
FARTHEST = 8.0
"""Standard deviations within which predicted logarithms stay: beyond, one row would outweigh all others."""


@dataclass(frozen=True, kw_only=True)
class NumberTask(DrawsNumbers, ColumnTask):
    """A task whose target is a number a row.

    Targets are (N,), float32, less the mean of the training rows and divided by their standard deviation; 0 where
    missing. Predictions (B, outputs) are given back in the units of the column.

    log: learn the logarithm of the target, so that errors count by their share: prices, durations. None does so where
    all training targets are above 0 and a few are far larger than the others. It is asinh(x / scale), a logarithm for
    what is larger than the smallest training target, and defined for 0 and below.
    """

    target_kinds: ClassVar[tuple[Kind, ...]] = ("number",)
    own_facts: ClassVar[frozenset[str]] = frozenset({"real_targets", "row_outputs"})
    answer: ClassVar[Answer] = "number"

    log: bool | None = None
    scale: float = field(default=0.0, init=False)
    """Of the logarithm; 0 where the target itself is learned."""
    mean: float = field(default=0.0, init=False)
    std: float = field(default=1.0, init=False)
    spread: float = field(default=0.1, init=False, compare=False)
    """Of answers that are drawn around a prediction."""

    def learn(self, column: pa.ChunkedArray, source: str, rows: np.ndarray | None = None) -> Self:
        values, present = _numbers(column, source, np.arange(1, len(column) + 1) if rows is None else rows)
        known = values[present]
        if len(known) < 2:
            raise DataError(f"{source}: the target has {counted(len(known), 'number')}. Expected at least two rows.")
        spread = float(known.std())
        if spread == 0.0:
            raise DataError(
                f"{source}: all {len(known):,} targets are {known[0]:g}, so there is nothing to learn. "
                "Is this the right target column?"
            )
        if self.log and known.min() <= 0:
            raise DataError(
                f"{source}: {self.name}:log=true needs targets above 0, and the smallest is {known.min():g}. "
                "Leave log out, or leave these rows out."
            )
        scale = _scale(known) if self.log or (self.log is None and is_skewed(known)) else 0.0
        learned = np.arcsinh(known / scale) if scale else known
        return with_learned(self, scale=scale, mean=float(learned.mean()), std=float(learned.std()))

    @property
    def reading(self) -> tuple[str, ...]:
        if not self.scale or self.log:
            return ()
        return (
            "target: a few numbers are far larger than the others, so the logarithm is learned, by which errors count "
            f"by their share; --task {self.name}:log=false learns the numbers themselves",
        )

    def encode(self, column: pa.ChunkedArray, source: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, present = _numbers(column, source, rows)
        standard = np.where(present, (self.on_scale(values) - self.mean) / self.std, 0.0)
        return standard.astype(np.float32), present

    def in_units(self, kept: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """The predictions (N, outputs) in the units of the column."""
        predictions = torch.from_numpy(kept).double()
        if not self.scale:
            return np.asarray(predictions * self.std + self.mean)
        return np.asarray(torch.sinh(predictions.clamp(-FARTHEST, FARTHEST) * self.std + self.mean) * self.scale)

    def truth(self, targets: np.ndarray) -> np.ndarray:
        return self.off_scale(targets.astype(np.float64) * self.std + self.mean)

    def on_scale(self, numbers: np.ndarray) -> np.ndarray:
        """The logarithm where that is learned; else the numbers themselves."""
        return np.asarray(np.arcsinh(numbers / self.scale)) if self.scale else numbers

    def off_scale(self, scaled: np.ndarray) -> np.ndarray:
        return np.asarray(np.sinh(scaled) * self.scale) if self.scale else scaled

    def means_the_same(self, other: Task) -> bool:
        return isinstance(other, NumberTask) and type(self) is type(other) and self.scale == other.scale

    def joined(self, others: Sequence[Task]) -> Self:
        """Numbers are standardised by the mean of the tasks' means and deviations."""
        states = [self.state(), *(other.state() for other in others)]
        learned = [key for key in ("mean", "std", "scale") if key in states[0]]
        return with_learned(self, **{key: float(np.mean([state[key] for state in states])) for key in learned})

    def in_units_of(self, other: Task) -> tuple[float, float]:
        if not isinstance(other, NumberTask) or self.state() == other.state():
            return 1.0, 0.0
        return self.std / other.std, (self.mean - other.mean) / other.std

    def wrongness(self, truth: np.ndarray, kept: np.ndarray) -> np.ndarray | None:
        off = np.abs(self.predicted(kept) - truth)
        return np.where(off > 0, off, -1.0)

    def state(self) -> dict[str, Any]:
        return {"mean": self.mean, "std": self.std} | ({"scale": self.scale} if self.scale else {})

    def with_state(self, state: dict[str, Any]) -> Self:
        learned = {name: float(state[name]) for name in ("mean", "std", "scale") if name in state}
        return with_learned(self, **learned)


def is_skewed(values: np.ndarray) -> bool:
    """Whether a few of these numbers, all above 0, are far larger than the others, and their logarithms are not."""
    if len(values) < FEWEST or values.min() <= 0:
        return False
    plain, logged = _skewness(values), _skewness(np.log(values))
    return plain > SKEWED and abs(logged) < plain / 2


def _skewness(values: np.ndarray) -> float:
    centred = values - values.mean()
    spread = float(np.sqrt(np.mean(centred**2)))
    return float(np.mean((centred / spread) ** 3)) if spread > 0 else 0.0


def _scale(values: np.ndarray) -> float:
    """Half of the smallest number, or a little less: a power of 2, so that like tables have the same."""
    return float(2.0 ** np.floor(np.log2(values.min() / 2)))


def _numbers(column: pa.ChunkedArray, source: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (N,), float64, 0 where missing, and the mask of those present. Raises DataError for what is no number."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_nested(column.type) or pa.types.is_temporal(column.type):
        raise DataError(f"{source}: the target holds {column.type}. Expected one number a row.")
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = _parsed(column.cast(pa.string()), source, rows)
    present: np.ndarray = np.asarray(column.is_valid())
    values = np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), 0.0))
    strange = ~np.isfinite(values)
    if strange.any():
        raise DataError(
            f"{source}: the target is NaN or infinite in {row_list(rows[strange].tolist())}. Expected finite numbers. "
            "Leave a cell empty where the target is not known, or drop these rows."
        )
    return values, present


def _parsed(column: pa.ChunkedArray, source: str, rows: np.ndarray) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(column)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    try:
        return text.cast(pa.float64())
    except pa.ArrowInvalid:
        pass
    bad = [at for at, value in enumerate(text.to_pylist()) if value is not None and not _is_number(value)]
    first = shortened_text(str(text[bad[0]].as_py()))
    raise DataError(
        f"{source}: the target is no number in {row_list(rows[bad].tolist())}; row {rows[bad[0]]} holds '{first}'. "
        "Expected plain numbers such as 12.5, without units or thousands separators. "
        "Clean the column, or use --task classification if these are names."
    )


def _is_number(value: str) -> bool:
    try:
        pa.array([value]).cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True

"""Trials as a table: `trials.parquet`, a row a trial, for those who want to look for themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.data.store.writing import replacing
from graftwork.evidence.tune.trials import Trial

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET = "trials.parquet"


def write_table(path: Path, trials: Sequence[Trial], *, kept: int | None = None, front: Sequence[int] = ()) -> None:
    """Write `trials_table`, whole or not at all. Raises OSError where the disk refuses it."""
    import pyarrow.parquet

    with replacing(path) as temporary:
        pyarrow.parquet.write_table(trials_table(trials, kept=kept, front=front), temporary)


def trials_table(trials: Sequence[Trial], *, kept: int | None = None, front: Sequence[int] = ()) -> pa.Table:
    """A row a trial, in the order of their numbers.

    number, name, origin, state, kept, on_front, base, techniques (list), score (more is better), rungs (list of step
    and score), steps, seconds (CPU), at (seconds from the start), latency (seconds a row), size (bytes), parameters,
    rows (that it was trained on, where these were counted by time), failed; params, members and recipe as JSON. What is
    not known is null. kept: the number of the chosen one. front: the numbers of those on the Pareto front.
    """
    import pyarrow as pa

    rung = pa.struct([("step", pa.int64()), ("score", pa.float64())])
    columns: dict[str, tuple[pa.DataType, Callable[[Trial], Any]]] = {
        "number": (pa.int64(), lambda one: one.number),
        "name": (pa.string(), lambda one: _written(one.name)),
        "origin": (pa.string(), lambda one: one.origin),
        "state": (pa.string(), lambda one: one.state),
        "kept": (pa.bool_(), lambda one: one.number == kept),
        "on_front": (pa.bool_(), lambda one: one.number in front),
        "base": (pa.string(), lambda one: _written(one.base) or None),
        "techniques": (pa.list_(pa.string()), lambda one: [_written(each) for each in one.techniques]),
        "score": (pa.float64(), lambda one: one.score),
        "rungs": (pa.list_(rung), lambda one: [{"step": step, "score": score} for step, score in one.rungs]),
        "steps": (pa.int64(), lambda one: one.steps),
        "seconds": (pa.float64(), lambda one: one.seconds),
        "at": (pa.float64(), lambda one: one.at),
        "latency": (pa.float64(), lambda one: one.latency or None),
        "size": (pa.int64(), lambda one: one.size or None),
        "parameters": (pa.int64(), lambda one: one.parameters or None),
        "rows": (pa.int64(), lambda one: one.rows),
        "failed": (pa.string(), lambda one: _written(one.failed) or None),
        "params": (pa.string(), lambda one: _json(one.params)),
        "members": (pa.string(), lambda one: _json({str(number): share for number, share in one.members.items()})),
        "recipe": (pa.string(), lambda one: _json(one.recipe)),
    }
    rows = sorted(trials, key=lambda one: one.number)
    arrays = [pa.array([of(one) for one in rows], kind) for kind, of in columns.values()]
    return pa.table(arrays, names=list(columns))


def _json(data: Any) -> str:
    return _written(json.dumps(data, ensure_ascii=False, default=str))


def _written(text: str) -> str:
    """Halves of pairs, which UTF-8 can't write, as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")

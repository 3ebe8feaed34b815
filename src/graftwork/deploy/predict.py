"""Predict a file into a file, chunk by chunk: one output row per input row, in order, original columns kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from graftwork.data.cache import storing
from graftwork.data.load import load_like
from graftwork.data.table import Table
from graftwork.errors import UsageError
from graftwork.model import Model, Predicted, load

PREDICTION, REASON = "prediction", "reason"


def predict_file(model_folder: Path, source: Path, out: Path, *, proba: bool = False) -> tuple[int, int]:
    """Write `out` (csv, tsv, jsonl or parquet, by its ending) and return the rows and the unreadable ones.

    Added columns: prediction, reason (why a prediction is empty), and with `proba` one `p(class)` a class. Where the
    table has a column of that name already, the added one gets an underscore behind it.
    """
    kind = out.name.lower().rsplit(".", 1)[-1]
    if kind not in WRITERS:
        raise UsageError(f"--out {out}: can't write '.{kind}'. Expected one of: .{', .'.join(WRITERS)}.")
    model = load(model_folder)
    loaded = load_like(source, model.schema, with_target=False, on_bad_rows="keep")
    partial = out.with_name(f".{out.name}.partial")
    with storing(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        writer: Any = None
        for predicted, chunk in model.predict_chunks(loaded.table, loaded.bad):
            table = _with_predictions(model, chunk, predicted, proba)
            writer = writer or WRITERS[kind](partial, table.schema)
            writer.write_table(table)
        if writer is None:
            empty = _with_predictions(model, loaded.table, Predicted([], np.zeros((0, model.task.outputs)), []), proba)
            writer = WRITERS[kind](partial, empty.schema)
        writer.close()
        partial.replace(out)
    return len(loaded.table), len({row.row for row in loaded.bad})


def _with_predictions(model: Model, chunk: Table, predicted: Predicted, proba: bool) -> pa.Table:
    reasons = {row.row: f"{row.column}: {row.reason}" for row in predicted.bad}
    table = chunk.data
    added: dict[str, pa.Array] = {
        PREDICTION: pa.array(
            predicted.values, type=None if any(v is not None for v in predicted.values) else pa.string()
        ),
        REASON: pa.array([reasons.get(row) for row in chunk.rows.tolist()], pa.string()),
    }
    if proba:
        for index, name in enumerate(model.columns):
            added[f"p({name})"] = pa.array(
                predicted.probabilities[:, index], mask=np.isnan(predicted.probabilities[:, index])
            )
    for name, values in added.items():
        while name in table.column_names:
            name = f"{name}_"
        table = table.append_column(name, values)
    return table


class _JsonLines:
    """json lines through the standard library; pyarrow reads them but does not write them."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        del schema
        self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115

    def write_table(self, table: pa.Table) -> None:
        import json

        for row in table.to_pylist():
            self._file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")

    def close(self) -> None:
        self._file.close()


def _csv(path: Path, schema: pa.Schema) -> Any:
    import pyarrow.csv

    return pyarrow.csv.CSVWriter(path, schema)


def _tsv(path: Path, schema: pa.Schema) -> Any:
    import pyarrow.csv

    return pyarrow.csv.CSVWriter(path, schema, write_options=pyarrow.csv.WriteOptions(delimiter="\t"))


def _parquet(path: Path, schema: pa.Schema) -> Any:
    import pyarrow.parquet

    return pyarrow.parquet.ParquetWriter(path, schema)


WRITERS: dict[str, Callable[[Path, pa.Schema], Any]] = {
    "csv": _csv,
    "tsv": _tsv,
    "jsonl": _JsonLines,
    "parquet": _parquet,
}

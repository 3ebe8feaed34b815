"""Predict a file into a file, chunk by chunk: one output row per input row, in order, original columns kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from graftwork.data.columns.convert import with_columns
from graftwork.data.load import Loaded, load_like
from graftwork.data.store.cache import storing
from graftwork.data.store.locks import claimed
from graftwork.data.table import Table
from graftwork.deploy.computed_by import ALONE, ComputedBy
from graftwork.deploy.predicted_columns import with_predictions
from graftwork.deploy.spreadsheets import without_formulas
from graftwork.deploy.strange import NOT_ASKED, Strange
from graftwork.deploy.sure import Asked
from graftwork.deploy.table_writers import PARTS, WRITERS, is_parts, replaced
from graftwork.deploy.transformers.held_files import held_files, without_files
from graftwork.devices import asked as asked_device
from graftwork.errors import UsageError
from graftwork.networks.manifest import read_manifest_of, schema_of
from graftwork.progress import SILENT, Screen

if TYPE_CHECKING:
    from graftwork.core.judging.decided import Costs
    from graftwork.core.judging.predicted import Predicted
    from graftwork.core.scoring import Watch
    from graftwork.core.technique import Technique
    from graftwork.evidence.sure.promises import Promises
    from graftwork.model import Model
    from graftwork.predicting import Kept
    from graftwork.predicting_parts.workers import Crew
    from graftwork.tasks.costs import CostMatrix


def predict_file(
    model_folder: Path,
    source: Path,
    out: Path,
    *,
    proba: bool = False,
    spreadsheet_safe: bool = False,
    techniques: Sequence[Technique | str] = (),
    strange: Strange = NOT_ASKED,
    asked: Asked | None = None,
    costs: Costs | None = None,
    parts: bool = False,
    by: ComputedBy = ALONE,
    on: Screen = SILENT,
) -> tuple[int, int]:
    """Write `out` (csv, tsv, jsonl or parquet, by its ending) and return the rows and the unreadable ones.

    What columns are added says `with_predictions`. In csv and tsv, which have no lists, a list is written as json.
    Columns that hold files as bytes are kept in parquet alone, which is said.
    techniques: what is done at prediction (`Model.predicting_with`). strange: what is done of unusual rows.
    spreadsheet_safe: of csv and tsv, texts that begin like a formula get an apostrophe in front.
    asked: what is to be promised of the predictions. costs: what answers cost; predicted is what is expected to cost
    least. parts: `out` is a folder of parquet files instead, one for each chunk of rows, in order.
    by: who computes; the file is the same. What several have done is kept beside `out` (`parts_folder`) where they are
    stopped, and the same call goes on with it. on: shows how far it is.
    Raises UsageError for another ending, for an `out` that is the table itself, and while another process writes it;
    `out` appears whole or not at all. What can be wrong with the table or with `out` is found before the model is
    loaded, which takes seconds.
    """
    kind = check_parts(out) if parts else check_out(out, source)
    if spreadsheet_safe and kind not in ("csv", "tsv"):
        raise UsageError(f"--spreadsheet-safe is for csv and tsv, and --out is {out}. Leave it out.")
    asked = asked or Asked()
    asked.check(bool(techniques))
    if costs is not None and asked.abstain is not None:
        raise UsageError(
            "--abstain promises how often plain answers are wrong, and --costs gives others. Leave one out; a column "
            "(abstain) in the table of costs says what it costs to give no answer."
        )
    schema = schema_of(read_manifest_of(model_folder))
    changed = _changes(kind, spreadsheet_safe)
    with claimed(out), by.hired(out, on) as crew:
        if crew is not None and not techniques:
            crew.load(model_folder, asked_device())
        on.doing(f"reading {source}")
        loaded = load_like(source, schema, with_target=False, on_bad_rows="keep")
        for note in loaded.notes:
            on.note(note)
        files = [] if kind in ("parquet", PARTS) else held_files(loaded.table.data.schema)
        if files:
            on.note(f"left out of {out}: {', '.join(files)} (files as bytes, which .{kind} can't hold; .parquet does)")
        on.doing("loading the model")
        from graftwork.core.judging.decided import costs_of

        model, watch = _loaded(model_folder, techniques, proba, crew is None), on.counting("predicting", "rows")
        strange.check(model)
        promised, priced = asked.of(model), costs_of(model.tasks, costs)
        kept = None if crew is None else _by_crew(crew, model, model_folder, techniques, loaded, strange)
        with storing(out.parent), replaced(out, kind) as temporary:
            _write(model, loaded, temporary, WRITERS[kind], proba, strange, changed, watch, promised, priced, kept)
    return len(loaded.table), len({row.row for row in loaded.bad})


def check_out(out: Path, *sources: Path, kinds: Collection[str] = ("csv", "tsv", "jsonl", "parquet")) -> str:
    """The kind of file to write, one of `kinds`. Raises UsageError where it can't be, or would overwrite its source."""
    kind = out.name.lower().rsplit(".", 1)[-1]
    if kind not in kinds:
        ending = f"can't write '.{kind}'" if "." in out.name else "it has no ending that says what to write"
        raise UsageError(f"--out {out}: {ending}. Expected one of: .{', .'.join(kinds)}.")
    if out.is_dir():
        raise UsageError(f"--out {out} is a folder. Name a file in it.")
    if out.exists() and any(source.exists() and out.samefile(source) for source in map(Path, sources)):
        raise UsageError(f"--out {out} is the table itself, which would be overwritten. Name another file.")
    there = next((folder for folder in out.absolute().parents if folder.exists()), out.parent)
    if not there.is_dir() or not os.access(there, os.W_OK):
        why = "is a file" if not there.is_dir() else "can't be written to"
        raise UsageError(f"--out {out}: {there} {why}. Name a file in another folder.")
    return kind


def check_parts(out: Path) -> str:
    """`check_out` for a folder of parts. Raises UsageError where something else lies."""
    if os.path.lexists(out) and not is_parts(out):
        raise UsageError(f"--out {out} holds something else than parts of a prediction. Name another folder.")
    check_out(out.with_name(f"{out.name}.parquet"))
    return PARTS


def write_table(table: pa.Table, out: Path) -> None:
    """Write a whole table into a file that `check_out` allows; it appears whole or not at all."""
    with claimed(out):
        kind = check_out(out)
        with storing(out.parent), replaced(out, kind) as temporary:
            table = _changes(kind, False)(table)
            writer = WRITERS[kind](temporary, table.schema)
            writer.write_table(table)
            writer.close()


def _loaded(folder: Path, techniques: Sequence[Technique | str], proba: bool, computes: bool) -> Model:
    from graftwork.core.judging.predicted import check_probabilities
    from graftwork.model import load

    model = load(folder).predicting_with(*techniques)
    if proba:
        check_probabilities(model.tasks)
    return model.on() if computes else model


def _by_crew(
    crew: Crew,
    model: Model,
    folder: Path,
    techniques: Sequence[Technique | str],
    loaded: Loaded,
    strange: Strange,
) -> Iterator[Kept | None]:
    from graftwork.predicting import reads_features

    features = reads_features(model, strange.unusual, strange.other)
    added = [repr(each) for each in model.lead.recipe.listed] if techniques else []
    return crew.kept(model, folder, loaded.table, loaded.bad, features, added, asked_device())


def _changes(kind: str, spreadsheet_safe: bool) -> Callable[[pa.Table], pa.Table]:
    """What is done to a table before it is written as such a file."""
    if kind in ("parquet", PARTS):
        return lambda table: table
    return (lambda table: without_formulas(without_files(table))) if spreadsheet_safe else without_files


def _write(
    model: Model,
    loaded: Loaded,
    path: Path,
    make: Callable[[Path, pa.Schema], Any],
    proba: bool,
    strange: Strange,
    changed: Callable[[pa.Table], pa.Table],
    watch: Watch,
    promised: Promises | None,
    costs: Mapping[str, CostMatrix],
    kept: Iterator[Kept | None] | None,
) -> None:
    from graftwork.predicting import nothing, predict_chunks

    def columns(chunk: Table, predicted: Predicted) -> pa.Table:
        made = with_predictions(model, chunk, predicted, proba, promised, costs)
        return changed(strange.with_unusual(made, predicted))

    writer: Any = None
    unusual, other = strange.unusual, strange.other
    chunks = predict_chunks(model, loaded.table, loaded.bad, watch, unusual=unusual, other=other, kept=kept)
    for predicted, chunk in chunks:
        rows = pa.array(chunk.rows - 1)
        written = {name: column.take(rows) for name, column in loaded.written.items()}
        chunk = replace(chunk, data=with_columns(chunk.data, written))
        table = columns(chunk, predicted)
        writer = writer or make(path, table.schema)
        writer.write_table(table)
    if writer is None:
        table = replace(loaded.table, data=with_columns(loaded.table.data, loaded.written))
        writer = make(path, columns(table, nothing(model, strange.unusual)).schema)
    writer.close()

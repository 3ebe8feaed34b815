"""Excel workbooks (.xlsx): one sheet as a table of texts, read like csv, with limits for what it unpacks to."""

from __future__ import annotations

import datetime
import importlib.util
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from graftwork.data.notes import noted
from graftwork.data.read.csv_checks import check_footer, check_header
from graftwork.data.store.spool import spool
from graftwork.data.table import refuse_repeated
from graftwork.errors import DataError, nearest

MAX_UNPACKED = 2 << 30
"""Bytes that a workbook unpacks to, at most."""
BATCH_ROWS = 4096
_ZEROS = re.compile(r"0{2,}")
_NO_VALUE = re.compile(rb"</f>(<v\s*/>|<v></v>)?</c>|<f[^>]*/></c>")
_BLOCK = 1 << 20


def split_sheet(path: Path) -> tuple[Path, str | None]:
    """A workbook and the sheet that is named behind it: `sales.xlsx#March`."""
    found = re.fullmatch(r"(.+\.xls[xm])#(.+)", path.name, re.IGNORECASE)
    if found is None or path.exists():
        return path, None
    return path.with_name(found[1]), found[2]


def read_excel(path: Path, name: str, sheet: str | None = None) -> pa.Table:
    """A sheet of a workbook, the first visible one unless it is named, as a table of text columns.

    The first row that is not empty holds the column names; empty rows are passed over. A cell is what it holds, not
    how it is shown, but for zeros in front of a number (`00042`). Raises DataError for a damaged workbook, one that
    unpacks to more than 2 GiB, formulas that were never computed, doubled names, and for what csv is refused for too.
    """
    if importlib.util.find_spec("openpyxl") is None:
        raise DataError(
            f"{name}: reading Excel workbooks needs openpyxl. Install it: pip install 'graftwork[excel]'; or save the "
            "sheet as 'CSV UTF-8'."
        )
    import openpyxl

    _check_size(path, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on styles and validations that are not looked at
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            try:
                chosen, said = _sheet(book, sheet, name)
                header, rows = _header(_rows(chosen), name)
                schema = pa.schema([(column, pa.string()) for column in header])
                table = spool(_batches(rows, schema, name), schema)
            finally:
                book.close()
    except DataError:
        raise
    except Exception as error:  # openpyxl raises whatever the damage leads to
        what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise DataError(f"{name} is not a sound Excel workbook ({what}). Save it again, or as 'CSV UTF-8'.") from error
    if not len(table):
        raise DataError(f"{name} holds a header ({', '.join(header)}) but no rows. Expected at least one row.")
    empty = [column for column in header if column.startswith("Unnamed: ") and not _has_value(table, column)]
    table = table.drop_columns(empty)
    check_header(table, name)
    check_footer(table, name, len(table) + 1)
    return noted(table, said)


def _check_size(path: Path, name: str) -> None:
    """Raise DataError for a workbook that is no zip, unpacks to too much, or has formulas without values."""
    try:
        with zipfile.ZipFile(path) as packed:
            entries = packed.infolist()
            if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise DataError(
                    f"{name} unpacks to more than {MAX_UNPACKED >> 20:,} MiB. Save the sheet as 'CSV UTF-8', which is "
                    "read in a stream."
                )
            for entry in entries:
                if entry.filename.startswith("xl/worksheets/") and _lacks_values(packed, entry):
                    raise DataError(
                        f"{name}: cells of {Path(entry.filename).stem} hold formulas that were never computed, so they "
                        "have no value. Open it in a spreadsheet, save it, and read it again."
                    )
    except zipfile.BadZipFile as error:
        with open(path, "rb") as file:
            old = file.read(4) == b"\xd0\xcf\x11\xe0"
        what = "an old Excel workbook (.xls), or one with a password" if old else "not a sound Excel workbook"
        raise DataError(f"{name} is {what}. Save the sheet as 'CSV UTF-8' or as .xlsx without a password.") from error


def _lacks_values(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    before = b""
    with packed.open(entry) as file:
        while block := file.read(_BLOCK):
            if b"<!DOCTYPE" in block or b"<!ENTITY" in block:
                raise DataError(f"{entry.filename} of the workbook declares entities, which no spreadsheet writes.")
            if _NO_VALUE.search(before + block):
                return True
            before = block[-40:]
    return False


def _sheet(book: Any, named: str | None, name: str) -> tuple[Any, list[str]]:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    visible = [title for title, sheet in sheets.items() if sheet.sheet_state == "visible"] or list(sheets)
    if named is not None:
        if named not in sheets:
            raise DataError(f"{name} has no sheet '{named}'. {nearest(named, list(sheets))}")
        return sheets[named], []
    if not visible:
        raise DataError(f"{name} has no sheet with cells.")
    others = [title for title in sheets if title != visible[0]]
    said = f"{name}: read the sheet '{visible[0]}'; others: {', '.join(others[:10])} ({Path(name).name}#SHEET)"
    return sheets[visible[0]], [said] if others else []


def _rows(sheet: Any) -> Iterator[list[str | None]]:
    """The rows of a sheet that hold something."""
    sheet.reset_dimensions()  # what the file says of its size may be wrong
    for row in sheet.iter_rows():
        cells = [_text(cell) for cell in row]
        if any(cells):
            yield cells


def _text(cell: Any) -> str | None:
    value = cell.value
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        zeros = _ZEROS.fullmatch(str(cell.number_format))
        return f"{value:0{len(zeros[0])}d}" if zeros else str(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    return str(value)


def _header(rows: Iterator[list[str | None]], name: str) -> tuple[list[str], Iterator[list[str | None]]]:
    first = next(rows, None)
    if first is None:
        raise DataError(f"{name} is empty. Expected a row with the column names, and at least one row below it.")
    names = [(cell or "").strip() or f"Unnamed: {index}" for index, cell in enumerate(first)]
    refuse_repeated(names, name)
    return names, rows


def _batches(rows: Iterator[Sequence[str | None]], schema: pa.Schema, name: str) -> Iterator[pa.RecordBatch]:
    held, width = list[Sequence[str | None]](), len(schema)
    for row in rows:
        if any(row[width:]):
            raise DataError(
                f"{name}: a row has {len(row)} cells, but the row with the column names has {width}: "
                f"{', '.join(schema.names)[:80]}. If that is a title above the table, delete it; else name each column."
            )
        held.append([*row[:width], *[None] * (width - len(row))])
        if len(held) == BATCH_ROWS:
            yield _batch(held, schema)
            held = []
    if held:
        yield _batch(held, schema)


def _batch(rows: list[Sequence[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.record_batch([pa.array(values, pa.string()) for values in zip(*rows, strict=True)], schema=schema)


def _has_value(table: pa.Table, name: str) -> bool:
    return bool(table.column(name).null_count < len(table))

"""csv and tsv files, read strictly: a broken quote or a missing field is an error with its line, never a wrong row.

Every field is text here; what is a number is decided by the schema. An empty field is missing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.files import open_text
from graftwork.data.spool import spool
from graftwork.errors import DataError

MAX_FIELD = 32_000_000
"""Characters in one field; a quote that is never closed would otherwise swallow the rest of the file."""
BATCH_ROWS = 4096
_DELIMITERS = (",", "\t", ";", "|")
_NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}


def read_delimited(path: Path, name: str, delimiter: str) -> pa.Table:
    """A table of text columns from `path`, in UTF-8, with a header.

    `delimiter` is what the extension promises; another one (`;` of European spreadsheets, tab, `|`) is recognised by
    the header. A tsv file whose quotes don't pair is read with quotes as plain characters, as such files are written.
    Raises DataError (with the line) for wrong field counts, broken quoting, NUL bytes, doubled column names, no rows.
    """
    try:
        return _read(path, _Dialect(name, delimiter))
    except QuotingError:
        if delimiter != "\t":
            raise
        try:
            return _read(path, _Dialect(name, delimiter, quoting=csv.QUOTE_NONE))
        except DataError:
            pass
        raise


class QuotingError(DataError):
    """The quotes of a csv file don't pair."""


@dataclass
class _Dialect:
    """How the file is written, and what it is called in messages."""

    name: str
    delimiter: str
    quoting: int = csv.QUOTE_MINIMAL

    def reader(self, file: TextIO) -> csv._reader:  # type: ignore[name-defined, unused-ignore]
        return csv.reader(file, delimiter=self.delimiter, quoting=self.quoting, strict=True)  # type: ignore[arg-type]


def _read(path: Path, dialect: _Dialect) -> pa.Table:
    with open_text(path) as file, _long_fields():
        dialect.delimiter = _delimiter(file.readline(MAX_FIELD), dialect.delimiter)
        file.seek(0)
        lines = _Lines(file, dialect)
        header = _header(next(lines.records(), []), dialect.name)
        schema = pa.schema([(column, pa.string()) for column in header])
        table = spool(_batches(lines, schema, dialect), schema)
    if not len(table):
        raise DataError(f"{dialect.name} holds a header ({', '.join(header)}) but no rows. Expected at least one row.")
    return table


@dataclass
class _Lines:
    """Records of the file, and the line on which the last one began."""

    file: TextIO
    dialect: _Dialect
    began: int = 1
    wrong: list[tuple[int, int]] = field(default_factory=list)
    """Line and number of fields of the records with the wrong number of fields."""

    def __post_init__(self) -> None:
        self._reader = self.dialect.reader(self.file)

    def records(self) -> Iterator[list[str]]:
        """Each record; lines without any character are skipped, as they are in every csv reader."""
        while True:
            self.began = self._reader.line_num + 1
            try:
                record = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self._broken(str(error)) from error
            if record:
                yield record

    def _broken(self, reason: str) -> DataError:
        where = f"{self.dialect.name}, line {self.began}"
        if "field larger" in reason:
            what = f"a field is longer than {MAX_FIELD:,} characters: its opening quote is probably never closed."
        elif "unexpected end" in reason:
            what = "a quote that opens here is never closed."
        else:
            until = self._reader.line_num
            lines = f" (the text goes on to line {until})" if until > self.began else ""
            what = f"a quote closes in the middle of a text{lines}."
        return QuotingError(f'{where}: {what} Inside a quoted text write a quote twice: "She said ""yes""."')


def _batches(lines: _Lines, schema: pa.Schema, dialect: _Dialect) -> Iterator[pa.RecordBatch]:
    width, row = len(schema), 0
    held: list[Sequence[str]] = []
    for record in lines.records():
        if len(record) != width:
            # spreadsheets pad rows with empty fields
            if len(record) < width or any(record[width:]):
                lines.wrong.append((lines.began, len(record)))
                continue
            record = record[:width]
        if not lines.wrong:
            held.append(record)
        if len(held) == BATCH_ROWS:
            yield _batch(held, schema, row, dialect.name)
            row, held = row + len(held), []
    if lines.wrong:
        raise _wrong_width(lines, schema.names)
    if held:
        yield _batch(held, schema, row, dialect.name)


def _batch(records: list[Sequence[str]], schema: pa.Schema, row: int, name: str) -> pa.RecordBatch:
    columns = []
    for column, values in zip(schema.names, zip(*records, strict=True), strict=True):
        array = pa.array(values, pa.string())
        nul = pc.index(pc.match_substring(array, "\0"), True).as_py()
        if nul >= 0:
            raise DataError(
                f"{name}, row {row + nul + 1}, column '{column}': a NUL byte, so the file is damaged or not text. "
                r"Remove them: tr -d '\000' < old > new"
            )
        columns.append(pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array))
    return pa.record_batch(columns, schema=schema)


def _wrong_width(lines: _Lines, header: list[str]) -> DataError:
    (line, fields), more = lines.wrong[0], len(lines.wrong) - 1
    sign = _NAMES[lines.dialect.delimiter]
    if fields > len(header):
        why = f'A text that holds a {sign} must stand in quotes, directly behind the {sign}: "one, two".'
    else:
        why = "A field is missing, or a text with a line break does not stand in quotes."
    others = (
        f" {more} more such line{'s' if more > 1 else ''}: {_listed([at for at, _ in lines.wrong[1:]])}."
        if more
        else ""
    )
    expected = f"the header has {len(header)} ({', '.join(header[:10])})"
    return DataError(
        f"{lines.dialect.name}, line {line}: {fields} field{'s' if fields > 1 else ''}, but {expected}. {why}{others}"
    )


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:10])) + (", …" if len(numbers) > 10 else "")


def _header(record: list[str], source: str) -> list[str]:
    if not any(cell.strip() for cell in record):
        raise DataError(f"{source} is empty. Expected a header line with the column names, and at least one row.")
    names = [cell.strip() or f"Unnamed: {index}" for index, cell in enumerate(record)]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DataError(
            f"{source} has more than one column named {', '.join(map(repr, doubled))} (header: {', '.join(names)}). "
            "Rename one of them."
        )
    return names


def _delimiter(line: str, promised: str) -> str:
    """The promised delimiter, unless the header has none of it and has another one."""
    for candidate in (promised, *_DELIMITERS):
        if candidate in line:
            return candidate
    return promised


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module's limit (131,072 characters) is one setting for the whole process: put it back."""
    before = csv.field_size_limit(MAX_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)

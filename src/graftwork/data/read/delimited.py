"""csv and tsv files, read strictly: a broken quote or a missing field is an error with its line, never a wrong row.

Every field is text here; what is a number is decided by the schema. An empty field is missing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.notes import noted
from graftwork.data.read.csv_checks import check_footer, check_header, headless_hint, repeated, wrong_width
from graftwork.data.read.csv_dialect import Dialect, find_dialect
from graftwork.data.read.decoding import open_text
from graftwork.data.store.spool import spool
from graftwork.data.table import repeated_names
from graftwork.errors import DataError

MAX_FIELD = 32_000_000
"""Characters in one field, and in one line; a quote that is never closed would otherwise swallow the rest of the file,
and a packed file of gigabytes without a line end all memory."""
BATCH_ROWS = 4096
_START = 1 << 18
"""Characters by which the dialect is judged."""


def read_delimited(path: Path, name: str, delimiter: str, encoding: str | None = None) -> pa.Table:
    """A table of text columns from `path`, with a header; in UTF-8 unless `encoding` says otherwise.

    `delimiter` is what the extension promises; another one, and other quotes, are recognised by the first lines
    (`find_dialect`) and said. A tsv file whose quotes don't pair is read with quotes as plain characters, as such files
    are written. Lines that repeat the header are left out and said.
    Raises DataError (with the line) for wrong field counts, broken quoting, NUL bytes, doubled column names, no rows,
    no header line, a footer.
    """
    with open_text(path, encoding) as file:
        start = file.read(_START)
    whole = len(start) < _START
    dialect = find_dialect(start if whole else start[: start.rfind("\n") + 1] or start, delimiter, whole=whole)
    try:
        return _read(path, name, dialect, encoding)
    except QuotingError as error:
        others = [replace(dialect, backslash=True, said=(*dialect.said, 'a quote inside quotes is written \\"'))]
        if dialect.delimiter == delimiter == "\t":
            others = [replace(dialect, quoting=csv.QUOTE_NONE)]
        elif dialect.backslash or "longer than" in str(error):  # hopeless, and long to try
            others = []
        for other in others:
            try:
                return _read(path, name, other, encoding)
            except DataError:
                pass
        raise


class QuotingError(DataError):
    """The quotes of a csv file don't pair."""


def _read(path: Path, name: str, dialect: Dialect, encoding: str | None) -> pa.Table:
    found = _Found()
    with open_text(path, encoding) as file, _long_fields():
        lines = _Lines(file, name, dialect)
        header = _header(next(lines.records(), []), name)
        schema = pa.schema([(column, pa.string()) for column in header.names])
        table = spool(_batches(lines, schema, header, found), schema)
    if not len(table):
        raise DataError(f"{name} holds a header ({', '.join(header.names)}) but no rows. Expected at least one row.")
    empty = [column for column in header.names[header.least :] if table.column(column).null_count == len(table)]
    table = table.drop_columns(empty)
    check_header(table, name)
    check_footer(table, name, found.last)
    said = [*dialect.said, *([repeated(found.repeats)] if found.repeats else [])]
    return noted(table, [f"{name}: {'; '.join(said)}"] if said else [])


@dataclass(frozen=True)
class _Header:
    """record: as it stands in the file. least: fields that a row must have; those behind it have no name."""

    names: list[str]
    record: list[str]
    least: int


class _Lines:
    """Records of the file; `began` is the line on which the last one began."""

    def __init__(self, file: TextIO, name: str, dialect: Dialect) -> None:
        self.file, self.name, self.dialect = file, name, dialect
        self.began = self._taken = 0
        self._fresh = True
        self._reader = dialect.records(self._kept())

    def _kept(self) -> Iterator[str]:
        """Lines, but for those above the header and comments; `_taken` counts all of them."""
        while line := self.file.readline(MAX_FIELD):
            self._taken += 1
            if len(line) == MAX_FIELD and line[-1] not in "\r\n":
                raise QuotingError(
                    f"{self.name}, line {self._taken}: longer than {MAX_FIELD:,} characters. Expected one row a line: "
                    "the file is damaged, or is no csv."
                )
            comment = self.dialect.comments and line.startswith("#")
            if self._taken > self.dialect.above and not comment:
                if self._fresh:
                    self.began, self._fresh = self._taken, False
                yield line

    def records(self) -> Iterator[list[str]]:
        """Each record; lines without any character are skipped, as they are in every csv reader."""
        while True:
            self._fresh = True
            try:
                record = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self._broken(str(error)) from error
            if record:
                yield record

    def _broken(self, reason: str) -> DataError:
        where = f"{self.name}, line {self.began}"
        if "field larger" in reason:
            what = f"a field is longer than {MAX_FIELD:,} characters: its opening quote is probably never closed."
        elif "unexpected end" in reason:
            what = "a quote that opens here is never closed."
        else:
            lines = f" (the text goes on to line {self._taken})" if self._taken > self.began else ""
            what = f"a quote closes in the middle of a text{lines}."
        return QuotingError(f'{where}: {what} Inside a quoted text write a quote twice: "She said ""yes""."')


@dataclass
class _Found:
    """What is not a row: lines and numbers of fields of wrong records, lines that repeat the header; the last line."""

    wrong: list[tuple[int, int]] = field(default_factory=list)
    repeats: list[int] = field(default_factory=list)
    last: int = 0


def _batches(lines: _Lines, schema: pa.Schema, header: _Header, found: _Found) -> Iterator[pa.RecordBatch]:
    width, row = len(schema), 0
    held: list[Sequence[str]] = []
    for record in lines.records():
        if len(record) != width:
            if len(record) == 1 and not record[0].strip():  # a line of spaces
                continue
            fitted = _of_width(record, width, header.least)
            if fitted is None:
                found.wrong.append((lines.began, len(record)))
                continue
            record = fitted
        if width > 1 and (_is_header(record, header.record) or (not row and not held and _is_rule(record))):
            found.repeats.append(lines.began)
            continue
        found.last = lines.began
        if not found.wrong:
            held.append(record)
        if len(held) == BATCH_ROWS:
            yield _batch(held, schema, row, lines.name)
            row, held = row + len(held), []
    if found.wrong:
        raise wrong_width(lines.name, lines.dialect.delimiter, found.wrong, schema.names, max(found.last, lines.began))
    if held:
        yield _batch(held, schema, row, lines.name)


def _is_header(record: Sequence[str], header: Sequence[str]) -> bool:
    """Whether the record repeats the header, in whatever case."""
    first, other = record[0].lstrip("\ufeff"), header[0]
    if first != other and first.strip().casefold() != other.strip().casefold():
        return False
    return [cell.strip().casefold() for cell in record[1:]] == [cell.strip().casefold() for cell in header[1:]]


def _is_rule(record: Sequence[str]) -> bool:
    """Whether it is the line of dashes that databases print below the names."""
    return all(len(cell.strip()) > 1 and not cell.strip().strip("-") for cell in record)


def _of_width(record: list[str], width: int, least: int) -> list[str] | None:
    """The record with the header's number of fields, if that loses nothing: spreadsheets pad rows with empty fields."""
    if len(record) > width and not any(record[width:]):
        return record[:width]
    if least <= len(record) < width:
        return record + [""] * (width - len(record))
    return None


def _batch(records: list[Sequence[str]], schema: pa.Schema, row: int, name: str) -> pa.RecordBatch:
    columns = []
    for column, values in zip(schema.names, zip(*records, strict=True), strict=True):
        try:
            array = pa.array(values, pa.string())
        except UnicodeEncodeError as error:
            raise DataError(f"{name}, column '{column}': half of a surrogate pair, which is no character.") from error
        nul = pc.index(pc.match_substring(array, "\0"), True).as_py()
        if nul >= 0:
            raise DataError(
                f"{name}, row {row + nul + 1}, column '{column}': a NUL byte, so the file is damaged or not text. "
                r"Remove them: tr -d '\000' < old > new"
            )
        columns.append(pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array))
    return pa.record_batch(columns, schema=schema)


def _header(record: list[str], source: str) -> _Header:
    if not any(cell.strip() for cell in record):
        raise DataError(f"{source} is empty. Expected a header line with the column names, and at least one row.")
    names = [cell.strip().lstrip("\ufeff") or f"Unnamed: {index}" for index, cell in enumerate(record)]
    doubled = repeated_names(names)
    if doubled:
        raise DataError(
            f"{source} has more than one column named {', '.join(map(repr, doubled))} (header: {', '.join(names)}). "
            f"Rename one of them.{headless_hint(names, source)}"
        )
    return _Header(names, record, 1 + max(at for at, cell in enumerate(record) if cell.strip()))


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module's limit (131,072 characters) is one setting for the whole process: put it back."""
    before = csv.field_size_limit(MAX_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)

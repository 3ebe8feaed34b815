"""What a csv file holds beside its rows: no header where one is expected, a title above it, a footer below the rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from graftwork.data.columns.values import same_value
from graftwork.data.read.csv_dialect import NAMES
from graftwork.errors import DataError

_LOOKED_AT = 1000
_TOTAL = re.compile(
    r"^(grand |sub)?-?(total|totals|sum|summe|gesamt|gesamtsumme|total general|total général|totale|итого|всего)\b|"
    r"^(总计|合计|小计|總計|合計|小計|계|합계)",
    re.IGNORECASE,
)
_COMMON_NAMES = """
text texts label labels class classes target category id name title message content comment review sentence question
sentiment intent topic tag tags score rating value date time url image path file audio split group weight domain index
key type description body summary gender sex age price city country language lang user author
"""
_NAMES = frozenset(_COMMON_NAMES.split())
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)(e[-+]?\d+)?", re.IGNORECASE)


def wrong_width(source: str, delimiter: str, wrong: list[tuple[int, int]], header: list[str], last: int) -> DataError:
    """The error for records (line, number of fields) that have not as many fields as the header; last: of the file."""
    (line, fields), more = wrong[0], len(wrong) - 1
    sign = NAMES.get(delimiter, f"'{delimiter}'")
    lines = [at for at, _ in wrong]
    if len(header) == 1 and len({count for _, count in wrong}) == 1 and lines[0] > 1:
        why = (
            f"If '{header[0][:40]}' is a title above the table, delete it, so that the line with the column names "
            f"comes first: {_shell(source, f'tail -n +{line}')}. Else a text that holds a {sign} must stand in quotes."
        )
    elif fields > len(header):
        why = f'A text that holds a {sign} must stand in quotes, directly behind the {sign}: "one, two".'
    elif lines[-1] >= last and len(lines) <= 3 and lines == list(range(lines[0], lines[0] + len(lines))):
        why = (
            "A field is missing, or a text with a line break does not stand in quotes; or this is a footer and no row: "
            f"then delete it: {_shell(source, f'head -n {line - 1}')}"
        )
    else:
        why = "A field is missing, or a text with a line break does not stand in quotes."
    others = f" {more} more such line{'s' if more > 1 else ''}: {_listed(lines[1:])}." if more else ""
    expected = f"the header has {len(header)} ({', '.join(header[:10])})"
    return DataError(f"{source}, line {line}: {fields} field{'s' if fields > 1 else ''}, but {expected}. {why}{others}")


def check_header(table: pa.Table, source: str) -> None:
    """Raise DataError where the first line is a row like the others, so that the file has no header.

    It is one where a name stands among the column's values more than once, or is a number above numbers, and no name
    is one that columns usually have, or a word above numbers. Numbers that count up (0, 1, 2; years) are names.
    """
    names = table.column_names
    if len(names) == 1:
        _check_one_field(table, source)
        return
    if _count_up(names) or _NAMES & {name.lower() for name in names}:
        return
    rows = table.slice(0, _LOOKED_AT)
    found = [_like_its_values(name, rows.column(name)) for name in names]
    if "name" not in found and "value" in found:
        first = names[found.index("value")]
        raise DataError(
            f"{source} has no line with column names, it seems: the first line ({', '.join(names[:5])}) looks like the "
            f"rows below it. Put names on top: {_shell(source, f'sed 1i{_example(names)}')}. If it is the header "
            f"indeed, rename the column '{first}'."
        )


def _check_one_field(table: pa.Table, source: str) -> None:
    """Raise DataError where each line is one field, because it stands in quotes as a whole or has another separator."""
    (name,) = table.column_names
    values = table.slice(0, _LOOKED_AT).column(0).drop_null().to_pylist()
    for sign in (",", ";", "\t", "|", "^", "~", ":", "  "):
        count = name.count(sign)
        if count and values and all(value.count(sign) == count for value in values):
            quoted = "the whole lines stand in quotes. Save it without these quotes, with quotes around texts alone"
            other = f"the fields seem to be parted by '{sign}'. Save it with commas, semicolons, tabs or | between them"
            raise DataError(
                f"{source}: each line is a single field, such as '{name[:60]}': {quoted if sign in NAMES else other}."
            )


def headless_hint(names: list[str], source: str) -> str:
    """The same remedy, for a first line whose cells repeat."""
    strange = any(_NUMBER.fullmatch(name) for name in names)
    return f" If the file has no header: {_shell(source, f'sed 1i{_example(names)}')}" if strange else ""


def check_footer(table: pa.Table, source: str, line: int) -> None:
    """Raise DataError where the last row is a total of the others."""
    if len(table) < 3 or table.num_columns < 2:
        return
    (row,) = table.slice(len(table) - 1).to_pylist()
    cells = [value for value in row.values() if value]
    if not cells or not _TOTAL.match(cells[0].strip()):
        return
    above = table.slice(max(0, len(table) - 1 - _LOOKED_AT), min(_LOOKED_AT, len(table) - 1))
    strange = [name for name, value in row.items() if _does_not_fit(value, above.column(name))]
    if strange:
        raise DataError(
            f"{source}, line {line}: this looks like a total below the rows, not like a row: {', '.join(cells)[:80]}. "
            f"Delete the line: {_shell(source, f'head -n {line - 1}')}"
        )


def repeated(lines: Sequence[int]) -> str:
    """What is said of lines that repeat the header."""
    if len(lines) == 1:
        return f"line {lines[0]} repeats the header or underlines it, and is left out"
    return f"{len(lines):,} lines repeat the header and are left out ({_listed(list(lines))})"


def _does_not_fit(value: str | None, column: pa.ChunkedArray) -> bool:
    """Whether a cell is empty where the others are not, or a number among words."""
    if not value:
        return bool(column.null_count < len(column))
    numbers = [bool(_NUMBER.fullmatch(one.strip())) for one in column.drop_null().to_pylist()]
    return bool(_NUMBER.fullmatch(value.strip())) and sum(numbers) < 0.1 * len(numbers)


def _like_its_values(name: str, column: pa.ChunkedArray) -> str:
    """ "value" where a column's name is like its values, "name" where it is unlike them, else "open"."""
    values = [value.strip() for value in column.drop_null().to_pylist() if value.strip()]
    if not values or name.startswith("Unnamed: "):
        return "name"
    numbers = sum(bool(_NUMBER.fullmatch(value)) for value in values) > 0.9 * len(values)
    if numbers != bool(_NUMBER.fullmatch(name)):
        return "name"
    if numbers:
        return "value"
    counts = Counter(map(same_value, values))
    return "value" if counts[same_value(name)] > 1 and len(counts) <= len(values) / 2 else "open"


def _count_up(names: Sequence[str]) -> bool:
    """Whether the names that are numbers are whole ones, one after the other (0, 1, 2), as frames name columns."""
    numbers = [int(name) for name in names if name.isdecimal() and name.isascii()]
    return len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _example(names: Sequence[str]) -> str:
    return ",".join(f"column{at}" for at in range(1, min(len(names), 5) + 1)) + (",…" if len(names) > 5 else "")


def _shell(source: str, command: str) -> str:
    """A command line that writes a mended copy."""
    path = Path(source)
    if path.suffix.lower().startswith((".xlsx", ".xlsm")):
        return "in the spreadsheet, and save it again"
    return f"{command} {path.name} > {path.stem}-mended{path.suffix or '.csv'}"


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:10])) + (", …" if len(numbers) > 10 else "")

"""A table of classes, `name` and `description`: what each is called, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from graftwork.data.read.source import read
from graftwork.errors import DataError, nearest

NAME, DESCRIPTION = "name", "description"


def read_class_names(path: Path) -> Mapping[str, str]:
    """By class, the text that tells it: its name in words, and its description.

    path: any table with the column `name`, and `description` where there is something to say. Raises DataError for a
    missing column, a row without a name, an empty description, a class that stands there twice, and fewer than two.

    >>> words("card_arrival", "when it comes"), words("HUM", None)
    ('card arrival: when it comes', 'HUM')
    """
    table, called = read(path)
    if NAME not in table.column_names:
        raise DataError(
            f"{called} has no column '{NAME}'. {nearest(NAME, table.column_names)} Expected the columns '{NAME}', as "
            f"the target column writes the classes, and '{DESCRIPTION}'."
        )
    names = [_plain(value) for value in table.column(NAME).to_pylist()]
    told: list[str | None] = [None] * len(names)
    if DESCRIPTION in table.column_names:
        told = [_plain(value) for value in table.column(DESCRIPTION).to_pylist()]
        for row, (name, description) in enumerate(zip(names, told, strict=True), 1):
            if name and not description:
                raise DataError(
                    f"{called}, row {row}: the class '{name}' has an empty description. Say in a few words what it "
                    f"is, or leave out the column '{DESCRIPTION}'."
                )
    found: dict[str, str] = {}
    rows: dict[str, int] = {}
    for row, (name, description) in enumerate(zip(names, told, strict=True), 1):
        if not name:
            raise DataError(f"{called}, row {row}: there is no name. Write the class as the target column does.")
        if name in found:
            raise DataError(
                f"{called}, row {row}: the class '{name}' stands in row {rows[name]} too. Keep one of them."
            )
        found[name], rows[name] = words(name, description), row
    if len(found) < 2:
        raise DataError(f"{called} names {len(found)} class. Expected two or more.")
    return found


def words(name: str, description: str | None) -> str:
    """What is embedded of a class."""
    plain = name.replace("_", " ").strip()
    return f"{plain}: {description}" if description else plain


def _plain(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())

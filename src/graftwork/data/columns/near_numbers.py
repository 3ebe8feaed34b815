"""Columns that are read as texts though their values look like numbers: said in one line, with what to do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from graftwork.data.columns.number_text import is_missing_number
from graftwork.data.columns.numbers import is_number

_LOOKED_AT, _MOST, _ALIKE, _LONGEST = 200, 0.5, 0.9, 24
_DIGITS = re.compile(r"\d[\d.,]*")
_NAME = re.compile(r"@|://|www\.")


def near_numbers(name: str, values: Sequence[str], kind: str) -> str:
    """A line for a column that is read as `kind` though most values are numbers, or differ in digits alone.

    Empty for words, sentences, addresses, and codes with letters of their own.

    >>> near_numbers("mass", [f"~{value} kg" for value in range(9)], "text")[:61]
    'mass: read as text, though its values differ in digits alone '
    >>> near_numbers("note", ["good film", "bad film", "7"], "text")
    ''
    """
    some = values[:: max(1, len(values) // _LOOKED_AT)]
    looked = [value for value in some if not is_missing_number(value)]
    others = [value for value in looked if not is_number(value)]
    if len(looked) - len(others) > _MOST * len(looked):
        odd = f" (others are like '{others[0].strip():.40}')" if others else ""
        share = round(100 * (len(looked) - len(others)) / len(looked))
        return (
            f"{name}: read as {kind}, though {share} % of its values are numbers{odd}; --kind {name}=number reads "
            "them as numbers, and names the rows that hold none"
        )
    shapes = Counter(_DIGITS.sub("0", value.strip()) for value in looked if len(value.strip()) <= _LONGEST)
    alike = sum(count for shape, count in shapes.most_common(3) if "0" in shape and not _NAME.search(shape))
    if len(looked) < 3 or alike < _ALIKE * len(looked) or 2 * len(set(looked)) <= len(looked):
        return ""
    return (
        f"{name}: read as {kind}, though its values differ in digits alone (such as '{looked[0].strip()}'); an amount "
        f"has to be a plain number, such as 1234.5, and what only names a row is left out with --ignore {name}"
    )

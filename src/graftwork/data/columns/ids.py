"""Whole numbers and codes that name something: rows (row ids, nothing to learn from) or things (codes, categories)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from math import gcd
from typing import Any

_UUID = re.compile(r"^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+|#")
_ID_WORDS = frozenset({"id", "ids", "uid", "uuid", "guid", "rowid", "pk", "编号", "序号"})
"""Words that say so wherever they stand in a name."""
_LAST_WORDS = frozenset({"index", "idx", "key", "no", "nr", "num", "number", "row", "record", "serial", "#"})
"""Words that say so where they are the whole name, or end the name of numbers that count up."""
_JOINED = re.compile(
    r"^(user|item|row|customer|order|product|client|account|post|tweet|doc|document|record|sample|patient|student|"
    r"employee|movie|session|transaction|case|image|img|file|person|passenger|record|event|ticket)_?id$"
)
_CODE_NAME = re.compile(
    r"(^|[^a-z])(zip|zipcode|postcode|post_?code|postal|plz|cep|pincode|code|codes|fips|naics|mcc|icd|sku|"
    r"邮编|代码)([^a-z]|$)"
)
_CODED = re.compile(
    r"^(?=.*\d)([A-Za-z][A-Za-z0-9]*([-_/#:.]?[A-Za-z0-9]+)*|(?=.*[A-Za-z])[A-Za-z0-9]+([-_#]?[A-Za-z0-9]+){7,})$"
)
_NAMES_OF_AMOUNTS = """
seconds minutes hours days weeks months years age ages count counts number amount price cost quantity qty total sum
duration length width height size weight distance temperature income salary revenue sales speed
"""
_AMOUNTS = frozenset(_NAMES_OF_AMOUNTS.split())
_PANDAS_INDEX = re.compile(r"__index_level_\d+__|Unnamed: 0(\.\d+)?")
_ROWS_A_CODE, _FEWEST_DIGITS = 10, 4


def names_rows(name: str, values: Sequence[Any]) -> bool:
    """Whether a column of this name holds row ids: each value once, and a name that says so or looks that say so.

    Numbers that are not whole are measures, whatever the name. Row numbers that pandas wrote need not differ.
    """
    if is_pandas_index(name) and values and whole_numbers(values) is not None:
        return True
    if len(values) < 2 or len(set(values)) < len(values):
        return False
    whole = whole_numbers(values)
    if whole is None:
        return isinstance(values[0], str) and (all(map(_UUID.match, values)) or says_id(name))
    return says_id(name) or (_ends_as_id(name) and counts_up(whole))


def is_pandas_index(name: str) -> bool:
    """Whether a column has the name under which pandas writes a frame's row numbers (csv: none at all, the first one).

    They repeat where frames were joined, and tell the class where each class was a frame.

    >>> is_pandas_index("__index_level_0__"), is_pandas_index("Unnamed: 0"), is_pandas_index("Unnamed: 4")
    (True, True, False)
    """
    return bool(_PANDAS_INDEX.fullmatch(name))


def are_row_codes(values: Sequence[str]) -> bool:
    """Whether nearly all of these distinct texts are codes such as T0001 or INV-2024-17: one word, letters and digits.

    Digits with other signs between them (120/80, 10x20) measure something.
    """
    return sum(bool(_CODED.match(value.strip())) for value in values) > 0.9 * len(values)


def counts_up(values: Sequence[int]) -> bool:
    """Whether whole numbers rise from row to row, or are all from the least to the largest.

    >>> counts_up([5, 7, 9]), counts_up([2, 1, 3]), counts_up([40, 12, 90])
    (True, True, False)
    """
    rising = all(before < after for before, after in pairwise(values))
    return rising or max(values) - min(values) + 1 == len(values)


def are_codes(name: str, values: Sequence[Any]) -> str:
    """Why whole numbers are codes and no amounts; empty where they are amounts.

    They repeat, and their name says so (postcodes), or they have the same number of digits (four or more), lie far
    apart, and are few for many rows.
    """
    whole = whole_numbers(values)
    distinct = set(whole or ())
    if not whole or 2 * len(distinct) > len(whole):
        return ""
    called = "_".join(words_of(name))
    if _CODE_NAME.search(called):
        return "codes by their name"
    if any(word in _ID_WORDS for word in called.split("_")) and len(whole) >= _ROWS_A_CODE * len(distinct):
        return "ids that repeat"
    widths = {len(str(abs(value))) for value in distinct}
    if (
        len(widths) > 1
        or min(widths) < _FEWEST_DIGITS
        or len(whole) < _ROWS_A_CODE * len(distinct)
        or len(distinct) < 3
    ):
        return ""
    apart = max(distinct) - min(distinct) > 10 * len(distinct)
    return f"codes of {min(widths)} digits that repeat" if apart and gcd(*distinct) == 1 else ""


def names_an_amount(name: str) -> bool:
    """Whether a column's name says that its whole numbers count or measure something.

    >>> names_an_amount("minutes"), names_an_amount("num_rooms"), names_an_amount("viewCount"), names_an_amount("label")
    (True, True, True, False)
    """
    words = words_of(name)
    return bool(words) and (words[-1] in _AMOUNTS or (len(words) > 1 and words[0] in ("n", "num", "number")))


def has_leading_zero(values: Sequence[str]) -> bool:
    """Whether a text is digits behind a zero (`007`): a number would lose it."""
    return any(re.fullmatch(r"\s*0\d+\s*", value) for value in values)


def whole_numbers(values: Sequence[Any]) -> list[int] | None:
    """These values as whole numbers; None where one is none."""
    try:
        if isinstance(values[0], str):
            return [int(value) for value in values] if all(map(_DIGITS.fullmatch, values)) else None
        return [int(value) for value in values] if all(value == int(value) for value in values) else None
    except (ValueError, OverflowError, TypeError):
        return None


def words_of(name: str) -> list[str]:
    """The words of a column's name in lower case.

    >>> words_of("PassengerId"), words_of("customer_id 2"), words_of("CustomerID")
    (['passenger', 'id'], ['customer', 'id', '2'], ['customer', 'id'])
    """
    return [word.lower() for word in _WORDS.findall(name)]


_DIGITS = re.compile(r"\s*[-+]?\d{1,4000}\s*")


def says_id(name: str) -> bool:
    """Whether a column's name says that it holds ids.

    >>> says_id("customer_id"), says_id("PassengerId"), says_id("price")
    (True, True, False)
    """
    words = words_of(name)
    if not words or re.match(r"^unnamed: \d+$", name, re.IGNORECASE):
        return True
    if len(words) == 1 and (words[0] in _LAST_WORDS or _JOINED.match(words[0])):
        return True
    return any(word in _ID_WORDS for word in words)


def _ends_as_id(name: str) -> bool:
    words = words_of(name)
    return bool(words) and words[-1] in _LAST_WORDS

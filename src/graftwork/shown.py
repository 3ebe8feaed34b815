"""Text from files and tables as it may be shown: what would steer a terminal, or hide, is written out as an escape.

File names, column names, classes and cells come from others. An escape sequence in one could colour, move or erase what
stands on the screen, and a mark of direction could make a name read as another one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

_HIDDEN = "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
"""Marks of direction and signs without width. The joiners of Persian, Indic scripts and emoji stay."""
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
"""Control characters but tab and line feed, separators of lines, and halves of pairs, which no terminal can write."""
_UNSAFE = re.compile(f"[{_CONTROLS}{_HIDDEN}]")
_WRITTEN_OUT = 1e15
_UNSAFE_IN_LINE = re.compile(f"[\t\n{_CONTROLS}{_HIDDEN}]")


def shown(text: object) -> str:
    r"""A text of several lines, such as a message, with nothing in it that acts on the terminal.

    >>> shown("a\x1b[31mred\nline two, \u202edesrever")
    'a\\x1b[31mred\nline two, \\u202edesrever'
    """
    return _UNSAFE.sub(_escaped, str(text))


def shown_line(value: object) -> str:
    r"""The same of a name or a cell, which stays on one line.

    >>> shown_line("two\nlines")
    'two\\nlines'
    """
    return _UNSAFE_IN_LINE.sub(_escaped, str(value))


def shown_json(data: Any) -> str:
    r"""One line of JSON that can be read on a terminal as well: letters stay, what acts on it is escaped.

    >>> shown_json({"name": "Zoë\x9b"})
    '{"name": "Zoë\\u009b"}'
    """
    return _UNSAFE.sub(_escaped_in_json, json.dumps(data, ensure_ascii=False))


def shortened_text(text: str, most: int = 60) -> str:
    """A text of at most so many signs; a longer one ends with an ellipsis.

    >>> shortened_text("a very long name", 8)
    'a very …'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def listed(names: Sequence[str], most: int = 10) -> str:
    """Names in one line; of more than so many the first ones, and how many there are besides.

    >>> listed(["a", "b", "c", "d"], 2)
    'a, b and 2 more'
    """
    more = len(names) - most
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:most])} and {more:,} more"


def shown_number(value: float) -> str:
    """A number written out, with thousands apart and no more digits than a reader wants.

    >>> shown_number(5858000.0), shown_number(0.517342), shown_number(-3), shown_number(1234.5), shown_number(7.10e-5)
    ('5,858,000', '0.517342', '-3', '1,234.5', '0.000071')
    """
    if not math.isfinite(value):
        return f"{value}"
    if value == int(value) and abs(value) < _WRITTEN_OUT:
        return f"{int(value):,}"
    if not 1e-6 <= abs(value) < _WRITTEN_OUT:
        return f"{value:.4g}"
    digits = max(1, 5 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".")


def shown_percent(share: float) -> str:
    """A share in percent, with two digits.

    >>> shown_percent(1.0), shown_percent(0.996), shown_percent(0.125), shown_percent(0.00123)
    ('100', '100', '12', '0.12')
    """
    return f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.2g}"


def counted(count: int, word: str = "row", words: str = "") -> str:
    """A count with its word; words: what several are called, where no ending makes it.

    >>> counted(1), counted(3080), counted(2, "class"), counted(2, "identity", "identities")
    ('1 row', '3,080 rows', '2 classes', '2 identities')
    """
    ending = "es" if word.endswith(("s", "x", "ch", "sh")) else "s"
    return f"{count:,} {word if count == 1 else words or word + ending}"


def _escaped(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode("ascii")


def _escaped_in_json(found: re.Match[str]) -> str:
    return json.dumps(found.group())[1:-1]

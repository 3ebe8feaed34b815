"""Class names as exports vary them: what is certainly one class is read as one, what probably is one is said."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.kinds import is_string
from graftwork.data.columns.values import INVISIBLE, likely_same, same_value
from graftwork.shown import shortened_text

_SHOWN = 5
_HIDDEN = re.compile(f"[{INVISIBLE}\u0300-\u036f]|(?! )[\\s]")


def kept_spellings(counts: Mapping[str, int]) -> dict[str, str]:
    """Each writing, and the one that stands for all that are certainly the same value: the most frequent, but none
    with invisible characters where there is another.

    >>> kept_spellings({"7": 3, "7.0": 5, "07": 1})
    {'7': '7.0', '7.0': '7.0', '07': '07'}
    """
    groups: dict[str, list[str]] = {}
    for text in counts:
        groups.setdefault(same_value(text), []).append(text)
    kept: dict[str, str] = {}
    for group in groups.values():
        best = min(group, key=lambda text: (_is_soiled(text), -counts[text], text))
        kept |= dict.fromkeys(group, best)
    return {text: kept[text] for text in counts}


def one_spelling(column: pa.ChunkedArray, name: str) -> tuple[pa.ChunkedArray, list[str]]:
    """A column of class names with one writing a class; a line on what was read as one, and one on what perhaps is.

    name: the column's, for the lines.
    """
    if not is_string(column.type):
        return column, []
    counts = count_values(column)
    kept = kept_spellings(counts)
    changed = [text for text, best in kept.items() if text != best]
    if changed:
        coded = pc.index_in(column, value_set=pa.array(changed, column.type))
        instead = pa.array([kept[text] for text in changed], column.type).take(coded.combine_chunks())
        column = pa.chunked_array([pc.coalesce(instead, column.combine_chunks())], column.type)
    return column, [*merged_note(counts, name), *likely_note(count_values(column), name)]


def count_values(column: pa.ChunkedArray) -> dict[str, int]:
    """Rows of each text."""
    counted = pc.value_counts(column.drop_null())
    return dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))


def merged_note(counts: Mapping[str, int], name: str) -> list[str]:
    """A line on writings that were read as one class; none where there are none."""
    groups: dict[str, list[str]] = {}
    for text, best in kept_spellings(counts).items():
        groups.setdefault(best, []).append(text)
    found = [sorted(group, key=lambda text: text != best) for best, group in groups.items() if len(group) > 1]
    if not found:
        return []
    listed = "; ".join(
        f"{visible(group[0])} ({counts[group[0]]:,} rows) is also written "
        + " and ".join(f"{visible(text)} ({counts[text]:,})" for text in group[1:])
        for group in found[:_SHOWN]
    )
    more = f"; and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    one = "one class" if len(found) == 1 else "one class each"
    return [f"{name}: read as {one}, and predicted in the first form: {listed}{more}"]


def likely_note(counts: Mapping[str, int], name: str) -> list[str]:
    """A warning on classes that are perhaps one; none where there are none."""
    found = likely_groups(counts)
    if not found:
        return []
    listed = "; ".join(
        " and ".join(f"{visible(text)} ({counts[text]:,} rows)" for text in group[:_SHOWN])
        + f" differ only in {difference(group)}"
        for group in found[:_SHOWN]
    )
    more = f"; and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    return [
        f"warning: {name}: classes that are perhaps one: {listed}{more}. They are kept apart: "
        f"if they mean the same, write them alike in the column '{name}' and run this again."
    ]


def likely_groups(classes: Iterable[str]) -> list[list[str]]:
    """Classes that people would probably read as one, most frequent first where counts are given."""
    groups: dict[str, list[str]] = {}
    for text in classes:
        groups.setdefault(likely_same(text), []).append(text)
    counts = classes if isinstance(classes, Mapping) else {}
    return [sorted(group, key=lambda text: -counts.get(text, 0)) for group in groups.values() if len(group) > 1]


def difference(group: list[str]) -> str:
    """What keeps these apart, in words.

    >>> difference(["pos", "POS"]), difference(["7", "07"]), difference(["not spam", "not_spam"])
    ('upper and lower case', 'leading zeros', 'spaces, hyphens or underscores')
    """
    found = dict.fromkeys(_difference(group[0], other) for other in group[1:])
    return " and ".join(found)


def _difference(one: str, other: str) -> str:
    steps = (
        ("upper and lower case", str.casefold),
        ("leading zeros", lambda text: re.sub(r"^0+(?=\d+$)", "", text)),
        ("the form of special characters (&amp;)", html.unescape),
        ("full-width or other forms of letters", lambda text: unicodedata.normalize("NFKC", text)),
        ("spaces, hyphens or underscores", lambda text: " ".join(re.split(r"[\s_‐‑‒–—―−﹣－-]+", text.strip()))),
        ("punctuation", lambda text: re.sub(r"[\W_]+", " ", text).strip()),
    )
    for words, step in steps:
        if step(one) == step(other):
            return words
    return "case, accents or punctuation"


def visible(text: str) -> str:
    """A text in quotes for a message, with names for what can't be seen.

    >>> print(visible("pos\\u200b"), visible("a b"))
    'pos\\u200b' 'a b'
    """
    return "'" + _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", shortened_text(text)) + "'"


def _is_soiled(text: str) -> bool:
    """Whether it holds what nobody sees, so that it is no form to give back."""
    return bool(re.search(f"[{INVISIBLE}]", text)) or text != text.strip()

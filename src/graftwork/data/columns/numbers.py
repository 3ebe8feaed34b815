"""Numbers as a column writes them: one convention for all its values, found by their evidence, said in one line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.number_text import (
    FRACTIONS,
    MISSING_NUMBERS,
    USUAL_MISSING,
    Written,
    is_missing_number,
    take_apart,
)

Decimal = Literal["", ".", ","]
_BETWEEN = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
_MOST_UNITS, _MISSPELT, _MOST_MARKS, _LOOKED_AT = 3, 0.1, 3, 100
_POINT = re.compile(r"[1-9]\d{0,2}\.\d{3}")


@dataclass(frozen=True)
class NumberForm:
    """How a column writes numbers. decimal: the sign of decimals; empty where no value had any.

    thousands: what may stand between groups of digits. unit: what stands beside each number, in one spelling.
    """

    decimal: Decimal = "."
    thousands: str = ""
    unit: str = ""

    @property
    def text(self) -> str:
        """The form as an example, for the schema: empty for plain numbers.

        >>> NumberForm(",", " ", "EUR").text, NumberForm().text, NumberForm("", ",").text
        ('1 234,5 EUR', '', '1,234')
        """
        if self == NumberForm():
            return ""
        return f"1{self.thousands}234{self.decimal and self.decimal + '5'} {self.unit}".strip()

    @classmethod
    def of(cls, text: str) -> NumberForm:
        """The inverse of `text`. Raises ValueError for anything else."""
        found = re.fullmatch(r"1([,.' ]?)234(?:([.,])5)?(?: (.+))?", text)
        if text and (not found or (found[2] and found[2] == found[1])):
            raise ValueError(f"'{text}' is no form of numbers")
        if not found:
            return cls()
        decimal: Decimal = "," if found[2] == "," else "." if found[2] else ""
        return cls(decimal, found[1], found[3] or "")

    def value(self, text: str) -> float | None:
        """The number that `text` writes in this form, or None. `1_000` and `infinity` are no numbers here.

        >>> NumberForm().value(" 1e3 "), NumberForm().value("1,5"), NumberForm(",", ".").value("−1.234,5")
        (1000.0, None, -1234.5)
        """
        written = take_apart(text)
        if written is None or written.unit != self.unit:
            return None
        return _value(written, self.decimal, self.thousands)

    def why_not(self, text: str) -> str:
        """Why `text` is no number in this form, for a reader."""
        written = take_apart(text)
        if written is None:
            return "is not a number" + (" (write it like 1234.5)" if any(map(str.isdigit, text)) else "")
        if written.unit != self.unit:
            here = f"is in {written.shown}" if written.unit else "has no unit"
            return f"{here}, where others are in {self.unit}" if self.unit else f"{here}, where others have no unit"
        if self == NumberForm() and _either_way(written.body):
            group = written.body.replace(",", "")
            return f"may mean {group} or {written.body.replace(',', '.')}, and nothing in the column tells which"
        if self == NumberForm():
            return "is not a number (write it like 1234.5)"
        example = NumberForm(self.decimal or ".", self.thousands).text or "1234.5"
        return f"is not written as the other numbers of the column (like {example})"


@dataclass(frozen=True)
class FoundForm:
    """The form of a column. example: a value that shows it best. marks: in words, what else is not plain.

    share: of the values that it reads. unclear: a value that can be read in two ways, where nothing tells which.
    """

    form: NumberForm
    share: float
    example: str = ""
    marks: tuple[str, ...] = ()
    unclear: str = ""

    def note(self, name: str) -> str:
        """One line for the user; empty for plain numbers."""
        words = self.words
        return f'{name}: numbers written as "{self.example}" ({words})' if words else ""

    @property
    def words(self) -> str:
        words = ["decimal comma"] if self.form.decimal == "," else []
        words += [f"{_BETWEEN[self.form.thousands]} between thousands"] if self.form.thousands else []
        words += [self.form.unit] if self.form.unit else []
        return ", ".join([*words, *self.marks])


def find_form(counts: Mapping[str, int], known: NumberForm | None = None, decimal: Decimal = "") -> FoundForm | None:
    """The convention under which these texts, with the rows of each, are numbers; None where they are none.

    It is the one that reads the most rows. Missing marks don't count. known: the form that the training column had,
    taken where it reads as many. decimal: what tells where nothing in the column does: the sign of other columns.
    """
    texts = {text: count for text, count in counts.items() if not is_missing_number(text)}
    some = list(texts)[:: max(1, len(texts) // _LOOKED_AT)]
    if 2 * sum(take_apart(text) is not None for text in some) < len(some):
        return None
    parts = {text: written for text in texts if (written := take_apart(text))}
    if not parts:
        return None
    units = Counter[str]()
    for text, written in parts.items():
        units[written.unit] += texts[text]
    rows = sum(texts.values())
    if 2 * sum(texts[text] for text, one in parts.items() if one.marks == (FRACTIONS,) and text.isascii()) > rows:
        return None  # 120/80, 3/5: two numbers, or a day and a month
    if len(units) > _MOST_UNITS or (units.total() < (1 - _MISSPELT) * rows and not _are_marks(texts, parts)):
        return None
    unit = known.unit if known and known.unit in units else max(units, key=lambda one: (units[one], one == ""))
    own = {text: written for text, written in parts.items() if written.unit == unit}
    bodies = {one.body: texts[text] for text, one in own.items()}
    decimal = decimal or ("." if _is_money(unit) else "")
    sign, thousands, unclear = _separators(bodies, known, decimal, money=_is_money(unit))
    form = NumberForm(sign, thousands, unit)
    read = [text for text, one in own.items() if _value(one, sign, thousands) is not None]
    if not read:
        return FoundForm(form, 0.0, next(iter(own)), unclear=unclear) if unclear else None
    marks = dict.fromkeys(mark for text in read for mark in own[text].marks)
    example = max(read, key=lambda text: (len(own[text].marks), _signs(own[text].body), len(text)))
    odd = [text for text in counts if is_missing_number(text) and text.strip().lower() not in USUAL_MISSING]
    if odd:
        marks[f"'{odd[0].strip()}' for missing"] = None
    if not unit and not thousands and sign != ",":
        form = NumberForm()
    return FoundForm(form, sum(texts[text] for text in read) / rows, example.strip(), tuple(marks), unclear)


def is_number(text: str) -> bool:
    """Whether the text is a number in some convention; `1.2.3`, `120/80` and telephone numbers are none."""
    written = take_apart(text)
    if written is None or FRACTIONS in written.marks:
        return False
    return any(_number(written.body, *way) is not None for way in _CONVENTIONS)


def _are_marks(texts: Mapping[str, int], parts: Mapping[str, Written]) -> bool:
    """Whether what is no number is one to three words that repeat (`unknown`, `>100`) among many numbers."""
    others = [text for text in texts if text not in parts]
    rows = sum(texts[text] for text in others)
    return len(others) <= _MOST_MARKS and len(parts) > 20 and 2 * rows <= sum(texts.values())


def is_plain_column(texts: Sequence[str]) -> bool:
    """Whether every text is a plain number or a mark for a missing one, and at least one is a number."""
    numbers = _plain_floats(pa.array(texts, pa.string()))
    return numbers is not None and numbers.null_count < len(numbers)


def are_groups_with_points(texts: Sequence[str]) -> bool:
    """Whether every text with a point is like 1.234, so that it may be a thousand written with points."""
    pointed = [text for text in texts if "." in text]
    return bool(pointed) and all(_POINT.fullmatch(text.strip().lstrip("-+")) for text in pointed)


def to_floats(part: pa.Array, form: NumberForm) -> tuple[pa.Array, np.ndarray]:
    """Texts as float64, null where missing or no number; and which are no number (N,)."""
    if form == NumberForm() and (numbers := _plain_floats(part)) is not None:
        return numbers, np.zeros(len(part), bool)
    coded = pc.dictionary_encode(part)
    texts = coded.dictionary.to_pylist()
    values = pa.array([None if is_missing_number(text) else form.value(text) for text in texts], pa.float64())
    wrong = np.array(
        [value is None and not is_missing_number(t) for t, value in zip(texts, values.to_pylist(), strict=True)], bool
    )
    indices = np.asarray(coded.indices.fill_null(0))
    bad = wrong[indices] & np.asarray(part.is_valid()) if len(texts) else np.zeros(len(part), bool)
    return values.take(coded.indices), bad


def _plain_floats(part: pa.Array) -> pa.Array | None:
    """Plain numbers read by Arrow, missing ones null; None where one is not plain."""
    try:
        numbers = part.cast(pa.float64())
        if pc.all(pc.is_finite(numbers)).as_py() is not False:
            return numbers
    except pa.ArrowInvalid:
        pass
    trimmed = pc.utf8_trim_whitespace(part.cast(pa.string()))
    absent = pc.is_in(pc.utf8_lower(trimmed), value_set=_MARKS)
    plain = pc.if_else(pc.or_(absent, pc.is_null(trimmed)), pa.scalar(None, pa.string()), trimmed)
    try:
        numbers = plain.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return None if pc.all(pc.is_finite(numbers)).as_py() is False else numbers


_MARKS = pa.array(sorted(MISSING_NUMBERS), pa.string())


def _separators(
    bodies: Mapping[str, int], known: NumberForm | None, decimal: Decimal, *, money: bool
) -> tuple[Decimal, str, str]:
    """Decimal sign and thousands separator of these digits with separators; and one that can be read in two ways."""
    counts = {body: count for body, count in bodies.items() if _signs(body)}
    if not counts:
        return ".", "", ""
    covered = {
        way: sum(count for body, count in bodies.items() if _number(body, *way) is not None) for way in _CONVENTIONS
    }
    if known:
        way: tuple[Decimal, str] = (known.decimal or ".", known.thousands)
        if covered.get(way) == max(covered.values()):
            return known.decimal, known.thousands, ""
    best = [way for way in _CONVENTIONS if covered[way] == max(covered.values())]
    if known and known.decimal and known != NumberForm():
        best = [way for way in best if way[0] == known.decimal] or best
    plain = [body for body in bodies if not _signs(body)]
    small = bool(plain) and all(len(body) < 4 for body in plain)
    first = best[0]
    if first == (".", "") and (",", ".") in best and any(map(_POINT.fullmatch, counts)):
        # 1.230 beside 913: who writes decimals drops their last zeros, or writes them everywhere
        grouped = small and len(counts) > 2 and any(body.endswith("0") for body in counts)
        grouped = grouped or (money and all(map(_POINT.fullmatch, counts)))  # no price has three decimals
        return ("", ".", "") if decimal == "," or grouped else (".", "", "")
    if first == (",", "") and (".", ",") in best and all(map(_either_way, counts)):
        if decimal:
            return (",", "", "") if decimal == "," else ("", ",", "")
        return ("", ",", "") if small else (",", "", next(iter(counts)))
    return (first[0] if _has_decimals(counts, first) else "", first[1], "")


_CONVENTIONS: tuple[tuple[Decimal, str], ...] = (
    *((".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'")),
)
_PATTERNS = {
    (sign, between): re.compile(
        (rf"(?:\d+|[1-9]\d{{0,2}}(?:{re.escape(between)}\d{{3}})+" if between else r"(?:\d+")
        + (r"|[1-9]\d?(?:,\d{2})+,\d{3}" if between == "," else "")
        + rf")(?:{re.escape(sign)}\d*)?|{re.escape(sign)}\d+"
    )
    for sign, between in _CONVENTIONS
}


def _number(body: str, sign: Decimal, between: str) -> float | None:
    if not _PATTERNS[sign, between].fullmatch(body):
        return None
    return float(body.replace(between, "").replace(sign, ".") if between else body.replace(sign, "."))


def _value(written: Written, sign: Decimal, between: str) -> float | None:
    found = _number(written.body, sign or ("," if between == "." else "."), between)
    if found is None:
        return None
    if written.exponent:  # through text, as the number would be read if it were plain
        found = float(f"{found!r}e{written.exponent}") if "e" not in repr(found) else found * 10.0**written.exponent
    value = found * written.factor
    return value if abs(value) != float("inf") else None


def _signs(body: str) -> int:
    return sum(body.count(sign) for sign in ",.' ")


def _either_way(body: str) -> bool:
    """`1,234`: one comma, three digits behind it, at most three before it."""
    return bool(re.fullmatch(r"[1-9]\d{0,2},\d{3}", body))


def _is_money(unit: str) -> bool:
    first = unit.partition(" /")[0]
    return first in ("$", "kr") or bool(re.fullmatch(r"[A-Z]{3}", first))


def _has_decimals(bodies: Mapping[str, int], way: tuple[str, str]) -> bool:
    return any(way[0] in body for body in bodies)

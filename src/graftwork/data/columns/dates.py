"""Dates as a column writes them: one order of day and month for all its values, found by their evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Literal, cast, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.ids import words_of
from graftwork.data.columns.number_text import is_missing_number, plain_text

DateForm = Literal[
    "", "dmy", "mdy", "digits", "months", "seconds", "milliseconds", "microseconds", "nanoseconds", "excel"
]
"""How dates are written; empty where each value tells by itself (2024-01-31, 31 January 2024)."""
WRITTEN = pa.timestamp("ms")
WORDS: dict[str, str] = {
    "dmy": "day before month",
    "mdy": "month before day",
    "digits": "year, month and day without a sign between them",
    "months": "year and month without a sign between them",
    "excel": "days as a spreadsheet counts them",
    **{f"{unit}seconds": f"{unit}seconds since 1970" for unit in ("", "milli", "micro", "nano")},
}
_STEPS: dict[str, int] = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 10**9}
_MONTHS = """
jan january janvier januar enero januari gennaio janv jänner janeiro / feb february février februar febrero februari
febbraio févr fév fevereiro / mar march mars märz marzo maart mär mrz março / apr april avril abril aprile avr abr /
may mai mayo mei maggio mag maio / jun june juin juni junio giugno giu junho / jul july juillet juli julio luglio juil
lug julho / aug august août agosto augustus ago / sep sept september septembre septiembre settembre set setembro /
oct october octobre oktober octubre ottobre okt ott out outubro / nov november novembre noviembre novembro /
dec december décembre dezember diciembre dicembre dez déc dic dezembro
"""
_MONTH = {word: at for at, names in enumerate(_MONTHS.split("/"), 1) for word in names.split()}
_NAMED = frozenset({"date", "time", "timestamp", "datetime", "ts", "epoch", "unix", "created", "updated", "at", "day"})
_NAMED |= frozenset({"when", "datum", "fecha", "日期", "时间"})
_NAMED_MONTHS = frozenset({"month", "yearmonth", "yyyymm", "ym", "period", "monat", "periode", "mois", "mes", "月份"})
_TIME = (
    r"(?P<hour>\d{1,2})[:时h](?P<minute>\d{2})(?:[:分](?P<second>\d{2})(?:[.,]\d+)?)?秒?\s*(?P<half>[AaPp]\.?\s?[Mm]\.?)?"
    r"\s*(?:Z|UTC|GMT|[A-Z]{3,4}|(?:UTC|GMT)?[-+]\d{2}:?\d{2})?"
)
_BEHIND = rf"(?:(?:\s*[T,]\s*|\s+|(?<=[日号일])){_TIME})?"
_WEEKDAY = r"(?:[^\W\d_]{2,10}\.?,?\s+)?"
_YEAR = r"(?P<year>\d{4}|\d{2})"
_NAME = r"(?P<name>[^\W\d_]{3,10})\.?"
_PATTERNS = tuple(
    re.compile(pattern + _BEHIND)
    for pattern in (
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})(?:[-/.](?P<day>\d{1,2}))?",
        r"(?P<year>\d{4})\s?[年년]\s?(?P<month>\d{1,2})\s?[月월](?:\s?(?P<day>\d{1,2})\s?[日号일])?",
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[-\s/]*(?:de |of )?{_NAME}[-\s,/]*(?:de )?{_YEAR}",
        rf"{_WEEKDAY}{_NAME}[-\s](?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[-\s]+(?P<year>\d{{4}})",
        rf"{_NAME}[-\s,]+(?P<year>\d{{4}})",
        rf"{_WEEKDAY}(?P<first>\d{{1,2}})(?P<sign>[-/.])(?P<other>\d{{1,2}})(?P=sign){_YEAR}",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?=T)",
    )
)
_QUARTER = re.compile(r"(?P<year>\d{4})[-\s]?Q(?P<quarter>[1-4])|Q(?P<q>[1-4])[-\s/]?(?P<y>\d{4})", re.IGNORECASE)
_CLOCK = re.compile(_TIME)
_LONGEST = 60


@dataclass(frozen=True)
class FoundDates:
    """The form of a column of dates. example: a value. unclear: nothing tells which number is the day."""

    form: DateForm
    example: str
    unclear: bool = False

    def note(self, name: str) -> str:
        """One line for the user; empty for dates that tell by themselves."""
        if not self.form:
            return ""
        said = f'{name}: dates written as "{self.example}" ({WORDS[self.form]})'
        other = "mdy" if self.form == "dmy" else "dmy"
        hint = f"; no row tells which is which: --kind {name}=date:{other} if it is {WORDS[other]}"
        return said + (hint if self.unclear else "")


def form_of(text: str) -> DateForm:
    """A form by its name. Raises ValueError for anything else."""
    if text not in get_args(DateForm):
        raise ValueError(f"'{text}' is no form of dates")
    return cast("DateForm", text)


def find_dates(texts: Iterable[str]) -> FoundDates | None:
    """How these texts, in the order of the rows, write dates; None where one is none."""
    known = [text for text in texts if not is_missing_number(text) and not text.startswith("0000-00-00")]
    parsed = [_numbers_of(text) for text in known[:50]]
    if not known or None in parsed:
        return None
    read = {form: [_read(text, form) for text in known] for form in ("dmy", "mdy")}
    whole = [form for form, values in read.items() if None not in values]
    if not whole:
        return None
    parts = [found for text in known if (found := _numbers_of(text)) and found[0]]
    if not parts:
        return FoundDates("", known[0].strip())
    example = max((text for text in known if (found := _numbers_of(text)) and found[0]), key=len).strip()
    if len(whole) == 1 or read["dmy"] == read["mdy"]:
        return FoundDates(form_of(whole[0]), example)
    rising = {form: _share_rising([value for value in values if value]) for form, values in read.items()}
    if max(rising.values()) > 0.95 and min(rising.values()) < 0.9:
        return FoundDates(form_of(max(rising, key=lambda form: rising[form])), example)
    halves = any(re.search(r"[ap]\.?m", text, re.IGNORECASE) for text in known)
    return FoundDates("mdy" if halves else "dmy", example, unclear=True)


def find_number_dates(name: str, values: Sequence[int]) -> FoundDates | None:
    """How whole numbers write dates: 20240131, or time since 1970; days of a spreadsheet where the name says dates."""
    if not values:
        return None
    low, high, named = min(values), max(values), bool(_NAMED & set(words_of(name)))
    if low >= 19_000_101 and high <= 21_001_231 and len(set(values)) > 2:
        sound = all(_read(str(value), "digits") is not None for value in set(values))
        return FoundDates("digits", str(values[0])) if sound else None
    if _are_months(values, named=named or bool(_NAMED_MONTHS & set(words_of(name)))):
        return FoundDates("months", str(values[0]))
    for unit, step in _STEPS.items():
        if low >= (1 if named else 940_000_000) * step and high < 2_100_000_000 * step and high >= 900_000_000 * step:
            return FoundDates(form_of(unit), str(values[0])) if named or len(set(values)) > len(values) / 2 else None
    if named and "day" not in words_of(name) and low >= 20_000 and high <= 60_000:
        return FoundDates("excel", str(values[0]))
    return None


def _are_months(values: Sequence[int], *, named: bool) -> bool:
    """Whether whole numbers are like 202401, of two years or more; eight of them where the name does not say so."""
    months = set(values)
    sound = all(190_001 <= value <= 210_012 and 1 <= value % 100 <= 12 for value in months)
    return sound and len({value // 100 for value in months}) > 1 and len(months) >= (2 if named else 8)


def to_dates(part: pa.Array, form: DateForm) -> tuple[pa.Array, np.ndarray]:
    """Dates of any type as wall time, to the millisecond, null where missing or no date; and which are no date (N,)."""
    kind = part.type
    if pa.types.is_timestamp(kind):
        local = pc.local_timestamp(part) if kind.tz else part
        return local.cast(WRITTEN, safe=False), np.zeros(len(part), bool)
    if pa.types.is_temporal(kind):
        return part.cast(WRITTEN), np.zeros(len(part), bool)
    values = part.to_pylist()
    texts = [None if value is None or value != value else _as_text(value) for value in values]
    found = [None if text is None else _read(text, form) for text in texts]
    missing = np.array([t is None or is_missing_number(t) or t.startswith("0000-00-00") for t in texts], bool)
    bad = np.array([one is None for one in found], bool) & ~missing
    return pa.array(found, WRITTEN), bad


def _as_text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@lru_cache(maxsize=65_536)
def _read(text: str, form: str) -> datetime | None:
    """The wall time that a text writes in this form, or None."""
    plain = plain_text(text) if len(text) <= _LONGEST else ""
    try:
        if form in _STEPS:
            return datetime(1970, 1, 1) + timedelta(milliseconds=int(float(plain) * 1000 / _STEPS[form]))
        if form == "excel":
            return datetime(1899, 12, 30) + timedelta(days=float(plain))
        if form == "months":
            return datetime.strptime(plain, "%Y%m")
        if form == "digits":
            return datetime.strptime(plain, "%Y%m%d" if len(plain) == 8 else "%Y%m%d%H%M%S")
        found = _numbers_of(text)
        if found is None:
            return None
        two, (year, month, day), clock = found
        if two and form == "dmy":
            month, day = day, month
        year += (2000 if year < 69 else 1900) if year < 100 else 0
        return datetime(year, month, day, *clock)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=65_536)
def _numbers_of(text: str) -> tuple[bool, tuple[int, int, int], tuple[int, int, int]] | None:
    """Whether the order of day and month is open; year, first and second number; hour, minute, second."""
    if len(text) > _LONGEST:
        return None
    plain = plain_text(text)
    if clock := _CLOCK.fullmatch(plain):
        return False, (1970, 1, 1), _clock(clock.groupdict())
    if quarter := _QUARTER.fullmatch(plain):
        number = int(quarter["quarter"] or quarter["q"])
        return False, (int(quarter["year"] or quarter["y"]), 3 * number - 2, 1), (0, 0, 0)
    for pattern in _PATTERNS:
        found = pattern.fullmatch(plain)
        if found is None:
            continue
        parts = found.groupdict()
        if parts.get("first"):
            return True, (int(parts["year"]), int(parts["first"]), int(parts["other"])), _clock(parts)
        month = parts.get("month") or _MONTH.get((parts.get("name") or "").lower())
        if month:
            return False, (int(parts["year"]), int(month), int(parts.get("day") or 1)), _clock(parts)
    return None


def _clock(parts: dict[str, str | None]) -> tuple[int, int, int]:
    hour, half = int(parts.get("hour") or 0), (parts.get("half") or "").lower()
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return hour, int(parts.get("minute") or 0), int(parts.get("second") or 0)


def _share_rising(values: Sequence[datetime]) -> float:
    steps = [after >= before for before, after in pairwise(values)]
    return max(sum(steps), len(steps) - sum(steps)) / max(1, len(steps))

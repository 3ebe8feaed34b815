"""How a table that is scored differs from the training rows: its classes, texts, numbers, dates, categories and images.

Only what is certain and large is said: a table drawn at random from the same rows should pass without a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from graftwork.data.columns.dates import WRITTEN
from graftwork.data.media.images import decode
from graftwork.data.media.media import content
from graftwork.data.table import Column, Kind, Table
from graftwork.errors import GraftworkError
from graftwork.evidence.two_samples import numbers_differ, shares_differ
from graftwork.networks.text.scripts import scripts
from graftwork.shown import shortened_text, shown_number
from graftwork.tasks.labels import label_counts
from graftwork.tasks.task import Task

FEWEST = 40
"""Rows of either table below which nothing is compared."""
ALPHA = 1e-4
"""Chance of a false finding that each kind of comparison of a column may take."""
LARGE = 0.05
"""Least difference of two shares that is said."""
WORDS = 0.15
"""The same for words that training does not have: they differ from text to text."""
SAMPLE, IMAGES = 2000, 100
"""Rows of each table that are looked at; of images fewer, since each is decoded."""
SHOWN = 3
_WORD = re.compile(r"[^\W\d_]{2,}")


def shifts(train: Table, name: str, table: Table, tasks: Mapping[str, Task]) -> list[str]:
    """Sentences on how the table `name` differs from the training rows; none where it does not."""
    if min(len(train), len(table)) < FEWEST:
        return []
    found = [finding for target, task in tasks.items() for finding in _classes(train, table, target, task, name)]
    first, second = _sampled(train, SAMPLE), _sampled(table, SAMPLE)
    for column in train.schema.inputs:
        if column.name in table.data.column_names:
            found += _LOOKS[column.kind](first, second, column, name)
    return found


def _classes(train: Table, table: Table, target: str, task: Task, name: str) -> Iterator[str]:
    if task.answer != "class" or target not in table.data.column_names:
        return
    first, second = (Counter(label_counts(part.column(target))) for part in (train, table))
    for label, here, there in _Counted(first, second, first.total(), second.total()).differing(f"{name} rows"):
        yield f"{here} are '{shortened_text(label)}' in '{target}', {there} in training"


def _texts(first: Table, second: Table, column: Column, name: str) -> Iterator[str]:
    texts = [[str(v) for v in part.column(column.name).to_pylist() if v] for part in (first, second)]
    if min(map(len, texts)) < FEWEST:
        return
    where = f"'{column.name}'"
    written = [Counter(_script(text) for text in part) for part in texts]
    other = _Counted(written[0], written[1], len(texts[0]), len(texts[1])).differing(f"{name} texts")
    for script, here, there in other:
        yield f"{here} in {where} are in {script} script, {there} in training"
    sizes = [np.array([len(text) for text in part]) for part in texts]
    middle = [float(np.median(size)) for size in sizes]
    if numbers_differ(sizes[0], sizes[1], ALPHA) and max(middle) > 1.5 * min(middle):
        yield (
            f"half of the {name} texts in {where} have more than {middle[1]:,.0f} characters, of training texts "
            f"{middle[0]:,.0f}"
        )
    if not other:
        yield from _new_words(texts, where, name)


def _new_words(texts: Sequence[list[str]], where: str, name: str) -> Iterator[str]:
    """Words that training does not have, against how many one half of the training texts has that the other has not."""
    known = {word for text in texts[0][::2] for word in _words(text)}
    own, new = (np.array([_unknown(text, known) for text in part]) for part in (texts[0][1::2], texts[1]))
    own, new = own[~np.isnan(own)], new[~np.isnan(new)]
    if min(len(own), len(new)) < FEWEST // 2:
        return
    error = np.sqrt(own.var() / len(own) + new.var() / len(new))
    if new.mean() - own.mean() > max(WORDS, 4 * error):
        yield (
            f"{100 * new.mean():.0f} % of the words of {name} texts in {where} are new, of training texts "
            f"{100 * own.mean():.0f} % (is it another language or subject?)"
        )


def _numbers(first: Table, second: Table, column: Column, name: str) -> Iterator[str]:
    middle = _moved(*(_floats(part, column.name) for part in (first, second)))
    if middle:
        before, now = map(shown_number, middle)
        yield f"half of the {name} rows have '{column.name}' above {now}, of training rows {before}"


def _moved(first: np.ndarray, second: np.ndarray) -> tuple[float, float] | None:
    """The medians of two samples whose middle lies clearly elsewhere; None for others, and for small ones."""
    if min(len(first), len(second)) < FEWEST or not numbers_differ(first, second, ALPHA):
        return None
    middle = float(np.median(first)), float(np.median(second))
    low, high = np.quantile(first, [0.25, 0.75])
    return middle if abs(middle[1] - middle[0]) > (high - low) / 2 else None


def _dates(first: Table, second: Table, column: Column, name: str) -> Iterator[str]:
    """As numbers: a table of other rows is often one of later rows."""
    middle = _moved(*(_milliseconds(part, column.name) for part in (first, second)))
    if middle:
        days = [str(np.datetime64(round(one), "ms").astype("datetime64[D]")) for one in middle]
        yield f"half of the {name} rows have '{column.name}' after {days[1]}, of training rows {days[0]}"


def _categories(first: Table, second: Table, column: Column, name: str) -> Iterator[str]:
    """Categories by their shares, and those that training never had: more than one half of it has of the other."""
    counts = [Counter(_values(part, column.name)) for part in (first, second)]
    half = [Counter(_values(part, column.name)) for part in (first.take(np.arange(at, len(first), 2)) for at in (0, 1))]
    where = f"'{column.name}'"
    new, rows = sum(n for value, n in counts[1].items() if value not in half[0]), counts[1].total()
    own, others = sum(n for value, n in half[1].items() if value not in half[0]), half[1].total()
    unseen = sum(n for value, n in counts[1].items() if value not in counts[0])
    if _differ(own, others, new, rows, 1) and unseen / rows > LARGE:
        yield f"{_hundred(unseen, rows, name)} rows have a value of {where} that training never had"
    both = Counter({value: n for value, n in counts[1].items() if value in counts[0]})
    for value, here, there in _Counted(counts[0], both, counts[0].total(), rows).differing(f"{name} rows"):
        yield f"{here} have '{shortened_text(value)}' in {where}, {there} in training"


def _images(first: Table, second: Table, column: Column, name: str) -> Iterator[str]:
    sides = [np.array(_sides(_sampled(part, IMAGES), column.name)) for part in (first, second)]
    if min(map(len, sides)) < FEWEST:
        return
    middle = [float(np.median(part)) for part in sides]
    if numbers_differ(sides[0], sides[1], ALPHA) and max(middle) > 1.5 * min(middle):
        where = f"'{column.name}'"
        larger = f"half of the {name} images in {where} are larger than {middle[1]:,.0f} pixels"
        yield f"{larger}, of training images {middle[0]:,.0f}"


def _sounds(first: Table, second: Table, column: Column, name: str) -> Iterator[str]:
    del first, second, column, name  # to measure them, all of each would have to be decoded
    yield from ()


_LOOKS: dict[Kind, Callable[[Table, Table, Column, str], Iterator[str]]] = {
    "text": _texts,
    "number": _numbers,
    "date": _dates,
    "category": _categories,
    "image": _images,
    "audio": _sounds,
}


@dataclass(frozen=True)
class _Counted:
    """How often each value stands in the training rows and in the other ones, of so many."""

    first: Counter[str]
    second: Counter[str]
    of_first: int
    of_second: int

    def differing(self, what: str) -> list[tuple[str, str, str]]:
        """The values whose shares differ most: the value, its share in the other rows (`what`) and in training."""
        values = self.first | self.second
        found = [
            value
            for value in values
            if _differ(self.first[value], self.of_first, self.second[value], self.of_second, len(values))
        ]
        more = {value: self.second[value] / self.of_second - self.first[value] / self.of_first for value in found}
        found.sort(key=lambda value: (-round(abs(more[value]), 6), more[value] < 0))
        return [
            (value, _hundred(self.second[value], self.of_second, what), _hundred(self.first[value], self.of_first))
            for value in found[:SHOWN]
        ]


def _differ(first: int, of_first: int, second: int, of_second: int, compared: int) -> bool:
    """Whether two shares differ much, and surely so, among so many that are compared."""
    if min(of_first, of_second) < FEWEST // 2:
        return False
    one, other = first / of_first, second / of_second
    large = abs(one - other) >= LARGE and max(one, other) >= 1.5 * min(one, other)
    return large and shares_differ(first, of_first, second, of_second, ALPHA / max(1, compared))


def _hundred(count: int, of: int, what: str = "") -> str:
    """A share in words.

    >>> _hundred(18, 100), _hundred(1, 1000), _hundred(0, 50, "test rows")
    ('18 of 100', 'fewer than 1 of 100', 'none of the test rows')
    """
    if not count:
        return f"none of the {what}" if what else "none"
    share = round(100 * count / of)
    return f"{share} of 100 {what}".strip() if share else f"fewer than 1 of 100 {what}".strip()


def _sampled(table: Table, most: int) -> Table:
    if len(table) <= most:
        return table
    return table.take(np.unique(np.linspace(0, len(table) - 1, most).astype(np.int64)))


def _script(text: str) -> str:
    """The script that most letters of a text are of."""
    start = text[:200]
    if start.isascii():
        return "Latin" if any(map(str.isalpha, start)) else "no"
    found = scripts(start)
    return found.most_common(1)[0][0] if found else "no"


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text[:2000])]


def _unknown(text: str, known: set[str]) -> float:
    words = _words(text)
    return float(np.mean([word not in known for word in words])) if words else float("nan")


def _floats(table: Table, name: str) -> np.ndarray:
    values = np.array([np.nan if value is None else float(value) for value in table.column(name).to_pylist()])
    finite: np.ndarray = values[np.isfinite(values)]
    return finite


def _milliseconds(table: Table, name: str) -> np.ndarray:
    return np.asarray(table.column(name).drop_null().cast(WRITTEN, safe=False).cast(pa.int64()), np.float64)


def _values(table: Table, name: str) -> list[str]:
    return [str(value) for value in table.column(name).to_pylist() if value is not None]


def _sides(table: Table, name: str) -> list[float]:
    """The longer side of each image that can be read."""
    return [side for value in table.column(name).to_pylist() if (side := _side(value, table))]


def _side(value: Any, table: Table) -> float:
    try:
        encoded = content(value, table.folder)
        return 0.0 if encoded is None else float(max(decode(encoded).size))
    except (GraftworkError, OSError):
        return 0.0

"""How a csv file is written, judged by its first lines: separator, quotes, escapes, what stands above the header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

DELIMITERS = (",", "\t", ";", "|")
NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
_SEP_LINE = re.compile(r'^\ufeff?"?sep=(.)"?\s*$', re.IGNORECASE)
_ESCAPED_QUOTE = re.compile(r'(?<!\\)((?:\\\\)*)\\"')
_DECIMAL = re.compile(r"(?<=\d),(?=\d)")


@dataclass(frozen=True)
class Dialect:
    """delimiter, quote: the signs. spaced: a space follows the delimiter, before quotes. backslash: `\\"` is a quote
    inside quotes. above: lines above the header. comments: lines that begin with # are none of the table. said: what
    of this is worth telling, in words."""

    delimiter: str
    quote: str = '"'
    quoting: int = csv.QUOTE_MINIMAL
    spaced: bool = False
    backslash: bool = False
    above: int = 0
    comments: bool = False
    said: tuple[str, ...] = ()

    def records(self, lines: Iterator[str]) -> csv._reader:  # type: ignore[name-defined, unused-ignore]
        """The strict reader of these lines, the first ones `above` apart."""
        mended = (_ESCAPED_QUOTE.sub(r'\1""', line) for line in lines) if self.backslash else lines
        return csv.reader(
            mended,
            delimiter=self.delimiter,
            quotechar=self.quote,
            quoting=self.quoting,  # type: ignore[arg-type]
            skipinitialspace=self.spaced,
            strict=True,
        )


def find_dialect(start: str, promised: str, *, whole: bool) -> Dialect:
    """The dialect of a file that begins with `start` and is promised to have this delimiter.

    The promised delimiter is taken if the header has it, else the first that it has; another one, or other quotes, only
    where these lines can't be read so, or not well, and can be read otherwise. whole: `start` is all of the file.
    """
    lines = list(io.StringIO(start, newline=""))
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if lines and (named := _SEP_LINE.match(lines[first])):
        base = Dialect(named[1], above=first + 1)
    else:
        base = _below_comments(lines, first, promised)
    header = next((line for line in lines[base.above :] if line.strip()), "")
    if not base.above or base.comments:
        base = replace(base, delimiter=_by_header(header, promised))
    if promised == "\t" and base.delimiter == "\t":
        return base
    body = lines[base.above :]
    looks = [_Look(option, body, whole, base.delimiter) for option in _options(base, header, start)]
    plain = looks[0]
    fine = [look for look in looks if look.clean]
    if plain.clean:
        rivals = [look for look in fine if look.width == plain.width and look.option.delimiter in ";\t|"]
        decimal = plain.option.delimiter == "," and rivals and _only_decimal_commas(body)
        return rivals[0].told if decimal else plain.option
    return max(fine, key=lambda look: look.width).told if fine else base


def _by_header(header: str, promised: str) -> str:
    """The promised delimiter, unless the header has none of it and has another one."""
    return next((sign for sign in (promised, *DELIMITERS) if sign in header), promised)


def _below_comments(lines: Sequence[str], first: int, promised: str) -> Dialect:
    """Lines with # above the header are comments, but for one that has as many fields as the next line."""
    above = first
    while above < len(lines) and (lines[above].startswith(("#", "\ufeff#")) or not lines[above].strip()):
        above += 1
    if above == first or above == len(lines):
        return Dialect(promised)
    sign = _by_header(lines[above], promised)
    if above == first + 1 and lines[first].count(sign) == lines[above].count(sign) > 0:
        return Dialect(promised)
    count = sum(line.startswith(("#", "\ufeff#")) for line in lines[:above])
    return Dialect(sign, above=above, comments=True, said=(f"{_lines(count)} with # above the header left out",))


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"


def _options(base: Dialect, header: str, start: str) -> list[Dialect]:
    """The dialects that may be, the plain one first."""
    others = [sign for sign in DELIMITERS if sign in header and sign != base.delimiter]
    found = [base, *(replace(base, delimiter=sign) for sign in others)]
    for option in list(found):
        near = re.escape(option.delimiter)
        if re.search(f"{near} +[\"']", start):
            found.append(replace(option, spaced=True))
        if re.search(f"(^|{near} ?)'", start, re.MULTILINE):
            found += [replace(option, quote="'"), replace(option, quote="'", spaced=True)]
        if '\\"' in start:
            found += [replace(option, backslash=True), replace(option, backslash=True, spaced=True)]
    return found


class _Look:
    """What the first lines are when read in a dialect. clean: every record has the header's width, and no column is
    left with quotes or spaces that belong to the dialect."""

    def __init__(self, option: Dialect, lines: Sequence[str], whole: bool, usual: str) -> None:
        self.option, self.usual = option, usual
        self.width, self.clean = 0, False
        records, sound = self._records(lines, whole)
        if not records or not sound:
            return
        self.width = len(records[0])
        rows = [record[: self.width] for record in records[1:] if len(record) >= self.width]
        even = len(rows) == len(records) - 1 and not any(any(record[self.width :]) for record in records[1:])
        self.clean = (
            even and (self.width > 1 or not option.spaced) and not any(map(_is_quoted, zip(*rows, strict=True)))
        )

    def _records(self, lines: Sequence[str], whole: bool) -> tuple[list[list[str]], bool]:
        records: list[list[str]] = []
        kept = (line for line in lines if not (self.option.comments and line.startswith("#")))
        try:
            records.extend(record for record in self.option.records(kept) if record)
        except csv.Error as error:
            return records, not whole and "unexpected end" in str(error)
        return records, True

    @property
    def told(self) -> Dialect:
        """The dialect, with what is unusual about it."""
        said = {
            f"a {NAMES.get(self.option.delimiter, 'sign')} parts the fields": self.option.delimiter != self.usual,
            "a space stands before quotes": self.option.spaced,
            "single quotes stand around fields": self.option.quote == "'",
            'a quote inside quotes is written \\"': self.option.backslash,
        }
        told = tuple(words for words, holds in said.items() if holds)
        return replace(self.option, said=(*self.option.said, *told))


def _is_quoted(values: Sequence[str]) -> bool:
    """Whether all values of a column still stand in quotes."""
    present = [value.strip() for value in values if value.strip()]
    wrapped = [len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" for value in present]
    return len(present) > 1 and all(wrapped)


def _only_decimal_commas(lines: Sequence[str]) -> bool:
    rows = [line for line in lines if line.strip()][1:]
    return bool(rows) and all(line.count(",") == len(_DECIMAL.findall(line)) for line in rows)

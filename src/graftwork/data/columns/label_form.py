"""One cell with several labels: how it is written (`a;b`, `["a", "b"]`, `{a,b}`), read and written back."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

_WRAPPER = re.compile(
    r"(?:(?:np\.|numpy\.)?(?:array|Index)|(?:frozen)?set|list|tuple)\((.*?)(?:,\s*dtype=[^()]*)?\)", re.S
)
_PAIRS = {"[": "]", "{": "}", "(": ")"}
_QUOTED = re.compile(r"""(?<![^\s,;|])[bur]?(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""", re.S)
"""A quote begins a label; elsewhere (`don't`) it is an apostrophe."""
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.S)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_LONG = 100_000
"""Characters of a cell; a longer one is no list of labels, and quotes in it are not looked for."""
_NONE = frozenset(["none", "null", "nan", "<na>"])
_EMPTY = frozenset(["[]", "{}", "()"])
"""Cells that say "none of them" in a column of labels without brackets, which has no other way."""
_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?")
_WORDS = {",": "comma", " ": "space", "\t": "tab", "\n": "newline"}


class NotThisForm(ValueError):
    """A cell is not written as the others of its column are."""


@dataclass(frozen=True)
class LabelForm:
    """How a column of texts writes lists of labels.

    separator: what stands between two labels. joint: the same with the spaces around it, as predictions are written.
    opening, closing, quote: what stands around the list, and around each label; empty where nothing does.
    """

    separator: str
    joint: str = ""
    opening: str = ""
    closing: str = ""
    quote: str = ""

    def read(self, text: str) -> list[str] | None:
        """The labels of a cell; None where it says that there is no list (`None` among lists in brackets).

        Raises NotThisForm for a cell without the brackets that the others have, or with broken ones.

        >>> LabelForm(",").read("a, b,"), LabelForm(",", opening="[", closing="]").read("['a', 'b']")
        (['a', 'b'], ['a', 'b'])
        """
        if not self.opening:
            return [] if text.strip() in _EMPTY else split(text, self.separator)
        if text.strip().lower() in _NONE:
            return None
        return read_brackets(text)

    def write(self, labels: list[str]) -> str:
        """A cell with these labels, that `read` reads as these.

        >>> LabelForm(",", ", ").write(["a", "b, c"]), LabelForm(",", ", ", "[", "]", "'").write(["a"])
        ('a, "b, c"', "['a']")
        """
        return self.opening + (self.joint or self.separator).join(map(self._item, labels)) + self.closing

    @property
    def words(self) -> str:
        """For a reader: `','`, `a space`, `lists in brackets, such as ['a', 'b']`."""
        if self.opening:
            return f"lists such as {self.write(['a', 'b'])}"
        return f"parted by {called(self.separator)}"

    def state(self) -> dict[str, str]:
        return asdict(self)

    def _item(self, label: str) -> str:
        if self.quote == '"':
            return json.dumps(label, ensure_ascii=False)
        if self.quote:
            return f"'{_backslashed(label, chr(39))}'"
        if self.opening:
            bare = re.fullmatch(r"[^\s,;|'\"\\\[\](){}]([^,;|'\"\\\[\](){}\n]*[^\s,;|'\"\\\[\](){}])?", label)
            known = label.lower() in _NONE or (self.separator == " " and re.search(r"\s", label))
            return label if bare and not known else f'"{_backslashed(label, chr(34))}"'
        apart = self.separator in label or (self.separator in " \n" and re.search(r"\s", label))
        return '"' + label.replace('"', '""') + '"' if apart or label.startswith('"') else label


def called(separator: str) -> str:
    """`a comma`, `a space`, or the separator in quotes."""
    return f"a {_WORDS[separator]}" if separator in _WORDS else f"'{separator}'"


def split(text: str, separator: str) -> list[str]:
    """The parts of a text, without spaces around them and without empty ones; a part in double quotes stays whole.

    >>> split('a; "b; c";', ";"), split("#a #b", " "), split("a;#b;#", ";#")
    (['a', 'b; c'], ['#a', '#b'], ['a', 'b'])
    """
    pattern = {" ": r"\s+", "\n": r"[\r\n]+"}.get(separator) or re.escape(separator)
    if '"' not in text or len(text) > _LONG:
        parts = re.split(pattern, text)
    else:
        parts, at = [], 0
        whole = re.compile(rf'\s*"((?:[^"]|"")*)"\s*(?={pattern}|$)')
        end = re.compile(pattern)
        while at <= len(text):
            quoted = whole.match(text, at)
            found = end.search(text, quoted.end() if quoted else at)
            until = found.start() if found else len(text)
            parts.append(quoted[1].replace('""', '"') if quoted else text[at:until])
            at = found.end() if found else len(text) + 1
    return [part.strip() for part in parts if part.strip()]


def read_brackets(text: str) -> list[str]:
    """The labels of a list in brackets, as json, Python, numpy or a database write it.

    >>> read_brackets('["a", "b c"]'), read_brackets("{a,b c}"), read_brackets("['a' 'b']"), read_brackets("set()")
    (['a', 'b c'], ['a', 'b c'], ['a', 'b'], [])
    """
    inside = text.strip()
    if len(inside) <= _LONG and (wrapped := _WRAPPER.fullmatch(inside)):
        inside = wrapped[1].strip()
        if not inside:
            return []
    if len(inside) > _LONG:
        raise NotThisForm(f"{len(inside):,} characters")
    if len(inside) < 2 or _PAIRS.get(inside[0]) != inside[-1]:
        raise NotThisForm("not a list in brackets")
    return [item for item in _json(inside) or _items(inside[1:-1]) if item]


def _json(text: str) -> list[str] | None:
    """A json list of plain values; None for anything else."""
    if not text.startswith('["') or text.count("[") > 1:
        return None
    try:
        found = json.loads(text, parse_int=str, parse_float=str)
    except ValueError:
        return None
    if not all(isinstance(item, str | bool | None) for item in found):
        return None
    return [str(item).lower() if isinstance(item, bool) else _whole(item or "") for item in found]


def _whole(text: str) -> str:
    """The text with both halves of a character that stood as two escapes made one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if not text.isascii() else text


def _items(body: str) -> list[str]:
    """What stands between the brackets. Parts in quotes stay whole; the rest is split at commas, else `;` or `|`, else
    at spaces where that can be nothing else (numpy)."""
    quoted: list[str] = []

    def hold(found: re.Match[str]) -> str:
        quoted.append(_whole(_ESCAPE.sub(_plain, found[1] if found[1] is not None else found[2])))
        return f"\0{len(quoted) - 1}\0"

    if "\0" in body:
        raise NotThisForm("a NUL character")
    marked = _QUOTED.sub(hold, body)
    if any(sign in marked for sign in "[]{}"):
        raise NotThisForm("lists in a list")
    separator = next((sign for sign in ",;|" if sign in marked), None)
    if separator:
        parts = marked.split(separator)
    elif len(quoted) > 1 or all(map(_NUMBER.fullmatch, marked.split())):
        parts = re.sub("\0(?=\0)", "\0 ", marked).split()
    else:
        parts = [marked]
    return [_item(part.strip(), quoted) for part in parts]


def _item(part: str, quoted: list[str]) -> str:
    if found := re.fullmatch("\0(\\d+)\0", part):
        return quoted[int(found[1])]
    if "\0" in part:
        raise NotThisForm("a quote in the middle of a label")
    return "" if part.lower() in _NONE else part


def _plain(found: re.Match[str]) -> str:
    sign = found[1]
    return chr(int(sign[1:], 16)) if len(sign) > 1 else _ESCAPED.get(sign, sign)


def _backslashed(label: str, quote: str) -> str:
    safe = label.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return safe.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")

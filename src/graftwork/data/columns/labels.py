"""Several labels a row in a column of texts: how they are written is found, or taken from the name of a separator."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from graftwork.data.columns.label_form import LabelForm, NotThisForm, called, read_brackets, split
from graftwork.data.columns.values import same_value

SEPARATORS = (
    *(";#", "||", "::", "&&", "<br>", "\x1f", "|", ";", "\n", "\t", "，", "、", "；", "·", "•", "~", "^", ","),
    *("،", "؛", "+", "/", "&", " > ", " -> ", " - ", " – ", " and "),
)
"""What stands between labels, the unmistakable first; a space, which names hold too, is tried last."""
WORDS = {
    "comma": ",",
    "space": " ",
    "tab": "\t",
    "newline": "\n",
    "semicolon": ";",
    "bar": "|",
    "pipe": "|",
    "slash": "/",
    "plus": "+",
    "hash": "#",
    "colon": ":",
}
"""Separators that can be named by a word."""
AUTO = "auto"
_PART_OF_NAMES = ("/", "&", "+", "·", "•", "~", "^", " > ", " -> ", " - ", " – ", " and ")
"""Signs that stand in the name of one class as well (`R&B`, `and/or`)."""
_LOOKED_AT = 20_000
_MOSTLY = 0.8
_SHARED = 0.5


@dataclass(frozen=True)
class _Parted:
    """A column whose texts are split: how many labels there are, how many texts have several, and of the labels in
    those the share that another text has too."""

    labels: int
    several: int
    shared: float
    texts: int

    @property
    def convinces(self) -> bool:
        return self.several > 0 and (self.labels < self.texts or self.shared >= _SHARED)


def find_form(texts: Iterable[str]) -> LabelForm | None:
    """How these distinct texts write lists of labels; None where no separator can be told.

    Of several separators it is the one under which the fewest labels are left: they recur, whole lists hardly do.

    >>> find_form(["a, b", "b", "a, c"]), find_form(["yes", "no"])
    (LabelForm(separator=',', joint=', ', opening='', closing='', quote=''), None)
    """
    looked_at = _some(texts)
    if _in_brackets(looked_at):
        return _bracket_form(looked_at)
    if _are_objects(looked_at):
        return None
    tried = {sign: _parted(looked_at, sign) for sign in SEPARATORS if any(sign in text for text in looked_at)}
    tried = {sign: found for sign, found in tried.items() if found.several}
    best = min(tried, key=lambda sign: tried[sign].labels, default=None)
    if best is not None and tried[best].convinces:
        return plain_form(looked_at, best)
    space = _parted(looked_at, " ")
    if space.convinces and space.shared >= _SHARED:
        return plain_form(looked_at, " ")
    if best is not None and 2 * tried[best].several >= tried[best].texts:
        return plain_form(looked_at, best)
    return plain_form(looked_at, " ") if 2 * space.several >= space.texts and best is None and space.several else None


def named_form(texts: Iterable[str], separator: str) -> LabelForm | None:
    """How these texts write lists, whose separator the user named; None where no text holds it."""
    looked_at = _some(texts)
    if _in_brackets(looked_at):
        form = _bracket_form(looked_at)
        if form.separator == separator:
            return form
    return plain_form(looked_at, separator) if any(separator in text for text in looked_at) else None


def plain_form(texts: Iterable[str], separator: str) -> LabelForm:
    """Labels with this separator between them, with the spaces around it that are usual in these texts."""
    if separator.isspace():
        return LabelForm(separator, separator)
    around = Counter(re.findall(rf"(?<=\S)( ?){re.escape(separator)}( ?)(?=\S)", "\n".join(texts)))
    before, after = max(around, key=lambda pair: (around[pair], pair == ("", "")), default=("", ""))
    return LabelForm(separator, f"{before}{separator}{after}")


def looks_like_lists(texts: Iterable[str]) -> LabelForm | None:
    """How texts write lists of labels if they do, judged more strictly: for a column that is read as classes."""
    looked_at = _some(texts)
    if _in_brackets(looked_at):
        return _bracket_form(looked_at) if any(len(read_brackets(text)) > 1 for text in looked_at) else None
    if _are_objects(looked_at):
        return None
    signs = [sign for sign in SEPARATORS if sign not in _PART_OF_NAMES and any(sign in text for text in looked_at)]
    tried = {sign: _parted(looked_at, sign) for sign in [*signs, " "]}
    for sign in sorted(tried, key=lambda sign: (sign == " ", tried[sign].labels)):
        found = tried[sign]
        often, shared = (0.5, 0.75) if sign == " " else (0.2, _SHARED)
        if found.several >= often * found.texts and found.shared >= shared and 2 < found.labels <= found.texts:
            return plain_form(looked_at, sign)
    return None


def list_warning(texts: Iterable[str], name: str) -> list[str]:
    """A line for the user where a column of one class a row looks as if it held lists; none otherwise."""
    form = looks_like_lists(texts)
    if form is None:
        return []
    return [
        f"warning: {name}: the values look like lists of labels ({form.words}), but each is taken for a class of its "
        "own. For several labels a row say --task multilabel."
    ]


def seen_separators(texts: Iterable[str]) -> list[str]:
    """Separators that some of the texts hold, in words, the likeliest first."""
    looked_at = _some(texts)
    found = {sign: _parted(looked_at, sign) for sign in (*SEPARATORS, " ") if any(sign in text for text in looked_at)}
    return [called(sign) for sign in sorted(found, key=lambda sign: (sign == " ", found[sign].labels))]


def are_marks(labels: Iterable[str]) -> bool:
    """Whether the labels are marks for yes and no, as a column a label (or a 0/1 vector) holds them."""
    found = {label.strip().lower() for label in labels}
    return bool(found) and (found <= {"0", "1", "0.0", "1.0"} or found <= {"true", "false"} or found <= {"yes", "no"})


def _some(texts: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    step = -(-len(found) // _LOOKED_AT) or 1
    return found[::step]


def _parted(texts: list[str], separator: str) -> _Parted:
    lists = [(text, dict.fromkeys(map(same_value, split(text, separator)))) for text in texts]
    counts = Counter(label for _, labels in lists for label in labels)
    several = [labels for text, labels in lists if len(labels) > 1]
    inside = [label for labels in several for label in labels]
    shared = sum(counts[label] > 1 for label in inside) / max(1, len(inside))
    return _Parted(len(counts), len(several), shared, len(texts))


def _in_brackets(texts: list[str]) -> bool:
    return bool(texts) and sum(map(_is_bracketed, texts)) >= _MOSTLY * len(texts)


def _are_objects(texts: list[str]) -> bool:
    """Whether most texts are objects of json or Python, or lists of them: what of them is a label can't be told."""
    return sum(map(bool, map(_OBJECT.match, texts))) > _SHARED * len(texts)


_OBJECT = re.compile(r"""\[?\s*\{\s*(['"])[^'"]*\1\s*:""")


def _is_bracketed(text: str) -> bool:
    try:
        read_brackets(text)
    except NotThisForm:
        return False
    return True


def _bracket_form(texts: list[str]) -> LabelForm:
    """The brackets, quotes and signs that most of these lists have."""
    sound = [text for text in texts if _is_bracketed(text)]
    seen = Counter(form for text in sound if len(read_brackets(text)) > 1 and (form := _form_of(text)))
    seen = seen or Counter(form for text in sound if (form := _form_of(text)))
    return seen.most_common(1)[0][0] if seen else LabelForm(",", ", ", "[", "]", '"')


def _form_of(text: str) -> LabelForm | None:
    found = re.search(r"""([\[{(])\s*(['"]?)(.*)([\]})])""", text, re.S)
    if found is None or not found[3].strip():
        return None
    quote, body = found[2], found[3]
    between = re.search(rf"{quote}(\s*[,;|]\s*|\s+){quote}", body) if quote else re.search(r"\s*[,;|]\s*", body)
    joint = " ".join(between[0].strip(quote).split(" ")) if between else ", "
    joint = " " if joint.isspace() else joint
    if not between and not quote and " " in body.strip():
        joint = " " if all(re.fullmatch(r"[-+]?\d+(\.\d*)?", part) for part in body.split()) else ", "
    return LabelForm(joint.strip() or " ", joint, found[1], found[4], quote)

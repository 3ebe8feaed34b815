"""When two written values are one value: certainly (`7` and `7.0`, one letter coded in two ways), or only probably."""

from __future__ import annotations

import html
import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
)
"""Characters that leave no mark on a page, as a range for a regular expression."""
_NOTHING = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
"""Those that change nothing wherever they stand; others (joiners in Persian, Hindi, emoji) go at the ends only."""
_EDGES = re.compile(f"^[\\s{INVISIBLE}]+|[\\s{INVISIBLE}]+$")
_ROOM = re.compile(r"[^\S\n\r\t]")
_WHOLE = re.compile(r"([-+]?\d+)\.0+")
_TRUTH = {"true", "false"}
BLANK = r"^[\p{Z}\p{Cc}\p{Cf}\x{034f}\x{115f}\x{1160}\x{2800}\x{3164}\x{fe00}-\x{fe0f}\x{ffa0}]*$"
"""What shows nothing at all, for Arrow's regular expressions."""


def same_value(text: str) -> str:
    """What all ways to write one value have in common; values that differ here may mean different things.

    Letters with accents are coded in one way (NFC), invisible characters and white space around are left out, a
    no-break space is a space, whole numbers lose their `.0`, and `True` is `true`.

    >>> same_value(" 7.0"), same_value("cafe\\u0301") == "caf\\u00e9", same_value("po\\u200bs\\u00a0")
    ('7', True, 'pos')
    """
    if text.isascii():
        plain = text.strip()
    else:
        plain = _NOTHING.sub("", unicodedata.normalize("NFC", text))
        plain = _ROOM.sub(" ", _EDGES.sub("", plain).strip())
    if plain.endswith("0") and (whole := _WHOLE.fullmatch(plain)):
        return whole[1]
    return plain.lower() if plain.lower() in _TRUTH else plain


def likely_same(text: str) -> str:
    """What values have in common that people would probably read as one: for warnings, never for merging.

    Upper and lower case, accents, full-width letters, `&amp;`, kinds of hyphens, underscores, quotes and spaces, marks
    at the end, and zeros in front of a whole number make no difference here.

    >>> likely_same("Not_Spam."), likely_same("R&amp;B"), likely_same("007"), likely_same("C++") == likely_same("C")
    ('not spam', 'r&b', '7', False)
    """
    plain = unicodedata.normalize("NFKC", html.unescape(same_value(text))).casefold()
    plain = re.sub(f"[{INVISIBLE}]", "", plain)
    if not plain.isascii():
        plain = _without_accents(plain)
        plain = plain.translate(_KINDS)
    plain = re.sub(r"(?<=\w)[-_]+(?=\w)|_+", " ", plain)
    plain = " ".join(plain.split())
    shorter = plain.strip("'\"").rstrip(".,;:!? ").strip()
    zeros = re.fullmatch(r"0+(\d+)", shorter)
    return zeros[1] if zeros else shorter or plain or text


_KINDS = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        "。": ".",
        "、": ",",
    }
)


def _without_accents(text: str) -> str:
    """Latin, Greek and Cyrillic letters without their marks; in other scripts a mark makes another letter."""
    kept: list[str] = []
    for character in unicodedata.normalize("NFD", text):
        mark = "\u0300" <= character <= "\u036f"
        if not (mark and kept and (kept[-1] < "\u0530") and not (kept[-1] == "\u0438" and character == "\u0306")):
            kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept)).replace("ß", "ss")


def same_values(part: pa.Array) -> pa.Array:
    """`same_value` of every text; each distinct one is looked at once."""
    coded = pc.dictionary_encode(part.cast(pa.string()))
    plain = pa.array([same_value(value) for value in coded.dictionary.to_pylist()], pa.string())
    return plain.take(coded.indices)


def is_blank(part: pa.Array) -> pa.Array:
    """Which texts show nothing: white space and invisible characters alone. Null where the text is null."""
    return pc.match_substring_regex(part, BLANK)

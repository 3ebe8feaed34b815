"""One written number taken apart: sign, digits with their separators, exponent, magnitude (K, M) and unit."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from graftwork.data.columns.values import INVISIBLE

_MISSING = """
- -- --- . .. ... ? ?? na n/a n.a. n.a n/d n.d. nan -nan null (null) none nil <na> #n/a #na #div/0! #value! #ref!
#name? #num! #null! \\n 1.#ind -1.#ind 1.#qnan #nv #wert! #bezug! #zahl! #valeur! #nombre! #n/d #valor! #¡valor!
#¡div/0! #¡ref! #¡num! #valore! #rif! #waarde! #verw! #arg! #adr! #spill! #calc! #getting_data
"""
MISSING_NUMBERS = frozenset(_MISSING.split()) | {"", "#n/a n/a"}
"""How tables write a missing number, as `plain_text` gives it. In a text or a class name these stay what they are."""
USUAL_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "#n/a", "-"})
"""Those that need no word."""

FRACTIONS = "fractions"
_EDGES = re.compile(f"^[\\s{INVISIBLE}]+|[\\s{INVISIBLE}]+$")
_INSIDE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_MINUS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u207b\ufe58\ufe63\uff0d"
_QUOTE = "\u2019\u2018\u02bc\u2032\u00b4\u0060\u02b9\uff07"
_SIGNS = str.maketrans(
    dict.fromkeys(_MINUS, "-") | dict.fromkeys(_QUOTE, "'") | {"\u066b": ".", "\u066c": ",", "\u066a": "%"}
)
_MAGNITUDES = {
    **dict.fromkeys(("k", "K", "tsd", "Tsd", "Tsd."), 1e3),
    **dict.fromkeys(("M", "mn", "Mn", "mio", "Mio", "Mio.", "mln", "million", "Million", "millions"), 1e6),
    **dict.fromkeys(("bn", "Bn", "BN", "mrd", "Mrd", "Mrd.", "billion", "Billion", "billions"), 1e9),
    **dict.fromkeys(("万", "萬"), 1e4),
    "亿": 1e8,
}
_SAME_UNITS = {"€": "EUR", "£": "GBP", "us$": "USD", "₹": "INR", "rs": "INR", "rs.": "INR", "¥": "JPY", "fr.": "CHF"}
_LONGEST = 80
_NO_UNITS = re.compile(
    r"^(st|nd|rd|th|am|pm|a\.m\.|p\.m\.|e|x|(jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*\.?|"
    r"[年月日時时分].*)$",
    re.IGNORECASE,
)
_LETTER = r"[^\W\d_]"
_EACH = (
    r"/\s?(?:month|mo|mth|year|yr|y|hour|hr|h|day|d|week|wk|min|sec|s|night|person|unit|each|ea|piece|pc|kg|g|lb|oz|l|km|mile|"
    r"mi|m2|sqm|sqft|ft2|m)\b\.?"
)
_UNIT = (
    rf"{_EACH}|[^\W\d_%‰°$€£¥₹₽₩₺₫₴₦₱₪฿][^\d]*|"
    rf"(?:[%‰°$€£¥₹₽₩₺₫₴₦₱₪฿]|{_LETTER})[^\d\s(),;=]*(?:\s{_LETTER}+){{0,2}}[23]?"
)
_SYMBOLS = "$€£¥₹₽₩₺₫₴₦₱₪฿₡₲₵₸₼"
_CODES = (
    "AED ARS AUD BDT BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP GHS HKD HRK HUF IDR ILS INR ISK JPY KES KRW KZT "
    "LKR MAD MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RMB RON RSD RUB SAR SEK SGD THB TND TRY TWD TZS UAH UGX USD UYU "
    "VND ZAR"
)
_BEFORE = rf"(?:[A-Z]{{0,3}}[{_SYMBOLS}]|{'|'.join(_CODES.split())}|(?i:rs\.?|kr\.?|fr\.|元|人民币)|%)"
_NUMBER = re.compile(
    rf"(?P<sign>[-+]?)\s*(?P<before>{_BEFORE})?\s*(?P<inner>[-+]?)\s*"
    r"(?P<body>\d[\d.,' ]*\d|\d[.,]?|[.,]\d+)"
    r"(?P<exponent>\s?(?:[eE]\s?|[x×*·]\s?10\s?\^?\s?)[-+]?\d+)?"
    rf"\s*(?P<after>{_UNIT})?\s*(?P<trailing>-?)"
)
_FRACTION = re.compile(r"([-+]?)(?:(\d+)\s+)?(\d+)/(\d+)")
_NO_CENTS = re.compile(r"(?<=\d)(?:([.,])--?|/-)(?!\d)")
"""`5,-`, `5.–` and `5/-`: no cents; the sign of decimals is told all the same."""
_ZERO = re.compile(rf"{_BEFORE}\s*--?|--?\s*(?:[{_SYMBOLS}]|{'|'.join(_CODES.split())})")
"""`$ -`: nought in the accounting format of spreadsheets."""
_MARKED = re.compile(r"""^=?"(.*)"$|^'(?=[-+\d.,(])""")


@dataclass(frozen=True)
class Written:
    """A number as it is written. body: digits with separators, or a fraction. factor: sign, exponent and magnitude.

    unit: in one spelling (`EUR` for `€`); shown: as it stands. marks: what is not plain about it, in words.
    """

    body: str
    factor: float = 1.0
    exponent: int = 0
    unit: str = ""
    shown: str = ""
    marks: tuple[str, ...] = ()


def plain_text(text: str) -> str:
    """The text with one kind of space, minus and digit, without what can't be seen at its ends."""
    if text.isascii():
        return text.strip()
    shown = _EDGES.sub("", text)
    shown = re.sub(r"(?<=\d)\s?([⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+)", lambda found: "^" + found[1].translate(_RAISED), shown)
    shown = re.sub(r"(?<=\d)(?=[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])", " ", shown).replace("²", "2").replace("³", "3")
    shown = unicodedata.normalize("NFKC", shown.translate(_SIGNS)).translate(_SIGNS).replace("\u2044", "/")
    shown = _INSIDE.sub("", shown)
    return "".join(_plain_character(character) for character in shown).strip()


def is_missing_number(text: str) -> bool:
    """Whether it stands for a missing number: empty, `NA`, a dash, a spreadsheet's error."""
    if len(text) > _LONGEST:
        return not text.strip()
    return text.strip().lower() in MISSING_NUMBERS or (
        not text.isascii() and plain_text(text).lower() in MISSING_NUMBERS
    )


@lru_cache(maxsize=4096)
def take_apart(text: str) -> Written | None:
    """The parts of a written number; None for what is none. What its separators mean is left to its column.

    >>> take_apart("−1 234,50 €").body, take_apart("(12 %)").factor, take_apart("12 May")
    ('1 234,50', -1.0, None)
    """
    if len(text) > _LONGEST:
        return None
    plain, marks = plain_text(text), list[str]()
    if marked := _MARKED.match(plain):
        plain, marks = (marked[1] if marked[1] is not None else plain[1:]).strip(), ["a spreadsheet's mark for text"]
    negative = 1.0
    if closed := re.fullmatch(r"(\D{0,4})\((.*)\)(\D{0,4})", plain):
        plain, negative = f"{closed[1]}{closed[2].strip()}{closed[3]}".strip(), -1.0
        marks.append("parentheses for minus")
    plain = _NO_CENTS.sub(lambda found: f"{found[1]}00" if found[1] else "", plain)
    if _ZERO.fullmatch(plain):
        plain, marks = re.sub("--?", "0", plain), ["a dash for zero"]
    if fraction := _FRACTION.fullmatch(plain):
        return _fraction(fraction, negative, marks)
    found = _NUMBER.fullmatch(plain)
    if found is None or (found["sign"] and found["inner"]) or (negative < 0 and found["sign"]):
        return None
    if found["trailing"]:
        if found["sign"] or found["inner"] or negative < 0:
            return None
        marks.append("minus at the end")
    factor = negative * (-1.0 if "-" in (found["sign"] + found["inner"], found["trailing"]) else 1.0)
    after = (found["after"] or "").strip()
    magnitude, after = _magnitude(after.replace("/ ", "/"))
    unit, shown = _unit(found["before"] or "", after)
    if unit is None:
        return None
    if magnitude != 1.0:
        marks.append("K, M or the like for thousands and millions")
    marks += _signs_of(text)
    exponent = int(re.sub(r".*?([-+]?\d+)$", r"\1", found["exponent"])) if found["exponent"] else 0
    if found["exponent"] and re.match(r"\s?[x×*·]", found["exponent"]):
        marks.append("powers of ten")
    if abs(exponent) > 400:
        return None
    return Written(found["body"], factor * magnitude, exponent, unit, shown, tuple(marks))


def _fraction(found: re.Match[str], negative: float, marks: list[str]) -> Written | None:
    sign, whole, above, below = found.groups()
    if int(below) == 0 or (sign and negative < 0):
        return None
    value = int(whole or 0) + int(above) / int(below)
    return Written(repr(value), -negative if sign == "-" else negative, marks=(*marks, FRACTIONS))


def _magnitude(after: str) -> tuple[float, str]:
    """What a `K` or `million` in front of the unit multiplies by, and the unit that is left."""
    first, _, rest = after.partition(" ")
    if first in _MAGNITUDES:
        return _MAGNITUDES[first], rest.strip()
    for sign in ("k", "K", "M", "万", "萬", "亿"):
        left = after.removeprefix(sign)
        if left != after and left[:1] in "$€£¥元":
            return _MAGNITUDES[sign], left
    return 1.0, after


def _unit(before: str, after: str) -> tuple[str | None, str]:
    """The unit in one spelling, and as it stands; None where what stands there is no unit."""
    shown = " ".join(f"{before} {after}".split())
    if not shown:
        return "", ""
    if len(shown) > 24 or (after and _NO_UNITS.match(after)) or (before and _NO_UNITS.match(before)):
        return None, ""
    plain = [" ".join(part.split()) for part in (before, after) if part]
    parts = [_SAME_UNITS.get(part.lower(), part) for part in plain]
    unit = " ".join(part if part.isupper() or len(part) < 3 else part.lower().rstrip(".") for part in parts)
    return (unit[:-1] if len(unit) > 3 and unit.islower() and unit.endswith("s") else unit), shown


def _signs_of(text: str) -> list[str]:
    if text.isascii():
        return []
    found = ["a typographic minus"] if re.search(rf"[{_MINUS}]\W*\d", text) else []
    if any(unicodedata.category(character) == "Nd" and not character.isascii() for character in text):
        found.append("digits of another script")
    return found


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return " " if category == "Zs" else character

"""Names in a zip: in UTF-8 where they say so or can only be that, else in the encoding in which they are words.

A zip made by an old program, or by Windows, holds names in the encoding of its system and does not say which. Names are
short, so all of them are judged together, by letters: a wrong encoding gives signs, or characters that hardly occur.
"""

from __future__ import annotations

import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise

from graftwork.data.media.paths import shortened

SURE = 0.7
"""Share of the characters beyond ASCII that must be usual ones for an encoding to be believed."""
_UNICODE_PATH = 0x7075
_UTF8 = 0x800
_SHOWN = 3


def names_of(members: Sequence[zipfile.ZipInfo]) -> tuple[list[str], str | None]:
    """The members' names, with / between folders and letters joined to their accents; and what was made of names that
    don't say how they are written, None where that was no question."""
    given = [_said(member) for member in members]
    raw = [member.orig_filename.encode("cp437") for member, name in zip(members, given, strict=True) if name is None]
    unclear = [name for name in raw if not name.isascii()]
    encoding, note = _judged(unclear) if unclear else ("ascii", None)
    left = iter(raw)
    names = [next(left).decode(encoding, errors="replace") if name is None else name for name in given]
    return [unicodedata.normalize("NFC", name.replace("\\", "/")) for name in names], note


def _said(member: zipfile.ZipInfo) -> str | None:
    """The name in UTF-8 as the member says it: by its flag, or in a field of its own beside the old name."""
    if member.flag_bits & _UTF8:
        return member.orig_filename
    raw, extra = member.orig_filename.encode("cp437"), member.extra
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        held, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(held) > 5 and held[1:5] == struct.pack("<I", zlib.crc32(raw)):
            try:
                return held[5:].decode()
            except UnicodeDecodeError:
                return None
    return None


def _judged(names: Sequence[bytes]) -> tuple[str, str | None]:
    try:
        return "utf-8", _note("UTF-8", [name.decode() for name in names])
    except UnicodeDecodeError:
        pass
    scores = {encoding: _score(names, encoding, usual) for encoding, (_, usual) in ENCODINGS.items()}
    best = max(scores, key=lambda encoding: scores[encoding])  # of equals the first
    if scores[best] >= SURE:
        return best, _note(ENCODINGS[best][0], [name.decode(best) for name in names])
    found = [name.decode("cp437") for name in names]
    return "cp437", f"{_note('code page 437', found)}; if these are no words, pack the files again with UTF-8 names"


def _note(words: str, names: Sequence[str]) -> str:
    parts = dict.fromkeys(
        part for name in names for part in re.split(r"[/\\]", unicodedata.normalize("NFC", name)) if not part.isascii()
    )
    shown = [shortened(part)[:40] for part in list(parts)[:_SHOWN]]
    more = ", …" if len(parts) > _SHOWN else ""
    return f"names that don't say their encoding are read as {words}: {', '.join(shown)}{more}"


def _score(names: Sequence[bytes], encoding: str, usual: Callable[[str, bytes], float]) -> float:
    """How usual the characters beyond ASCII are, on the mean, from 0 to 1; 0 where the names can't be decoded."""
    values: list[float] = []
    for name in dict.fromkeys(names):
        try:
            text = name.decode(encoding)
        except UnicodeDecodeError:
            return 0.0
        calm = _is_calm(text)
        beyond = (character for character in text if not character.isascii())
        values += [usual(character, character.encode(encoding)) * (1.0 if calm else 0.6) for character in beyond]
    return sum(values) / len(values) if values else 0.0


def _is_calm(text: str) -> bool:
    """Whether the words look like words: no capital behind a small letter and no letters of two scripts side by side,
    as there are where an encoding is mistaken."""
    for a, b in pairwise(text):
        if (a + b).isascii() or not (a.isalpha() and b.isalpha()):
            continue
        if (a.islower() and b.isupper()) or _script_of(a) != _script_of(b):
            return False
    return True


def _script_of(letter: str) -> str:
    """LATIN, CYRILLIC, …; that of Chinese and Japanese is one."""
    script = unicodedata.name(letter, "").split(" ")[0]
    return "CJK" if script in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "FULLWIDTH") else script


def _gb(character: str, code: bytes) -> float:  # noqa: ARG001
    """The first level of GB 2312 holds what is usual, its second what is not, and nothing else is in names."""
    if len(code) != 2 or code[0] < 0xA1 or code[0] > 0xF7 or code[1] < 0xA1:
        return 0.0
    return 1.0 if 0xB0 <= code[0] <= 0xD7 else 0.4 if code[0] >= 0xD8 else 0.8 if code[0] <= 0xA3 else 0.0


def _big5(character: str, code: bytes) -> float:  # noqa: ARG001
    return 0.0 if len(code) != 2 else 0.98 if 0xA4 <= code[0] <= 0xC6 else 0.35 if 0xC9 <= code[0] <= 0xF9 else 0.3


def _shift_jis(character: str, code: bytes) -> float:
    if len(code) != 2:  # half-width katakana: any two bytes of Chinese are such
        return 0.1
    return 1.0 if "\u3040" <= character <= "\u30ff" or 0x88 <= code[0] <= 0x97 else 0.6


def _korean(character: str, code: bytes) -> float:
    """Usual syllables are Chinese characters of GB 2312 in other encodings: only the most frequent ones tell."""
    if len(code) != 2 or not "\uac00" <= character <= "\ud7a3" or code[1] < 0xA1:
        return 0.0
    return 1.6 if character in _SYLLABLES else 0.7


_SYLLABLES = frozenset(
    "이다는을의에가고하지를한도로은사나기어인리자아스시그있대정수일해라서전부동상들과여보거만장신오원제주조안면성적게구음생비국"
    "차물개무우미소양산모공식선화경학운문강행호회유터트마방파발남여자목색바야치토말"
)
_WEST = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŒ")
_CENTRE = frozenset("ąćęłńóśźżáčďéěíňřšťúůýžőűăâîşţđľĺŕôäöüĄĆĘŁŃÓŚŹŻÁČĎÉĚÍŇŘŠŤÚŮÝŽŐŰĂÂÎŞŢĐĽĹŔÔÄÖÜ")


def _letters(known: frozenset[str], worth: float) -> Callable[[str, bytes], float]:
    return lambda character, code: worth if character in known else 0.0  # noqa: ARG005


def _script(first: str, last: str, usual: str, worth: float) -> Callable[[str, bytes], float]:
    def score(character: str, code: bytes) -> float:  # noqa: ARG001
        if not first <= character <= last:
            return 0.0
        return worth if character.lower() in usual else 0.8 * worth

    return score


ENCODINGS: dict[str, tuple[str, Callable[[str, bytes], float]]] = {
    "cp932": ("Shift-JIS (Japanese)", _shift_jis),
    "gb18030": ("GB18030 (Chinese: GBK, GB2312)", _gb),
    "big5": ("Big5 (Chinese)", _big5),
    "cp949": ("EUC-KR (Korean)", _korean),
    "cp1252": ("Windows-1252 (Western Europe, Latin-1)", _letters(_WEST, 0.99)),
    "cp850": ("code page 850 (Western Europe, DOS)", _letters(_WEST, 0.98)),
    "cp1250": ("Windows-1250 (Central Europe)", _letters(_CENTRE, 0.97)),
    "cp852": ("code page 852 (Central Europe, DOS)", _letters(_CENTRE, 0.96)),
    "cp1251": ("Windows-1251 (Cyrillic)", _script("\u0400", "\u045f", "оаеинтсрвлкмдпуяыьбгзчйхжшюцщэфё", 1.0)),
    "cp866": ("code page 866 (Cyrillic, DOS)", _script("\u0400", "\u045f", "оаеинтсрвлкмдпуяыьбгзчйхжшюцщэфё", 0.99)),
    "cp1253": ("Windows-1253 (Greek)", _script("\u0384", "\u03ce", "αοιετσνηυράόίέήύώςκλμπγδθβφχψξζω", 0.95)),
    "cp737": ("code page 737 (Greek, DOS)", _script("\u0384", "\u03ce", "αοιετσνηυράόίέήύώςκλμπγδθβφχψξζω", 0.94)),
    "cp874": ("Windows-874 (Thai)", _script("\u0e01", "\u0e5b", "านรอกเงมย่้วลดทีสแคิบหตะัปพไุข", 0.85)),
    "cp1255": ("Windows-1255 (Hebrew)", _script("\u05b0", "\u05ea", "יוהלאברמתשנעקדפחסגצזכטםןץףך", 0.9)),
    "cp1256": ("Windows-1256 (Arabic)", _script("\u0621", "\u064a", "اليمنوترهبسدعفكقحةجشصخذطزضىغث", 0.85)),
}
"""In the order in which they are believed where two read the names equally well."""

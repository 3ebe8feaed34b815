"""In which encoding a text file is written that is not UTF-8: named only where the letters leave no doubt."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO

from graftwork.errors import UsageError

_WORD = re.compile(r"""[^\s,;|"]+""")
"""What is looked at once, however often it stands there."""
_SAMPLE = 1 << 16
"""Bytes of lines with letters beyond ASCII that are looked at."""
_ALIASES = {
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "ms932", "windows-31j"), "cp932"),
    **dict.fromkeys(("euc-kr", "euc_kr", "ks_c_5601", "uhc"), "cp949"),
    **dict.fromkeys(("gbk", "gb2312", "gb-2312", "cp936"), "gb18030"),
    **dict.fromkeys(("utf8", "utf-8", "utf_8", "utf-8-sig"), "utf-8-sig"),
    "ansi": "cp1252",
}
"""What tables are really written in where they are said to be in one of these: the encoding with more characters."""


@dataclass(frozen=True)
class Guess:
    """An encoding, what it is called, and a piece of the text read so."""

    encoding: str
    words: str
    text: str


def known_encoding(name: str) -> str:
    """Python's name of an encoding of texts. Raises UsageError for an unknown one, and for what is no encoding."""
    try:
        found = codecs.lookup(_ALIASES.get(name.strip().lower(), name.strip()))
    except (LookupError, ValueError):
        found = None
    if found is None or not getattr(found, "_is_text_encoding", True) or found.name in ("idna", "punycode", "utf-7"):
        raise UsageError(
            f"--encoding {name}: there is no such encoding. Expected a name such as utf-8, cp1252 (Western Europe), "
            "cp1250 (Central Europe), cp1251 (Cyrillic), cp932 (Japanese), cp949 (Korean), gb18030 or big5 (Chinese), "
            "utf-16."
        )
    return found.name


def guess_encoding(file: BinaryIO) -> Guess | None:
    """The encoding of a file that is not UTF-8; None unless one alone decodes all of it and gives real words.

    Every encoding that is common in tables is tried. Its text must hold nothing but letters of one language or script
    in usual proportions; where two fit, charset-normalizer settles it, or nothing is said.
    """
    sample = _lines_of_interest(file)
    fitting: dict[str, str] = {}
    for name, (_, fits) in _KNOWN.items():
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            continue
        if text not in fitting.values() and fits(" ".join(dict.fromkeys(_WORD.findall(text)))):
            fitting[name] = text
    sure = next(iter(fitting)) if len(fitting) == 1 else _settled(sample, fitting)
    if sure is None or not _decodes(file, sure):
        return None
    return Guess(sure, _KNOWN[sure][0], _shown(fitting[sure]))


def _settled(sample: bytes, fitting: dict[str, str]) -> str | None:
    if not fitting:
        return None
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=sorted(fitting)).best()
    return best.encoding if best is not None and best.encoding in fitting and best.coherence > 0.2 else None


def _lines_of_interest(file: BinaryIO) -> bytes:
    """Whole lines with bytes beyond ASCII, from the start of the file, about 64 KiB of them."""
    held: list[bytes] = []
    size = 0
    file.seek(0)
    for line in iter(lambda: file.readline(_SAMPLE), b""):
        if not line.isascii() and line.endswith((b"\n", b"\r")) | (not held):
            held.append(line)
            size += len(line)
            if size > _SAMPLE:
                break
    return b"".join(held)


def _decodes(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        for block in iter(lambda: file.read(1 << 20), b""):
            decoder.decode(block)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _shown(text: str) -> str:
    """A line that shows letters by which a reader can tell."""
    lines = [" ".join(line.split()) for line in text.splitlines() if not line.isascii()]
    line = max(lines[:20], key=lambda line: sum(map(_beyond, line)) / len(line))
    at = max(0, next(index for index, character in enumerate(line) if _beyond(character)) - 10)
    return line[at : at + 40]


def _beyond(character: str) -> bool:
    return character > "\x7f"


_SIGNS = set("«»“”„‘’‚‹›–—…•°§€£©®™²³½¼·\u00a0´¿¡ªº×")
_QUOTES = set("“”‘’–—…•\u00a0")
"""What word processors put into English; one byte in all encodings of Windows."""
_PUNCTUATION = set("　、。，；：？！（）「」『』【】《》“”‘’…—～·￥％－＋／")


def _letters(text: str) -> str:
    return "".join(character for character in text if _beyond(character) and character not in _SIGNS | _PUNCTUATION)


def _share(letters: str, found: Iterable[bool]) -> float:
    return sum(found) / max(1, len(letters))


def _latin(*alphabets: tuple[str, str], least: int = 1) -> Callable[[str], bool]:
    """Whether a text holds letters of one of these languages and no others: (all letters, those it can't do without).

    least: so many different ones of the latter must stand there. Letters that are others in the neighbouring encoding
    don't count alone, and a sign inside a word (`Å¡`) shows that letters were read as signs.
    """

    def fits(text: str) -> bool:
        letters = _letters(text)
        if not letters:
            signs = set(filter(_beyond, text))
            return least == 1 and signs <= _QUOTES and bool(signs & set("“”’")) and not _INSIDE.search(text)
        low = set(letters.lower())
        if len(letters) < 3 * (least - 1) or (least == 1 and len(low) == 1 and low <= _DOUBTFUL):
            return False
        if _INSIDE.search(text) or 2 * sum(map(str.isupper, letters)) > len(letters) or not _calm(text):
            return False
        around = sum(len(word) for word in re.findall(r"[^\W\d_]+", text) if not word.isascii())
        if len(letters) > 0.6 * around:  # most letters of Latin words are plain
            return False
        return any(low <= set(every) and len(low & set(core)) >= min(least, len(core)) for every, core in alphabets)

    return fits


def _several(fits: Callable[[str], bool]) -> Callable[[str], bool]:
    """For encodings that are rare today: with two different letters at least."""
    return lambda text: len(set(_letters(text).lower())) > 1 and fits(text)


_DOUBTFUL = set("êèæøãõïûùìòñàåþðýŷ")
_INSIDE = re.compile(r"[^\W\d_](?![^\W\d_])[^\s\x00-\x7f’‘·–—][^\W\d_]")


def _calm(text: str) -> bool:
    """Whether capitals hardly stand behind small letters, as they do where two alphabets are mistaken."""
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii() and word.lower() != word.upper()]
    wild = sum(bool(re.search(r"[^\W\d_]", word)) and not (word[1:].islower() or word.isupper()) for word in words)
    return wild <= 0.1 * len(words) + sum(len(word) == 1 for word in words)


def _alphabet(first: str, last: str, common: str, least: float) -> Callable[[str], bool]:
    """Whether the letters are of one script, and so many of them the common ones."""

    def fits(text: str) -> bool:
        letters = _letters(text)
        here = _share(letters, (first <= character <= last for character in letters))
        usual = _share(letters, (character in common for character in letters.lower()))
        mixed = re.search(f"[a-z][{first}-{last}]|[{first}-{last}][a-z]", text, re.IGNORECASE)
        small = letters.lower() == letters.upper() or sum(map(str.islower, letters)) > 0.5 * len(letters)
        return len(letters) >= 10 and here >= 0.97 and usual >= least and not mixed and small and _calm(text)

    return fits


def _chinese(common: str) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        letters = _letters(text)
        han = _share(letters, ("\u4e00" <= character <= "\u9fff" for character in letters))
        usual = _share(letters, (character in common for character in letters))
        return len(letters) >= 4 and han >= 0.95 and usual >= 0.3

    return fits


def _japanese(text: str) -> bool:
    letters = _letters(text)
    kana = _share(letters, ("\u3040" <= character <= "\u30ff" for character in letters))
    han = _share(letters, ("\u4e00" <= character <= "\u9fff" for character in letters))
    return len(letters) >= 4 and kana >= 0.2 and kana + han >= 0.95


def _korean(text: str) -> bool:
    letters = _letters(text)
    hangul = _share(letters, ("\uac00" <= character <= "\ud7a3" for character in letters))
    usual = _share(letters, (character in _SYLLABLES for character in letters))
    return len(letters) >= 4 and hangul >= 0.95 and usual >= 0.3


_SYLLABLES = (
    "이다는을를에의가은로고하지한도어서기사해라대니시나리일인자들과보주전아수스정게부제면구여있장그동성상원안러오만조중세"
    "관비요와공할까습것었였좋말마무려너느배품질통치내모유신선물위경없때더못안되된될데개생각좀잘음입합네예요죠랑엔추천별로"
)
_SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种"
    "事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日者意无力它与长把十第公此已"
    "工使情明性知全三又关点正业外将两高间由问很最重并物手应文体美相见利二等产新己身果加月话合回特内信表老给次度门常先"
    "真论处走各入几口认条平气题更别打女变四电数安少报才受太量再感做必件计期市直死命山金克热买坏差质服务便宜价格错快慢喜欢"
)
_TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種"
    "事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日者意無力它與長把十第公此已"
    "工使情明性知全三又關點正業外將兩高間由問很最重並物手應文體美相見利二等產新己身果加月話合回特內信表老給次度門常先"
    "真論處走各入幾口認條平氣題更別打女變四電數安少報才受太量再感做必件計期市直死命山金克熱買壞差質服務便宜價格錯快慢喜歡品"
)
_WEST = (
    ("àâæçéèêëîïôœùûü", "éèàêç"),
    ("äöüßéèà", "äöü"),
    ("áéíóúñüçàèòï", "áéíóúñ"),
    ("àáâãçéêíóôõúü", "ãçéá"),
    ("àèéìíòóùú", "àèìòù"),
    ("åäöæøéü", "åäöæø"),
    ("éëïóöüèáíú", "éëï"),
    ("áðéíóúýþæö", "ðþ"),
)
_CENTRE = (
    ("ąćęłńóśźżéäöü", "ąęłśżźćń"),
    ("áčďéěíňóřšťúůýž", "ěřůščž"),
    ("áäčďéíĺľňóôŕšťúýž", "ľťčžšď"),
    ("áéíóöőúüű", "őű"),
    ("ăâîşţ", "ăşţî"),
    ("čćđšž", "čćžšđ"),
)
_CYRILLIC, _GREEK = "оаеинтсрвлі", "αοιετσνηυρκλπμςάόίέήύώ"
_KNOWN: dict[str, tuple[str, Callable[[str], bool]]] = {
    "cp1252": ("Windows-1252 (Western Europe, Latin-1)", _latin(*_WEST)),
    "cp1250": ("Windows-1250 (Central Europe)", _latin(*_CENTRE, least=2)),
    "iso8859_2": ("ISO 8859-2 (Central Europe)", _latin(*_CENTRE, least=2)),
    "cp1254": ("Windows-1254 (Turkish)", _latin(("çğıi̇öşüâîû", "ğış"))),
    "cp1257": ("Windows-1257 (Baltic)", _latin(("ąčęėįšųūž", "ėųū"), ("āčēģīķļņšūž", "āēī"), ("äõöüšž", "õ"), least=2)),
    "cp850": ("code page 850 (Western Europe, DOS)", _several(_latin(*_WEST))),
    "mac_roman": ("Mac OS Roman", _several(_latin(*_WEST))),
    "cp1251": ("Windows-1251 (Cyrillic)", _alphabet("\u0400", "\u045f", _CYRILLIC, 0.55)),
    "koi8_r": ("KOI8-R (Cyrillic)", _alphabet("\u0400", "\u045f", _CYRILLIC, 0.55)),
    "cp866": ("code page 866 (Cyrillic, DOS)", _alphabet("\u0400", "\u045f", _CYRILLIC, 0.55)),
    "cp1253": ("Windows-1253 (Greek)", _alphabet("\u0384", "\u03ce", _GREEK, 0.75)),
    "cp1255": ("Windows-1255 (Hebrew)", _alphabet("\u05b0", "\u05ea", "יוהלאבר", 0.3)),
    "cp1256": ("Windows-1256 (Arabic)", _alphabet("\u060c", "\u06d2", "اليمنوتر", 0.4)),
    "cp874": ("Windows-874 (Thai)", _alphabet("\u0e01", "\u0e5b", "านรอกเงมย่้วลดท", 0.4)),
    "cp932": ("Shift-JIS (Japanese)", _japanese),
    "euc_jp": ("EUC-JP (Japanese)", _japanese),
    "cp949": ("EUC-KR (Korean)", _korean),
    "gb18030": ("GB18030 (Chinese: GBK, GB2312)", _chinese(_SIMPLIFIED)),
    "big5": ("Big5 (Chinese)", _chinese(_TRADITIONAL)),
    "big5hkscs": ("Big5-HKSCS (Chinese)", _chinese(_TRADITIONAL)),
}

"""Text normalisation: Unicode forms, markup, white space, case, stop words. All of it is a setting."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal, get_type_hints

from graftwork import specs
from graftwork.data.columns.stopwords import CHINESE, ENGLISH
from graftwork.errors import UsageError


@dataclass(frozen=True)
class TextSettings:
    """What is done to a text before it is tokenised, in this order.

    markup: leave out HTML and XML tags, comments, scripts and styles, and turn entities (`&amp;`) into characters.
    unicode: "NFC" joins letters and their accents, "NFKC" also makes full-width letters and ligatures plain.
    lowercase: as it says. stop_words: leave out function words, "en" or "zh"; negations are kept. A text of stop
        words only is left as it is. Pretrained bases read function words: leave this off unless a trial says otherwise.
    whitespace: one space for any run of white space, none at the ends; zero-width spaces go.
    """

    unicode: Literal["none", "NFC", "NFKC"] = "none"
    markup: bool = False
    whitespace: bool = True
    lowercase: bool = False
    stop_words: Literal["none", "en", "zh"] = "none"

    def __post_init__(self) -> None:
        hints = get_type_hints(TextSettings)
        for name in ("unicode", "stop_words"):
            specs.convert(getattr(self, name), hints[name], f"Setting text.{name}")


def normalise(text: str, settings: TextSettings) -> str:
    """The text as the settings say.

    >>> normalise(" caf&eacute;<br>au  lait ", TextSettings(markup=True))
    'café au lait'
    >>> normalise("Where is the card?", TextSettings(stop_words="en"))
    'card?'
    """
    if settings.markup:
        text = strip_markup(text)
    if settings.unicode != "none":
        text = unicodedata.normalize(settings.unicode, text)
    if settings.lowercase:
        text = text.lower()
    if settings.stop_words == "en":
        text = _without_english(text)
    elif settings.stop_words == "zh":
        text = _without_chinese(text)
    return " ".join(text.translate(_ZERO_WIDTH).split()) if settings.whitespace else text


def origins(text: str, settings: TextSettings) -> list[int]:
    """Where each character of the normalised text stands in the text as it is written.

    Raises UsageError for settings that change more than white space and case.

    >>> origins(" a  b", TextSettings())
    [1, 2, 4]
    """
    if settings.markup or settings.unicode != "none" or settings.stop_words != "none":
        raise UsageError(
            "Where words stand in a text can't be told once its markup, Unicode form or stop words are changed. Leave "
            "out the settings text.markup, text.unicode and text.stop_words."
        )
    found, gap = list[int](), -1
    for at, sign in enumerate(text):
        if settings.whitespace and ord(sign) in _ZERO_WIDTH:
            continue
        if settings.whitespace and sign.isspace():
            gap = at if found and gap < 0 else gap
            continue
        found += [gap] if gap >= 0 else []
        gap = -1
        found += [at] * len(sign.lower() if settings.lowercase else sign)
    return found


def strip_markup(text: str) -> str:
    """The text between tags, entities as characters. Tags that end a line or a block leave a space.

    >>> strip_markup("<p>if a < b &amp; c</p><p>I <3 it</p>").split()
    ['if', 'a', '<', 'b', '&', 'c', 'I', '<3', 'it']
    """
    if "<" not in text:
        return html.unescape(text)
    parser = _Markup()
    whole = text.rfind(">") + 1  # behind it no tag ends; looking for one from each `<` would take quadratic time
    parser.feed(text[:whole])
    parser.close()
    return "".join(parser.parts) + ("" if parser.silent else html.unescape(text[whole:]))


_INLINE_TAGS = "a abbr b big cite code em font i kbd mark q s small span strong sub sup tt u"
_INLINE = frozenset(_INLINE_TAGS.split())
_SILENT = frozenset(("script", "style"))


class _Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.silent += tag in _SILENT
        self._border(tag)

    def handle_endtag(self, tag: str) -> None:
        self.silent = max(0, self.silent - (tag in _SILENT))
        self._border(tag)

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data)

    def _border(self, tag: str) -> None:
        if tag not in _INLINE:
            self.parts.append(" ")


_ZERO_WIDTH = dict.fromkeys((0x200B, 0x2060, 0xFEFF))
_ENGLISH_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SPACE = re.compile(r"\s{2,}")
_LONGEST_CHINESE = max(map(len, CHINESE))


def _without_english(text: str) -> str:
    """Whole words only, whatever their case; punctuation stays."""
    kept = _ENGLISH_WORD.sub(lambda word: "" if word[0].lower().replace("’", "'") in ENGLISH else word[0], text)
    return _SPACE.sub(" ", kept).strip() if any(map(str.isalnum, kept)) else text


def _without_chinese(text: str) -> str:
    """Chinese has no spaces, so the longest stop word that begins at a character is left out, from left to right.

    There is no word segmentation: a stop word inside a longer word goes too, so single characters that often build
    words are not on the list.
    """
    kept, at = [], 0
    while at < len(text):
        length = next((n for n in range(_LONGEST_CHINESE, 0, -1) if text[at : at + n] in CHINESE), 0)
        if not length:
            kept.append(text[at])
        at += max(1, length)
    result = "".join(kept)
    return result if any(map(str.isalnum, result)) else text

"""Which scripts texts are written in, and which of them a tokenizer can't read: it has no pieces of their words.

Nothing is known of languages here: what counts is what the tokenizer makes of the letters. It reads a script where it
knows nearly all of its letters and joins them to pieces of words; an English vocabulary spells Russian letter by letter
and knows few Chinese characters.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

UNKNOWN_SHARE = 0.1
"""Of the letters of a script, above which it is not read."""
SYLLABLES = frozenset({"Chinese", "Japanese", "Korean"})
"""Each character says much, so that one a piece is usual; pieces of other scripts hold several letters."""
LETTERS_A_PIECE, SYLLABLES_A_PIECE = 1.45, 0.9
FEWEST_LETTERS = 20
"""Of a script, below which nothing is said of it."""
ROW_SHARE = 0.25
"""A row is not read where more of its letters than these belong to scripts that are not read."""
_NAMES = {"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}


@dataclass(frozen=True)
class Reading:
    """What a tokenizer can read of texts. scripts: those it can't, the commonest first. letters: the share of all
    letters that belong to them. rows: the share of the texts that hold too many of them to be understood."""

    scripts: tuple[str, ...] = ()
    letters: float = 0.0
    rows: float = 0.0


def reading(tokenizer: Tokenizer, texts: Sequence[str]) -> Reading:
    """How much of `texts` the tokenizer can read; it should cut nothing off."""
    letters, unknown, pieces = Counter[str](), Counter[str](), Counter[str]()
    ids, japanese = _unknown(tokenizer), _japanese(texts)
    for text, encoding in zip(texts, tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True):
        letters.update(scripts(text, japanese))
        for piece, (start, stop) in zip(encoding.ids, encoding.offsets, strict=True):
            held = scripts(text[start:stop], japanese)
            pieces.update(held.keys())
            if piece in ids:
                unknown.update(held)
    unread = tuple(
        script
        for script, count in letters.most_common()
        if count >= FEWEST_LETTERS and _unread(script, count, unknown[script], pieces[script])
    )
    if not unread:
        return Reading()
    shares = [_share(scripts(text, japanese), unread) for text in texts]
    rows = sum(share > ROW_SHARE for share in shares) / len(texts)
    return Reading(unread, _share(letters, unread), rows)


def scripts(text: str, japanese: bool = False) -> Counter[str]:
    """How many letters of each script a text holds. japanese: Chinese characters count as Japanese.

    >>> scripts("wifi 很快, да")
    Counter({'Latin': 4, 'Chinese': 2, 'Cyrillic': 2})
    """
    found = Counter(script for letter in text if (script := script_of(letter)))
    if japanese and "Chinese" in found:
        found["Japanese"] += found.pop("Chinese")
    return found


def _japanese(texts: Sequence[str]) -> bool:
    """Whether Chinese characters belong to Japanese texts: there, every other letter is a kana."""
    found = Counter(script_of(letter) for text in texts for letter in text)
    return found["Japanese"] > 0.2 * found["Chinese"]


@lru_cache(maxsize=65536)
def script_of(letter: str) -> str:
    """The script of a letter; "" for what is none."""
    if not letter.isalpha():
        return ""
    plain = unicodedata.normalize("NFKC", letter)[0]
    first = unicodedata.name(plain, "").partition(" ")[0].partition("-")[0]
    return _NAMES.get(first, first.capitalize())


def _unread(script: str, letters: int, unknown: int, pieces: int) -> bool:
    if script == "Latin":  # with its accents and rare words it is spelled at worst, never lost
        return unknown > letters / 2
    least = SYLLABLES_A_PIECE if script in SYLLABLES else LETTERS_A_PIECE
    return unknown > UNKNOWN_SHARE * letters or letters < least * pieces


def _share(letters: Mapping[str, int], unread: Sequence[str]) -> float:
    return sum(letters[script] for script in unread if script in letters) / max(1, sum(letters.values()))


def _unknown(tokenizer: Tokenizer) -> set[int]:
    """The ids that stand for what the tokenizer does not know; none of one that goes down to bytes."""
    named = getattr(tokenizer.model, "unk_token", None)
    names = {named, "[UNK]", "<unk>"} - {None}
    return {found for name in names if (found := tokenizer.token_to_id(str(name))) is not None}

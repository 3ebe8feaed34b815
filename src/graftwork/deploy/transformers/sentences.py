"""Texts to compare a model and its export on, and the part of text normalisation that a tokenizer can do."""

from __future__ import annotations

import numpy as np
from tokenizers import Regex, Tokenizer, normalizers

from graftwork.data.columns.text import TextSettings, normalise

SENTENCES = (
    "Where is my card?",
    "The weather was fine, but the food was not.",
    "How long does a transfer take?",
    "I have been waiting for two weeks and nobody has answered.",
    "Who wrote the first novel in English?",
    "No.",
    "It is one of the best films of the year, and one of the longest.",
    "Please cancel my order number 48213 and refund the money.",
    "WHY IS EVERYTHING IN CAPITALS",
    "A short walk from the station, quiet rooms, friendly people.",
    "What is the height of the tallest mountain in the world ?",
    "Shares fell by 3.5 % on Monday after the company lowered its outlook.",
    "i cant log in, my password doesnt work anymore",
    "The two teams meet again in the final on Sunday.",
    "Thanks a lot, that was quick!",
    "Le café est fermé aujourd'hui.",
    "这家酒店的房间很干净。",
    "The doctor said that the results would be there within a few days, and that there was no need to worry.",
    "cheap  and\tcheerful\nbut loud",
    "Name a food that can be eaten raw.",
    "He paid $20 (about €18) for it.",
    "Do not buy this; it broke on the first day.",
    "When did the war end?",
    "It was so-so.",
)
_WORDS = 232
_MESSY = ("a  b", " a b ", "a\tb\n\nc", "a\u200bb", "a\u00a0b", "\ufb01n", "e\u0301te", "ABC DeF")


def samples(tokenizer: Tokenizer) -> list[str]:
    """Sentences, and words of the tokenizer's vocabulary drawn at random; the same for the same tokenizer."""
    words = sorted(word for word in tokenizer.get_vocab() if word.isalpha())
    if not words:
        return list(SENTENCES)
    rng = np.random.default_rng(0)
    drawn = [" ".join(rng.choice(words, rng.integers(1, 13))) for _ in range(_WORDS)]
    return [*SENTENCES, *drawn]


def normaliser(settings: TextSettings, tokenizer: Tokenizer) -> normalizers.Normalizer | None:
    """What is to stand before the tokenizer's own normaliser; None where the tokenizer does as much by itself."""
    plain = [tokenizer.encode(normalise(text, settings)).ids for text in _MESSY]
    if plain == [tokenizer.encode(text).ids for text in _MESSY]:
        return None
    steps: list[normalizers.Normalizer] = []
    if settings.unicode != "none":
        steps.append(normalizers.NFC() if settings.unicode == "NFC" else normalizers.NFKC())
    if settings.lowercase:
        steps.append(normalizers.Lowercase())
    if settings.whitespace:
        steps.append(normalizers.Replace(Regex("[\u200b\u2060\ufeff]"), ""))
        steps.append(normalizers.Replace(Regex(r"\s+"), " "))
        steps.append(normalizers.Strip())
    return normalizers.Sequence([*steps, *([tokenizer.normalizer] if tokenizer.normalizer else [])])

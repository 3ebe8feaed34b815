"""Pairs of texts that tests of joined inputs share: a premise of three words, and whether a hypothesis names one."""

from __future__ import annotations

from pathlib import Path

from command import write_rows
from tiny import tiny_texts

HEADER = ("premise", "hypothesis", "label")
JOIN = "premise+hypothesis"


def pair_rows(rows: int = 60) -> list[tuple[str, str, str]]:
    """(premise, hypothesis, label), of the words that tiny tokenizers know."""
    texts = tiny_texts(rows)
    return [(text, texts[(7 * at + at % 2) % rows], "yes" if at % 2 else "no") for at, text in enumerate(texts)]


def write_pairs(path: Path, rows: int = 60) -> Path:
    return write_rows(path, pair_rows(rows), HEADER)

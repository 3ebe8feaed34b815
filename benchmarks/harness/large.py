"""Tables of more than 100,000 rows, made of the texts of the sets: none of these has so many rows.

`gaps` hides a frequent word of a text, one of sixteen, and the label is that word. `origins` is every run of five words
of a text, and the label says which set the text is from. A row that is tested comes from a text that is tested in its
own set, so that training has not seen it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from harness import data

TEXTS = {
    "ag_news_small": ("title", "description"),
    "banking77": ("text",),
    "multi30k": ("en",),
    "sentiment_3domains": ("text",),
    "sst2": ("text",),
    "trec": ("text",),
    "tweeteval_emotion": ("text",),
}
"""The columns of English texts of each set."""
HIDDEN = ["a", "and", "are", "as", "at", "for", "from", "in", "is", "of", "on", "that", "the", "to", "with", "you"]
GAP, AROUND, RUN = "___", 8, 5
"""What stands in place of a hidden word; words that are shown on either side of it; words of a run."""
MOST = {"validation": 6000, "test": 3000}


def gaps(part: str) -> Iterator[data.Row]:
    """Each place of a hidden word once."""
    for _, words in texts(part):
        for at, word in enumerate(words):
            if word.lower() in HIDDEN:
                before, after = words[max(0, at - AROUND) : at], words[at + 1 : at + 1 + AROUND]
                yield {"text": " ".join([*before, GAP, *after]), "label": word.lower()}


def origins(part: str) -> Iterator[data.Row]:
    """Each run of words once."""
    for name, words in texts(part):
        for start in range(len(words) - RUN + 1):
            yield {"text": " ".join(words[start : start + RUN]), "label": name}


KINDS = {"gaps": gaps, "origins": origins}


def tables(kind: str, folder: Path) -> dict[str, Path]:
    """Train, validation and test of a kind, each in an order of its own; of the last two some rows."""
    made = {}
    for part in ("train", "validation", "test"):
        rows = list(KINDS[kind](part))
        order = np.random.default_rng(0).permutation(len(rows))[: MOST.get(part)]
        made[part] = data.write(folder / f"{kind}-{part}.csv", [rows[at] for at in order])
    return made


def texts(part: str) -> Iterator[tuple[str, list[str]]]:
    """The set and the words of each text of a part."""
    for name, columns in TEXTS.items():
        for row in data.read(data.table(name, part)):
            for column in columns:
                yield name, re.findall(r"\w+|[^\w\s]", row[column])

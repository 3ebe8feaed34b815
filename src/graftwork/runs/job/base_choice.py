"""The bases of a job: those that the recipe names, and for inputs it names none for, one that fits the rows.

A default that can't read the script of the texts gives way to one that learns its characters from the rows. What the
user names stays, with a warning where it does not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from graftwork.data.columns.joined import TextValue, as_parts, text_values
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Input, Table
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import DEFAULTS, Named, named_uses, parse_base, written
from graftwork.networks.text.scripts import SYLLABLES, Reading, reading
from graftwork.recipe import Recipe
from graftwork.runs.job.long_texts import reading_all

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SAMPLE = 2000
"""Texts whose length is looked at."""
FEW, LONGEST = 400, 2000
"""Of them, those whose script is looked at, and characters of each."""
LEARNED = "cnn"
"""The base for texts in a script that the default can't read: it learns its tokens from the training rows."""
GIVES_WAY, SAID = 0.5, 0.05
"""Share of rows that the default can't read from which another base is taken, and from which it is said."""
SPACELESS = SYLLABLES | {"Thai", "Lao", "Khmer", "Myanmar", "Tibetan"}
"""Scripts whose words are many or not set apart: characters are learned."""


@dataclass(frozen=True)
class Bases:
    """named: as a recipe names them. notes: what was chosen or does not fit, a sentence for each input concerned."""

    named: Named
    notes: tuple[str, ...] = ()


def fitting_bases(table: Table, recipe: Recipe) -> Bases:
    """The base of each input. The same rows always give the same ones."""
    bases = recipe.bases(table.schema)
    notes = list[str]()
    inputs = {one.name: one for one in table.schema.modalities}
    own = named_uses(recipe.base, list(inputs.values()))
    for name, base in bases.items():
        one = inputs[name]
        named = name in own or one.modality in own
        if one.modality != "text":
            notes.append("" if named else _from_scratch(one, base, len(table)))
            continue
        texts = sampled_texts(table, one.columns, recipe.text)
        some = [" ".join(as_parts(text))[:LONGEST] for text in texts[:: -(-len(texts) // FEW)]]
        found, script = _reading_base(one, base, some, named)
        bases[name], length = reading_all(name, found, texts, named=named)
        notes += [script, length, _between(one, bases[name])]
    return Bases(written(bases), tuple(note for note in notes if note))


def sampled_texts(table: Table, columns: Sequence[str], text: TextSettings) -> list[TextValue]:
    """Some of the texts of an input, evenly spread, as a base sees them; those of several columns row by row."""
    rows = np.unique(np.linspace(0, len(table) - 1, min(SAMPLE, len(table))).astype(np.int64))
    texts = text_values([table.column(column).take(rows).to_pylist() for column in columns], text)
    return [one for one in texts if any(as_parts(one))]


def _between(one: Input, base: BaseSettings) -> str:
    """That a pretrained base sets nothing between the texts of a row."""
    file = base.tokenizer_file() if len(one.columns) > 1 and base.pretrained else None
    if file is None:
        return ""
    from graftwork.networks.hub.joined_texts import separator_of

    if separator_of(_uncut(file)):
        return ""
    return (
        f"base: the tokenizer of {base.spec} sets nothing between the texts of '{one.name}', which then run into each "
        "other; bases like BERT and RoBERTa have a token for that"
    )


def _reading_base(one: Input, base: BaseSettings, texts: list[str], named: bool) -> tuple[BaseSettings, str]:
    """The base of an input of texts, and what is to be said of it."""
    found = _read(base.tokenizer_file(), texts) if base.pretrained else Reading()
    if found.rows < SAID:
        return base, ""
    which = " and ".join(found.scripts[:3])
    short = base.spec if len(base.spec) < 60 else Path(base.spec).name
    called = f"the {short}" if named else f"the default {short}"
    cause = f"base: {called} can't read {100 * found.rows:.0f} % of the texts in '{one.name}' ({which})"
    remedy = "a multilingual base reads them: --base FOLDER, or a hub id such as intfloat/multilingual-e5-small"
    if named:
        return base, f"{cause}. It is kept, as named; {remedy}, or --base {LEARNED}"
    if found.rows < GIVES_WAY:
        return base, f"{cause} and is kept for the others; {remedy}"
    spaceless = set(found.scripts) & SPACELESS
    learned = parse_base(f"{LEARNED}:tokens=character" if spaceless else LEARNED)
    what = "characters" if spaceless else "words"
    return learned, f"{cause}, so {LEARNED} is trained instead, which learns the {what} of your rows; {remedy}"


def _read(file: Path | None, texts: list[str]) -> Reading:
    if file is None or not texts or all(text.isascii() for text in texts):
        return Reading()
    return reading(_uncut(file), texts)


def _uncut(file: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


_MEDIA = {"image": ("images", "images"), "audio": ("sounds", "audio")}
"""How inputs of a modality are called, and the page that says how to get a base."""


def _from_scratch(one: Input, base: BaseSettings, rows: int) -> str:
    """That a default for images or sounds knows nothing yet, and what would."""
    if base.pretrained or one.modality not in _MEDIA or base.spec != DEFAULTS[one.modality]:
        return ""
    what, page = _MEDIA[one.modality]
    return (
        f"base: no pretrained base for {what} is named, so {base.spec} learns '{one.name}' from your {rows:,} rows "
        f"alone; a pretrained one usually scores far better: --base {one.modality}=FOLDER or a hub id (docs/{page}.md)"
    )

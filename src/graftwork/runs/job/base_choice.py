"""The bases of a job: those that the recipe names, and for inputs it names none for, one that fits the rows.

What can be told from the rows and from what is at hand is settled here; where several would do, `runs/bases` measures.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from graftwork.data.columns.joined import TextValue, as_parts, text_values
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Table
from graftwork.networks.bases.registry import DEFAULTS, Named, check_base, named_uses, written
from graftwork.recipe import Recipe
from graftwork.runs.job.choice import Choice, from_json
from graftwork.runs.job.media_choice import image_choice, sound_choice
from graftwork.runs.job.text_choice import text_choice
from graftwork.tasks.task import Task

SAMPLE = 2000
"""Texts whose length is looked at."""


@dataclass(frozen=True)
class Bases:
    """The choice of each input, by its name. free: inputs whose base the recipe does not name."""

    each: Mapping[str, Choice] = field(default_factory=dict)
    free: frozenset[str] = frozenset()

    @property
    def named(self) -> Named:
        """As a recipe names them."""
        return written({name: choice.base for name, choice in self.each.items()}) if self.each else "auto"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What does not fit, or starts from nothing, a sentence each."""
        return tuple(line for one in self.each.values() if not one.options for line in one.warning.split("\n") if line)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said of those that are settled: why one was chosen, what would be better, and the warnings."""
        return tuple(line for one in self.each.values() for note in one.notes for line in note.split("\n"))

    @property
    def open(self) -> tuple[str, ...]:
        """The inputs for which several bases would do."""
        return tuple(name for name, choice in self.each.items() if choice.options)

    def settled(self, name: str, choice: Choice) -> Bases:
        """These, with the choice of one input."""
        return replace(self, each={**self.each, name: choice})

    def to_json(self) -> dict[str, Any]:
        """All of them as plain data, once they are settled."""
        return {name: choice.to_json() for name, choice in self.each.items()}


def bases_from_json(plain: Mapping[str, Any], free: Collection[str] = ()) -> Bases:
    """The inverse of `Bases.to_json`."""
    return Bases({name: from_json(one) for name, one in plain.items()}, frozenset(free))


def fitting_bases(table: Table, recipe: Recipe, tasks: Collection[Task] = ()) -> Bases:
    """The base of each input. The same rows, with the same bases at hand, always give the same ones."""
    bases = recipe.bases(table.schema)
    inputs = {one.name: one for one in table.schema.modalities}
    own = named_uses(recipe.base, list(inputs.values()))
    found, free = dict[str, Choice](), set[str]()
    for name, base in bases.items():
        one = inputs[name]
        named = name in own or one.modality in own
        if not named:
            free.add(name)
        check_base(base)
        if one.modality == "text":
            texts = sampled_texts(table, one.columns, recipe.text)
            found[name] = text_choice(one, base, texts, named=named)
        elif named or base.spec != DEFAULTS[one.modality]:
            found[name] = Choice(base)
        elif one.modality == "image":
            found[name] = image_choice(one, base, len(table))
        elif one.modality == "audio":
            found[name] = sound_choice(one, base, len(table), tasks)
        else:
            found[name] = Choice(base)
    return Bases(found, frozenset(free))


def sampled_texts(table: Table, columns: Sequence[str], text: TextSettings) -> list[TextValue]:
    """Some of the texts of an input, evenly spread, as a base sees them; those of several columns row by row."""
    rows = np.unique(np.linspace(0, len(table) - 1, min(SAMPLE, len(table))).astype(np.int64))
    texts = text_values([table.column(column).take(rows).to_pylist() for column in columns], text)
    return [one for one in texts if any(as_parts(one))]

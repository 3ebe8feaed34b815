"""Classes to merge or to split: by the model's answers on held-out rows, else by those of a probe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graftwork.evidence.advice.advice import Item
from graftwork.evidence.advice.classes import divided_classes, mixed_up
from graftwork.evidence.profile.finding import RowNote
from graftwork.evidence.profile.label_errors import tells_apart
from graftwork.evidence.words import of_hundred, quoted
from graftwork.runs.advice.commands import Commands
from graftwork.runs.advice.probe import Probed
from graftwork.shown import counted

SPLIT_LEAST = 2
"""Classes below which none can be merged."""


def class_items(own: Sequence[Probed], texts: Sequence[str] | None, commands: Commands) -> list[Item]:
    """Of each target with one class a row. texts: of the training rows, from whose words parts get their names."""
    items = []
    for one in own:
        if one.task.answer != "class" or one.task.outputs < SPLIT_LEAST or not tells_apart(one.chosen, one.truth):
            continue
        items += _merged(one, commands) if one.task.outputs > SPLIT_LEAST else []
        items += _divided(one, texts, commands)
    return items


def _merged(own: Probed, commands: Commands) -> list[Item]:
    names, truth, chosen = own.task.classes, own.truth, own.chosen
    numbers, items = own.features.numbers[own.places], []
    for one in mixed_up(truth, chosen, len(names)):
        pair = (one.first, one.second)
        rows = np.flatnonzero(np.isin(truth, pair) & np.isin(chosen, pair) & (truth != chosen))
        notes = tuple(
            RowNote(int(numbers[at]), f"labelled '{names[truth[at]]}', taken for '{names[chosen[at]]}'")
            for at in rows.tolist()
        )
        text = (
            f"Join the classes {quoted(names[one.first])} and {quoted(names[one.second])} of {quoted(own.target)}, if "
            f"nobody needs them apart, or say better what sets them apart: {one.mixed:,} of their "
            f"{counted(one.rows)} are taken for the other one."
        )
        measured = f"accuracy that a probe loses by this pair alone, cross-validated on {counted(len(truth))}"
        items.append(Item("classes", text, commands.fit(), one.gain, measured, easier=True, rows=notes))
    return items


def _divided(own: Probed, texts: Sequence[str] | None, commands: Commands) -> list[Item]:
    names, numbers = own.task.classes, own.features.numbers[own.places]
    some = None if texts is None else [texts[at] for at in own.places.tolist()]
    items = []
    values = np.asarray(own.features.values)[own.places]
    for one in divided_classes(own.truth, own.chosen, len(names), values, some, numbers):
        kind = f" (rows with {quoted(one.part.value)})" if some is not None else ""
        text = (
            f"Look whether the class {quoted(names[one.index])} of {quoted(own.target)} is two: of one kind of its rows"
            f"{kind}, {counted(one.part.rows)}, {of_hundred(1 - one.part.bad)} are found, of its others "
            f"{of_hundred(1 - one.part.rest)}. Settle its labels, give that kind a label of its own, or label more of "
            "it."
        )
        notes = tuple(RowNote(row, f"labelled '{names[one.index]}', not found") for row in one.part.worst)
        items.append(Item("classes", text, commands.fit(), rows=notes))
    return items

"""What each column of a table is for: named by the user, or inferred and then said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import pyarrow as pa

from graftwork.data.kinds import Shape, sample, shape_of
from graftwork.data.table import Column, Kind, Role, Schema
from graftwork.data.target import find_target, headless, named_target
from graftwork.errors import DataError, UsageError, nearest

_LISTED = 20
_ROLE_KINDS: dict[str, Kind] = {"domain": "category", "group": "category", "weight": "number", "split": "category"}


def infer(
    data: pa.Table,
    source: str,
    *,
    target: str | Sequence[str] | None,
    inputs: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    roles: Mapping[str, str] | None = None,
    task_kind: Kind | None = None,
) -> tuple[Schema, list[str]]:
    """The schema of a training table, and a line for each column that says what was made of it.

    target: its column or columns; None looks for one by name (label, target, class, intent, …), then for the only
        column with few distinct values.
    inputs: columns to learn from; None takes every text column that is left. A number or category that is named
        here is read as text. ignore: columns to leave out without a word.
    roles: `{role: column}` with the roles domain, group, weight and split.
    task_kind: "category" or "number" where the task says what the target is; None infers that too.

    Raises UsageError for names that the table lacks (nearest suggested), a column named twice, a target that can't
    be told, or no text to learn from; DataError for a target that can't be learned.
    """
    inputs = [inputs] if isinstance(inputs, str) else inputs
    ignore = [ignore] if isinstance(ignore, str) else ignore
    targets = [target] if isinstance(target, str) else list(target or ())
    roles = dict(roles or {})
    _check_names(data, source, targets, inputs or (), ignore, roles)
    sampled = sample(data)
    shapes = {field.name: shape_of(field.name, sampled.column(field.name), field) for field in data.schema}
    taken = {*(inputs or ()), *ignore, *roles.values()}
    chosen = (
        [named_target(data, name, shapes[name], source, task_kind) for name in targets]
        if targets
        else [find_target(data, {name: s for name, s in shapes.items() if name not in taken}, source, task_kind)]
    )
    columns = [item.column for item in chosen]
    columns += [Column(name, _ROLE_KINDS[role], _role(role)) for role, name in roles.items()]
    used = {column.name for column in columns} | set(ignore)
    found, notes = _named_inputs(shapes, inputs, source) if inputs else _found_inputs(shapes, used, source)
    lines = [item.note for item in chosen]
    lines += [f"{role}: {name} ({_ROLE_KINDS[role]}), as named" for role, name in roles.items()]
    return Schema((*found, *columns)), lines + notes + ([f"ignored: {', '.join(ignore)}, as named"] if ignore else [])


def _named_inputs(shapes: Mapping[str, Shape], inputs: Sequence[str], source: str) -> tuple[list[Column], list[str]]:
    notes = []
    for name in inputs:
        shape = shapes[name]
        if shape in ("image", "audio", "nested", "empty"):
            raise DataError(f"{source}: column '{name}' {_UNFIT[shape]}")
        cast = "" if shape == "text" else f" (looks like {_WORDS[shape]}, read as text)"
        notes.append(f"input: {name}{cast or ' (text)'}, as named")
    return [Column(name, "text") for name in inputs], notes


_UNFIT: dict[Shape, str] = {
    "image": "holds images: this version reads text columns. Name a text column.",
    "audio": "holds audio: this version reads text columns. Name a text column.",
    "nested": "holds lists or objects, not one text a row. Make a text column of what you need.",
    "empty": "has no value in any row.",
}
_WORDS: dict[Shape, str] = {
    "text": "text",
    "number": "numbers",
    "category": "a category",
    "date": "dates",
    "id": "row ids",
    "image": "images",
    "audio": "audio",
    "nested": "lists or objects",
    "empty": "no value in any row",
}


def _found_inputs(shapes: Mapping[str, Shape], used: set[str], source: str) -> tuple[list[Column], list[str]]:
    left = {name: shape for name, shape in shapes.items() if name not in used}
    texts = [name for name, shape in left.items() if shape == "text"]
    if not texts:
        seen = "; ".join(f"{name}: {_WORDS[shape]}" for name, shape in left.items()) or "no other column"
        raise UsageError(
            f"{source} has no text column to learn from ({seen}). This version reads text. If one of these is text, "
            "name it: --inputs COLUMN (in Python inputs=['COLUMN'])."
        )
    notes = [f"input: {name} (text)" for name in texts]
    notes += [f"ignored: {name} (row ids: every row has another one)" for name, shape in left.items() if shape == "id"]
    unused = [f"{name} ({_WORDS[shape]})" for name, shape in left.items() if shape not in ("text", "id")]
    if unused:
        more = f" and {len(unused) - _LISTED} more" if len(unused) > _LISTED else ""
        listing = f"{', '.join(unused[:_LISTED])}{more}"
        notes.append(f"not used: {listing}: this version reads text; --ignore COLUMN silences this")
    return [Column(name, "text") for name in texts], notes


def _check_names(
    data: pa.Table,
    source: str,
    targets: Sequence[str],
    inputs: Sequence[str],
    ignore: Sequence[str],
    roles: Mapping[str, str],
) -> None:
    for role in roles:
        if role not in _ROLE_KINDS:
            hint = " Name the target with --target." if role == "target" else ""
            raise UsageError(f"Unknown role '{role}'.{hint} {nearest(role, _ROLE_KINDS)}")
    uses = [("target", name) for name in targets] + [("input", name) for name in inputs]
    uses += [("column to ignore", name) for name in ignore] + [(f"{role} column", name) for role, name in roles.items()]
    seen: dict[str, str] = {}
    for use, name in uses:
        if name not in data.column_names:
            hint = headless(data.column_names)
            raise UsageError(
                f"{source} has no column '{name}' (named as {use}). {nearest(name, data.column_names)}{hint}"
            )
        if name in seen:
            both = f"twice as {use}" if seen[name] == use else f"as {seen[name]} and as {use}"
            raise UsageError(f"Column '{name}' is named {both}. Expected one use a column.")
        seen[name] = use


def _role(name: str) -> Role:
    return next(role for role in get_args(Role) if role == name)

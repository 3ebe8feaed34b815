"""What each column of a table is for: named by the user, or inferred and then said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pyarrow as pa

from graftwork.data.columns.beside import file_names
from graftwork.data.columns.forms import judge_all, with_forms
from graftwork.data.columns.ids import is_pandas_index
from graftwork.data.columns.joined import joined_columns
from graftwork.data.columns.kinds import Shape, sample
from graftwork.data.columns.target import find_target, headless, named_target
from graftwork.data.columns.times import ORDERED, time_column
from graftwork.data.table import Column, Kind, Role, Schema
from graftwork.errors import DataError, UsageError, nearest

_LISTED = 20
_ROLE_KINDS: dict[str, Kind] = {
    "domain": "category",
    "group": "category",
    "weight": "number",
    "split": "category",
    "time": "date",
    "reward": "number",
    "propensity": "number",
    "rollout": "category",
    "step": "date",
}


def infer(
    data: pa.Table,
    source: str,
    *,
    target: str | Sequence[str] | None,
    inputs: Sequence[str] | None = None,
    join: Sequence[Sequence[str]] = (),
    ignore: Sequence[str] = (),
    roles: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    task_kind: Kind | Mapping[str, Kind] | None = None,
    folder: Path | None = None,
) -> tuple[Schema, list[str]]:
    """The schema of a training table, and a line for each column that says what was made of it.

    target: its column or columns; None looks for one by name (label, target, class, intent, …), then for the only
        column with few distinct values; an empty list says that there is none.
    inputs: columns to learn from; None takes every column that is left and holds texts, images, sounds, numbers or
        categories or dates. join: text columns that are read in one sequence, a list of columns for each such input;
        they may be among `inputs`, too. ignore: columns to leave out without a word.
    roles: `{role: column}` with the roles domain, group, weight, split, time, reward, propensity, rollout and step.
    kinds: `{column: kind}` where a column is to be read as something else than it looks like; `number:comma` and
        `number:point` also say which is the sign of decimals, `date:dmy` and `date:mdy` which number is the day.
    folder: where relative paths in the table start.
    task_kind: "category" or "number" where the task says what the target is, or that by target; None infers it too.

    Raises UsageError for names that the table lacks (nearest suggested), a column named twice, a target that can't
    be told, or nothing to learn from; DataError for a target that can't be learned.
    """
    inputs = [inputs] if isinstance(inputs, str) else inputs
    ignore = [ignore] if isinstance(ignore, str) else ignore
    joined = [name for columns in join for name in columns]
    alone = [name for name in inputs or () if name not in joined]
    targets = [target] if isinstance(target, str) else list(target or ())
    roles, (named, forms) = dict(roles or {}), _named_kinds(kinds or {})
    _check_names(data, source, targets, alone, joined, ignore, roles, named)
    judged = judge_all(data, folder, forms)
    judged |= {name: replace(judged[name], note="") for name, kind in named.items() if kind in ("text", "category")}
    shapes = {name: one.shape for name, one in judged.items()}
    taken = {*alone, *joined, *ignore, *roles.values()}
    chosen = (
        [
            named_target(data, name, judged[name], source, named.get(name) or _kind_of(task_kind, name))
            for name in targets
        ]
        if targets or target is not None
        else [find_target(data, {n: j for n, j in judged.items() if n not in taken}, source, _kind_of(task_kind, ""))]
    )
    columns = [item.column for item in chosen]
    roled = [
        time_column(name, data.column(name), judged[name], named, forms.get(name, ""), role=_role(role))
        if role in ORDERED
        else Column(name, _ROLE_KINDS[role], _role(role))
        for role, name in roles.items()
    ]
    columns += roled
    used = {column.name for column in columns} | {*ignore, *joined}
    together, joins = joined_columns(join, data, shapes, named)
    if inputs:
        found, notes = _named_inputs(shapes, alone, named, source)
    else:
        beside = {name: held for name, held in file_names(sample(data), shapes, folder).items() if name not in named}
        left = {n: s for n, s in shapes.items() if n not in used and n not in beside}
        found, notes = _found_inputs(left, named, source, needed=not joined)
        notes += [f"ignored: {n} (names of the files in {held})" for n, held in beside.items() if n not in used]
    lines = [item.note for item in chosen]
    lines += [f"{column.role}: {column.name} ({column.kind}), as named" for column in roled]
    made, read_as = with_forms([*together, *found, *columns], judged, data, source, forms)
    lines += joins + notes + read_as + _domain_hint(found, roles)
    return Schema(tuple(made)), lines + ([f"ignored: {', '.join(ignore)}, as named"] if ignore else [])


def _domain_hint(inputs: Sequence[Column], roles: Mapping[str, str]) -> list[str]:
    """A column whose name says that it tells where rows come from, and that has no such role."""
    if "domain" in roles:
        return []
    named = [column.name for column in inputs if column.name.strip().lower() == "domain" and column.kind == "category"]
    return [
        f"{name}: read as an input; if it says where rows come from, --role domain={name} scores each domain and lets "
        "techniques adapt to new ones"
        for name in named
    ]


def _kind_of(given: Kind | Mapping[str, Kind] | None, target: str) -> Kind | None:
    return given.get(target) if isinstance(given, Mapping) else given


_KINDS = get_args(Kind)
_READ_AS: dict[Shape, Kind] = {kind: kind for kind in _KINDS}
"""How columns of these shapes are read; the others hold nothing to learn from."""
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
_UNFIT: dict[Shape, str] = {
    "nested": "holds lists or objects, not one value a row. Make a column of what you need. Sounds are paths or "
    "encoded files: samples alone don't say their rate.",
    "empty": "has no value in any row.",
}


def _named_kinds(kinds: Mapping[str, str]) -> tuple[dict[str, Kind], dict[str, str]]:
    """The kinds that the user named, and how the column writes its numbers or dates."""
    named, forms = dict[str, Kind](), dict[str, str]()
    for name, given in kinds.items():
        word, colon, sign = given.partition(":")
        kind = next((kind for kind in _KINDS if kind == word), None)
        if kind is None or (colon and sign not in _FORMS.get(kind, ())):
            known = [*_KINDS, *(f"{kind}:{sign}" for kind, signs in _FORMS.items() for sign in signs)]
            raise UsageError(f"--kind {name}={given}: there is no such kind of column. {nearest(given, known)}")
        named[name] = kind
        forms.update({name: sign} if colon else {})
    return named, forms


_FORMS: dict[Kind, tuple[str, ...]] = {"number": ("comma", "point"), "date": ("dmy", "mdy")}


def _named_inputs(
    shapes: Mapping[str, Shape], inputs: Sequence[str], kinds: Mapping[str, Kind], source: str
) -> tuple[list[Column], list[str]]:
    """The inputs that the user named; what is no input by itself (row ids) is read as text."""
    columns, notes = [], []
    for name in inputs:
        shape = shapes[name]
        if shape in _UNFIT:
            raise DataError(f"{source}: column '{name}' {_UNFIT[shape]}")
        kind = kinds.get(name) or _READ_AS.get(shape, "text")
        looks = "" if _READ_AS.get(shape) == kind else f" (looks like {_WORDS[shape]}, read as {kind})"
        columns.append(Column(name, kind))
        notes.append(f"input: {name}{looks or f' ({kind})'}, as named")
    return columns, notes


def _found_inputs(
    shapes: Mapping[str, Shape], kinds: Mapping[str, Kind], source: str, *, needed: bool
) -> tuple[list[Column], list[str]]:
    columns = [
        Column(name, kinds.get(name) or _READ_AS[shape])
        for name, shape in shapes.items()
        if (name in kinds or shape in _READ_AS) and shape not in _UNFIT
    ]
    if needed and not columns:
        seen = "; ".join(f"{name}: {_WORDS[shape]}" for name, shape in shapes.items()) or "no other column"
        raise UsageError(
            f"{source} has no column to learn from ({seen}). Expected texts, images, sounds, numbers or categories. "
            "If one of these is text, name it: --inputs COLUMN (in Python inputs=['COLUMN'])."
        )
    notes = [f"input: {column.name} ({column.kind})" for column in columns if column.kind not in _MANY]
    for kind, word in _MANY.items():
        names = [column.name for column in columns if column.kind == kind]
        notes += [f"{'input' if len(names) == 1 else 'inputs'}: {_listed(names)} ({word})"] if names else []
    ids = [name for name, shape in shapes.items() if shape == "id" and name not in kinds]
    notes += [f"ignored: {name} ({_why_ignored(name)})" for name in ids]
    left = [f"{name} ({_WORDS[shape]})" for name, shape in shapes.items() if shape in _LEFT and name not in kinds]
    return columns, notes + ([f"not used: {_listed(left)}; --ignore COLUMN silences this"] if left else [])


def _why_ignored(name: str) -> str:
    return "row numbers as pandas writes them" if is_pandas_index(name) else "row ids: every row has another one"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{', '.join(names[:_LISTED])}{more}"


_MANY: dict[Kind, str] = {
    "number": "numbers",
    "category": "categories",
    "date": "dates, read as year, month, weekday, hour and days",
}
_LEFT: tuple[Shape, ...] = ("nested", "empty")


def _check_names(
    data: pa.Table,
    source: str,
    targets: Sequence[str],
    inputs: Sequence[str],
    joined: Sequence[str],
    ignore: Sequence[str],
    roles: Mapping[str, str],
    kinds: Mapping[str, Kind],
) -> None:
    for role in roles:
        if role not in _ROLE_KINDS:
            hint = " Name the target with --target." if role == "target" else ""
            raise UsageError(f"Unknown role '{role}'.{hint} {nearest(role, _ROLE_KINDS)}")
    uses = [("target", name) for name in targets] + [("input", name) for name in inputs]
    uses += [("part of a join", name) for name in joined]
    uses += [("column to ignore", name) for name in ignore] + [(f"{role} column", name) for role, name in roles.items()]
    seen: dict[str, str] = {}
    there = set(data.column_names)
    for use, name in [("column of a kind", name) for name in kinds if name not in there] + uses:
        if name not in there:
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

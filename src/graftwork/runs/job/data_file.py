"""`data.json` of a model folder: which tables a fit was given, and how it read them, so that they can be found again.

Paths stand as they were given, with the folder that they start from, and a digest of what each table held. Nothing in
the file is trusted: a table is taken only where it is still the one that was read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, TypedDict

from graftwork.bases.provenance import TableUsed
from graftwork.bases.tables_read import TableRead
from graftwork.data.load import Source
from graftwork.data.read.excel import split_sheet
from graftwork.data.read.union import is_several
from graftwork.data.store.names import inside
from graftwork.data.store.typed import misfit
from graftwork.data.table import Schema
from graftwork.errors import DataError, GraftworkError, ModelError, UsageError, nearest
from graftwork.networks.manifest import read_manifest_of, schema_of, weights_in, weights_key
from graftwork.runs.job.data_arguments import DataArguments

NAME = "data.json"
FORMAT = 1
_TABLES = tuple(one.name for one in fields(DataArguments) if "Source" in str(one.type))
_OPTIONS = tuple(one.name for one in fields(DataArguments) if one.name not in (*_TABLES, "labelled"))


class _File(TypedDict):
    """path: as it was given; None for a table in memory. sha256: None where it could not be had."""

    path: str | None
    name: str
    sha256: str | None


class _Options(TypedDict, total=False):
    """The options that are held against their types; others are checked where they are used."""

    target: str | list[str] | None
    inputs: str | list[str] | None
    join: list[list[str]]
    ignore: str | list[str]
    roles: dict[str, str] | None
    kinds: dict[str, str] | None
    split_by: str | None
    adapt_to_held_out: bool
    on_bad_rows: Literal["fail", "skip"]
    encoding: str | None
    other: str | None


class _Told(TypedDict):
    """folder: where paths start. weights: checksum of the model's weights, which tells whether it is about this model.
    several: tables that were given as a list. labelled: whether rows were labelled by a model."""

    format: int
    folder: str
    weights: str
    tables: dict[str, list[_File]]
    several: list[str]
    labelled: bool
    options: dict[str, Any]
    columns: list[dict[str, Any]]


def write_data(
    folder: Path, data: DataArguments, schema: Schema, read: Sequence[TableRead], hashed: Sequence[TableUsed]
) -> None:
    """Write it into the model folder, whose weights are there. read, hashed: the tables of the job, and the same with
    their digests, in the same order."""
    digests = {os.path.realpath(one.path): used for one, used in zip(read, hashed, strict=True) if one.path}
    given = {name: getattr(data, name) for name in _TABLES if getattr(data, name) is not None}
    told: _Told = {
        "format": FORMAT,
        "folder": os.getcwd(),
        "weights": weights_key(folder) or "",
        "tables": {name: [_file(one, digests) for one in _each(source)] for name, source in given.items()},
        "several": [name for name, source in given.items() if is_several(source)],
        "labelled": data.labelled is not None,
        "options": {name: _plain(getattr(data, name)) for name in _OPTIONS},
        "columns": [{"name": one.name, "kind": one.kind, "role": one.role} for one in schema.columns],
    }
    text = json.dumps(told, ensure_ascii=False, indent=1)
    (folder / NAME).write_text(text + "\n", encoding="utf-8", newline="\n")


def read_data(
    folder: str | os.PathLike[str],
    replaced: Source | Mapping[str, Source] | None = None,
    leave_out: Collection[str] = (),
) -> DataArguments:
    """The data arguments of the fit that wrote the model in `folder`, with paths that can be read from here.

    replaced: a table in place of the training table; or one for each of train, valid, test, unlabelled. It may differ
    from the one that was read. leave_out: of these, tables that are not wanted, and may be gone.

    Raises ModelError where the folder holds no model, or its data.json is damaged; UsageError where the fit read tables
    in memory, and `replaced` gives none; DataError for a table that is missing or has changed, by name.
    """
    path = Path(folder)
    manifest = read_manifest_of(path)
    others = _by_name(replaced)
    told = _told(path, manifest)
    if told is None:
        return _by_schema(path, manifest, others)
    if told["labelled"]:
        raise UsageError(
            f"{path} was trained on rows that a model had labelled, which are not kept. Name a table of labelled rows "
            "in place of the run."
        )
    tables: dict[str, Any] = {}
    for name, files in told["tables"].items():
        if name in leave_out or name not in _TABLES:
            continue
        if name in others:
            tables[name] = others[name]
            continue
        found = [_found(one, path, told["folder"], name) for one in files]
        tables[name] = found if name in told["several"] else found[0]
    tables |= {name: source for name, source in others.items() if name not in leave_out}
    options = {name: value for name, value in told["options"].items() if name in _OPTIONS}
    try:
        return DataArguments(**tables, **options)
    except (TypeError, ValueError, AttributeError, GraftworkError) as error:
        raise ModelError(f"{path / NAME} is damaged ({error}). Name the table in place of the run.") from None


def _each(source: Any) -> list[Any]:
    return list(source) if is_several(source) else [source]


def _file(source: Any, digests: Mapping[str, TableUsed]) -> _File:
    if not isinstance(source, str | os.PathLike):
        return {"path": None, "name": f"a table in memory ({type(source).__name__})", "sha256": None}
    given, _ = split_sheet(Path(source).expanduser())
    used = digests.get(os.path.realpath(given)) or _digest(given)
    return {"path": os.fspath(source), "name": given.name, "sha256": used.sha256}


def _digest(path: Path) -> TableUsed:
    return TableRead(TableUsed(name=path.name, use="train", rows=0), path).hashed()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _by_name(replaced: Source | Mapping[str, Source] | None) -> dict[str, Source]:
    if replaced is None:
        return {}
    if not isinstance(replaced, Mapping) or not set(replaced) <= set(_TABLES):
        return {"train": replaced}
    return dict(replaced)


def named_tables(items: Sequence[str]) -> dict[str, Source]:
    """What `--data` gives: a file in place of the training table, or NAME=FILE.

    >>> named_tables(["new.csv", "valid=held.csv"])
    {'train': 'new.csv', 'valid': 'held.csv'}
    """
    found: dict[str, Source] = {}
    for item in items:
        name, equals, path = item.partition("=")
        if not equals or Path(item).exists():
            name, path = "train", item
        if name not in _TABLES:
            raise UsageError(f"--data {item}: there is no table '{name}'. {nearest(name, _TABLES)}")
        if name in found:
            raise UsageError(f"--data gives the {name} table twice.")
        found[name] = path
    return found


def _told(path: Path, manifest: Mapping[str, Any]) -> _Told | None:
    """What the file says; None where there is none, or it is about a model that was there before."""
    if not (path / NAME).is_file():
        return None
    try:
        told: _Told = json.loads(inside(path, NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, DataError) as error:
        raise ModelError(f"{path / NAME} is damaged ({error}). Name the table in place of the run.") from None
    wrong = misfit(told, _Told) or misfit(told["options"], _Options, "options")
    if not wrong and (told["format"] != FORMAT or any(not files for files in told["tables"].values())):
        wrong = f"its format is {told['format']}, expected {FORMAT}, with files of each table"
    if wrong:
        raise ModelError(f"{path / NAME} is damaged, or of another version: {wrong}. Name the table in its place.")
    weights = weights_in(manifest.get("files", {}))
    return told if weights is None or told["weights"] == weights else None


def _found(file: _File, run: Path, folder: str, name: str) -> str:
    """The path of a table as it was read. Raises DataError or UsageError where it can't be had."""
    option = "--data FILE (in Python data=…)" if name == "train" else f"--data {name}=FILE (in Python data={{…}})"
    if file["path"] is None:
        raise UsageError(
            f"The {name} table of {run} was {file['name']}, which is not kept. Give the same rows with {option}."
        )
    given, sheet = split_sheet(Path(file["path"]).expanduser())
    places = [given] if given.is_absolute() else [Path(folder) / given, Path.cwd() / given]
    there = [place for place in dict.fromkeys(places) if place.is_file() or place.is_dir()]
    if not there:
        raise DataError(
            f"The {name} table of {run} is not there any more: {' or '.join(map(str, dict.fromkeys(places)))}. Put it "
            f"back, or name another one with {option}."
        )
    same = [place for place in there if file["sha256"] is not None and _digest(place).sha256 == file["sha256"]]
    if not same:
        raise DataError(
            f"{there[0]} has changed since {run} was made from it (SHA-256 {file['sha256'] or 'not known'} then). "
            f"Put it back as it was, or take it as it is now with {option.replace('FILE', str(there[0]))}."
        )
    return f"{same[0]}#{sheet}" if sheet else str(same[0])


def _by_schema(path: Path, manifest: Mapping[str, Any], others: Mapping[str, Source]) -> DataArguments:
    """Of a model that an earlier version wrote, or that no fit made: the columns are those of its schema."""
    if "train" not in others:
        raise UsageError(
            f"{path} does not say which table it was trained on (it has no {NAME} of its own: an earlier version, or "
            "no fit, made it). Name it with --data FILE (in Python data=…)."
        )
    schema = schema_of(manifest)
    joins = dict.fromkeys(column.join for column in schema.inputs if column.join)
    return DataArguments(
        **others,  # type: ignore[arg-type]
        target=[column.name for column in schema.targets],
        inputs=[column.name for column in schema.inputs],
        join=list(joins),
        roles={column.role: column.name for column in schema.columns if column.role not in (None, "target")},
        kinds={column.name: column.kind for column in schema.inputs},
    )

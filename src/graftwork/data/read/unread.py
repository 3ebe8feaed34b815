"""What a folder of images or sounds holds beside them: said by class, and refused where a class would be lost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.media.paths import ending_of, refusal, shortened
from graftwork.data.table import Table
from graftwork.errors import DataError

_LISTED = 5


def notes_on(others: Sequence[str], garbled: Sequence[str], splits: bool, name: str) -> list[str]:
    """A line for pictures and sounds in formats that are not read, by class; one for those whose names are not UTF-8;
    and one for all other files."""
    unread = [path for path in others if refusal(path)]
    rest = [path for path in others if not refusal(path)]
    notes = []
    if unread:
        classes = dict.fromkeys(class_of(path, splits) or "" for path in unread)
        counts = [f"{_counted(unread, splits, each)}{f' in {shortened(each)}' if each else ''}" for each in classes]
        notes.append(f"left out of {name}: {_listed(counts, '; ')}. {_first(refusal(unread[0]) or '')}")
    if garbled:
        notes.append(f"left out of {name}: {_not_utf8(garbled)}")
    if rest:
        names = [shortened(path) for path in rest]
        notes.append(f"left out of {name}, neither image nor sound by name: {_listed(names, ', ')}")
    return notes


def check_classes_kept(
    paths: Sequence[PurePosixPath], others: Sequence[str], garbled: Sequence[str], splits: bool, name: str
) -> None:
    """Raise DataError where a class has pictures or sounds, but none that is read: it would be gone in silence."""
    kept = {class_of(path, splits) for path in paths}
    if kept == {None}:
        return
    if any(class_of(path, splits) not in kept for path in garbled):
        raise DataError(f"{name}: a class would be lost with {_not_utf8(garbled)}.")
    for path in others:
        lost = class_of(path, splits)
        reason = refusal(path)
        if reason and lost is not None and lost not in kept:
            held = _counted([each for each in others if refusal(each)], splits, lost)
            raise DataError(
                f"{name}: of the class {shortened(lost)} no file can be read ({held}). {_first(reason)}, or move the "
                "folder out."
            )


def nothing_read(others: Sequence[str], garbled: Sequence[str], name: str) -> str | None:
    """What to say of a folder without an image or sound that is read, where it has some that are not."""
    unread = [path for path in others if refusal(path)]
    if garbled:
        return f"{name} holds no image or sound that can be read, but {_not_utf8(garbled)}."
    zips = [path for path in others if path.lower().endswith(".zip")]
    if unread:
        counts = Counter(ending_of(path) for path in unread)
        held = ", ".join(f"{count:,} {ending}" for ending, count in counts.most_common())
        return f"{name} holds no image or sound that can be read, but {held}. {_first(refusal(unread[0]) or '')}."
    if zips:
        return f"{name} holds no images or sounds, but {_listed(zips, ', ')}. Unpack that first, and name it."
    return None


def remedies_once(reasons: Sequence[str]) -> tuple[list[str], list[str]]:
    """Reasons less what to do about formats that are not read, where several say the same; and that, once each."""
    found = [_REMEDY.search(reason) for reason in reasons]
    counts = Counter(match[0] for match in found if match)
    short = [
        reason[: match.end(1)] if match and counts[match[0]] > 1 else reason
        for reason, match in zip(reasons, found, strict=True)
    ]
    return short, [f"{_first(told)}." for told, count in counts.items() if count > 1]


_REMEDY = re.compile(r"(\.\w+ files can't be read): .+$")


def lost_classes(before: Table, after: Table) -> list[str]:
    """A line for each target of which classes went with the rows that were left out."""
    notes = []
    for column in before.schema.targets:
        values = before.column(column.name)
        if column.kind != "category" or pa.types.is_nested(values.type):
            continue
        left = set(pc.unique(after.column(column.name)).to_pylist())
        counts = {each["values"]: each["counts"] for each in pc.value_counts(values.drop_null()).to_pylist()}
        lost = [f"{shortened(str(name))} ({count:,})" for name, count in counts.items() if name not in left]
        if lost:
            notes.append(f"no row is left of {len(lost):,} of {len(counts):,} in {column.name}: {_listed(lost, ', ')}")
    return notes


def class_of(path: PurePosixPath | str, splits: bool) -> str | None:
    """The folder that is a file's class; None for a file that is in none."""
    parts = PurePosixPath(path).parts[1 if splits else 0 :]
    return parts[0] if len(parts) > 1 else None


def _not_utf8(garbled: Sequence[str]) -> str:
    files = f"{len(garbled):,} file{'s whose names are' if len(garbled) > 1 else ' whose name is'} not UTF-8"
    shown = _listed([shortened(path) for path in garbled], ", ")
    return f"{files} ({shown}). Rename them, say with convmv -r -f CP1252 -t UTF-8 --notest (or from GBK, SHIFT-JIS, …)"


def _counted(paths: Sequence[str], splits: bool, label: str) -> str:
    counts = Counter(ending_of(path) for path in paths if (class_of(path, splits) or "") == label)
    return ", ".join(f"{count:,} {ending}" for ending, count in counts.most_common())


def _first(reason: str) -> str:
    return reason[:1].upper() + reason[1:]


def _listed(names: Sequence[str], between: str) -> str:
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return f"{between.join(names[:_LISTED])}{more}"

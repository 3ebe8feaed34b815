"""Where a model comes from: its bases, the tables that it learned from, and the versions that made it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from graftwork.bases.licences import UNKNOWN
from graftwork.bases.origin import Origin

Use = Literal["train", "validation", "test", "unlabelled", "labelled by a model", "replayed", "new classes"]


@dataclass(frozen=True, kw_only=True)
class BaseUsed:
    """A base with pretrained weights. inputs: which read it. reads: of which kind they are."""

    origin: Origin
    reads: str
    inputs: tuple[str, ...] = ()

    @property
    def warning(self) -> str:
        """What is to be said where its licence forbids commercial use, or is not known to allow it; else nothing."""
        name, licence = self.origin.name, self.origin.licence
        if self.origin.commercial:
            return ""
        if licence == UNKNOWN:
            return (
                f"under which licence the base {name} may be used is not known: nothing beside it says so. Ask who "
                "made it before a model made from it is used commercially"
            )
        if "-NC" in licence:
            return (
                f"the base {name} is under {licence}, which forbids commercial use, and binds a model made from it too"
            )
        return (
            f"the base {name} is under '{licence}', which is not known to allow commercial use. Read it before a model "
            "made from it is used commercially"
        )


@dataclass(frozen=True, kw_only=True)
class TableUsed:
    """A table, by its name without a folder.

    rows: of it that were used. sha256: of its file, of a folder's `files`, or of the `rows` of one in memory. learner:
    the model that learned from it, empty for this one.
    """

    name: str
    use: Use
    rows: int
    sha256: str | None = None
    hashed: Literal["file", "files", "rows"] = "file"
    learner: str = ""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """bases: none for one that began from scratch. versions: by package. models: those that it was tuned or mixed
    from, by the names of their folders. known: False for a model of an earlier version, which kept none of this."""

    bases: tuple[BaseUsed, ...] = ()
    tables: tuple[TableUsed, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    known: bool = True

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the licences of the bases say against commercial use."""
        return tuple(dict.fromkeys(base.warning for base in self.bases if base.warning))


NOT_KNOWN = Provenance(known=False)
"""Of a model that an earlier version saved."""


def mixed(each: Iterable[tuple[str, Provenance]], versions: Mapping[str, str]) -> Provenance:
    """Of a model that is mixed from several, by their names: their bases and tables, each once."""
    several = list(each)
    tables = [_learned_by(table, name) for name, one in several for table in one.tables]
    return Provenance(
        bases=tuple(dict.fromkeys(base for _, one in several for base in one.bases)),
        tables=tuple(dict.fromkeys(tables)),
        versions=versions,
        models=tuple(dict.fromkeys(name for name, _ in several)),
        known=all(one.known for _, one in several),
    )


def _learned_by(table: TableUsed, learner: str) -> TableUsed:
    return TableUsed(**{**table.__dict__, "learner": table.learner or learner})


def without_folders(value: Any) -> Any:
    """Plain data, such as a recipe, with the folders of paths left out: they tell of the machine and its users.

    A hub id stays as it is.

    >>> without_folders({"base": "image-model:path=/home/eve/nets/mine,size=64", "seed": 1})
    {'base': 'image-model:path=mine,size=64', 'seed': 1}
    >>> without_folders(["org/name:layers=2", "~/x y/z", "C:\\\\nets\\\\mine", "../a/b", "runs/a/b"])
    ['org/name:layers=2', 'z', 'mine', 'b', 'b']
    """
    if isinstance(value, Mapping):
        return {str(name): without_folders(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(one) for one in value]
    return _PATH.sub("", value) if isinstance(value, str) else value


_PATH = re.compile(
    r"(?:(?<![\w.])[A-Za-z]:[\\/]|~[^\\/]*[\\/]|\.{1,2}[\\/]|(?<![\w.-])[\\/]|[\w.-]+[\\/](?=[^\\/]*[\\/]))(?:.*[\\/])?"
)
"""From the beginning of a path up to its last name: an absolute one, one that begins at `~` or `.`, or several deep."""

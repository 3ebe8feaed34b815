"""A folder of parts that are done: kept while a prediction is unfinished, so that the same call goes on where it ended.

It says of which model, rows and settings its parts are; those of others are never taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from graftwork.data.contents import contents
from graftwork.data.store.cache import digest, storing
from graftwork.data.store.writing import clean, is_own, remove, write_text
from graftwork.data.table import Table
from graftwork.errors import DataError, UsageError
from graftwork.networks.manifest import MANIFEST, weights_key

if TYPE_CHECKING:
    from graftwork.predicting import Kept

ABOUT = "parts.json"
ROWS, MODEL = "rows.arrow", "model"
_PART = re.compile(r"part-(\d{6})\.safetensors")


class WorkFolder:
    """Parts of one prediction, by number. key: of all that they depend on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, key: str) -> int:
        """How many files of parts are there from before; files of another prediction are removed.

        Raises UsageError for a folder that something else has filled.
        """
        path = self.folder / ABOUT
        check_free(self.folder)
        with storing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            clean(self.folder)
            if not path.is_file() or _key_in(path) != key:
                remove(path)
                for other in self._parts():
                    remove(other)
                write_text(path, json.dumps({"what": "parts of an unfinished graft predict", "key": key}) + "\n")
        return len(self._parts())

    def path(self, part: int) -> Path:
        """Where a part lies."""
        return self.folder / f"part-{part:06}.safetensors"

    def read(self, part: int, rows: int) -> tuple[Kept, list[str]] | None:
        """A part with so many rows and what is to be said of it, None where it is not there, or damaged."""
        from graftwork.predicting_parts.kept_files import read_kept

        try:
            return read_kept(self.path(part), rows) if self.path(part).is_file() else None
        except DataError:
            return None

    def remove(self) -> None:
        """Once all is done."""
        remove(self.folder)

    def _parts(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if _PART.fullmatch(path.name)]


def check_free(folder: Path) -> None:
    """Raise UsageError where something else lies."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    foreign = [name for name in names if not (name in (ABOUT, ROWS, MODEL) or _PART.fullmatch(name) or is_own(name))]
    if foreign or (folder.exists() and not folder.is_dir()):
        what = f"holds {sorted(foreign)[0]}" if foreign else "is a file"
        raise UsageError(
            f"{folder} is where parts are kept until all are done, and it {what}. Move that, or name another --out."
        )


def key_of(model: Path, table: Table, features: bool, added: Sequence[str] = ()) -> str:
    """Of all that parts depend on: this version, the model in a folder, the rows, whether features are kept, and what
    is added at prediction."""
    manifest = (model / MANIFEST).read_bytes()
    return digest(version("graftwork"), manifest, weights_key(model) or "", contents(table), str(features), *added)


def _key_in(path: Path) -> str:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return str(told["key"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""

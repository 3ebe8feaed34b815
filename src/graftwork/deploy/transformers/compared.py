"""`verify` and `identify` on files: items and tables are read before the model is loaded, which takes seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from graftwork.data.load import load_like
from graftwork.data.table import Table
from graftwork.deploy.items import Items, is_table, read_items
from graftwork.errors import ModelError, UsageError
from graftwork.networks.manifest import read_manifest_of, schema_of
from graftwork.progress import SILENT, Screen

if TYPE_CHECKING:
    import numpy as np

    from graftwork.uses.verification import Identified, Verdict, Verifier

T = TypeVar("T")


def verify_items(
    folder: Path, first: str, second: str, far: float | None, on: Screen = SILENT
) -> tuple[Items, list[Verdict | None]]:
    """Whether the first item shows the identity of the second one, or of each row of a folder or table; None for a row
    that can't be read."""
    schema = schema_of(read_manifest_of(folder))
    if is_table(first, schema):
        raise UsageError(f"{first} is a table or a folder. Name one item first, and then what it is compared with.")
    (one,), (others,) = (read_items([item], schema, at, 2) for at, item in enumerate((first, second)))
    verifier = _loaded(folder, on)
    alone = _embedded(verifier, one, SILENT)[0]
    return others, _in_place(others, verifier.verdicts(alone, _embedded(verifier, others, on), far))


def identify_items(
    folder: Path, gallery: Path, items: Sequence[str], far: float | None, *, out: bool = False, on: Screen = SILENT
) -> list[tuple[Items, list[Identified | None]]]:
    """Who of the gallery each item, and each row of a folder or table among them, shows; None for a row that can't be
    read. gallery: a file that enroll wrote, or a table or folder of known identities. out: the answers are for a file,
    so that they must be of one table."""
    schema = schema_of(read_manifest_of(folder))
    if out and len(items) > 1 and any(is_table(item, schema) for item in items):
        raise UsageError("--out writes the rows of one table or folder, or of single items. Name one table or folder.")
    known: Table | None = None
    if gallery.suffix != ".safetensors":
        on.doing(f"reading {gallery}")
        known = load_like(gallery, schema, with_target=True).table
    elif not gallery.is_file():
        raise ModelError(f"There is no gallery {gallery}. Make one: graft enroll {folder} TABLE --out {gallery}")
    read = read_items(items, schema)
    verifier = _loaded(folder, on)
    from graftwork.uses.gallery import load_gallery

    if known is None:
        people = load_gallery(gallery)
    else:
        people = verifier.enroll_rows(known, on.counting("enrolling", "rows"))
        on.forget("enrolling")
    return [(part, _in_place(part, verifier.nearest(_embedded(verifier, part, on), people, far))) for part in read]


def _loaded(folder: Path, on: Screen) -> Verifier:
    on.doing("loading the model")
    from graftwork.model import load

    return load(folder).on().verifier()


def _embedded(verifier: Verifier, items: Items, on: Screen) -> np.ndarray:
    found = verifier.embed_rows(items.loaded.table.take(items.good), on.counting("comparing", "rows"))
    on.forget("comparing")
    return found


def _in_place(items: Items, found: Sequence[T]) -> list[T | None]:
    """What was found of the rows that can be read, None for the others."""
    placed: list[T | None] = [None] * len(items)
    for at, one in zip(items.good.tolist(), found, strict=True):
        placed[at] = one
    return placed

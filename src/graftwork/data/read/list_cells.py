"""Cells of a frame that hold several values: lists, tuples, sets, arrays and series, as lists of texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def as_lists(items: Iterable[Any]) -> list[list[str | None] | None] | None:
    """Each cell as a list of texts, a single text as a list of one; None where the cells hold no lists of plain values.

    >>> as_lists([("a", "b"), {"c"}, None, "d"]), as_lists(["a", "b"])
    ([['a', 'b'], ['c'], None, ['d']], None)
    """
    cells = [_cell(item) for item in items]
    if not any(isinstance(cell, list) for cell in cells):
        return None
    if not all(cell is None or isinstance(cell, str | list) for cell in cells):
        return None
    if any(isinstance(item, list | dict) for cell in cells if isinstance(cell, list) for item in cell):
        return None
    return [None if cell is None else [cell] if isinstance(cell, str) else list(map(_text, cell)) for cell in cells]


def _cell(item: Any) -> Any:
    if isinstance(item, set | frozenset):
        return sorted(item, key=str)
    if isinstance(item, tuple | list):
        return list(item)
    if hasattr(item, "tolist") and hasattr(item, "shape") and len(item.shape) == 1:  # an array or a series
        return list(item.tolist())
    return None if _is_missing(item) else item


def _is_missing(item: Any) -> bool:
    return item is None or type(item).__name__ in ("NAType", "NaTType") or (isinstance(item, float) and item != item)


def _text(item: Any) -> str | None:
    return None if _is_missing(item) else str(item)

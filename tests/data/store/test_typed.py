"""graftwork.data.store.typed: plain data held against type hints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import pytest

from graftwork.data.store.typed import misfit


@dataclass(frozen=True)
class Point:
    name: str
    at: tuple[int, float]
    tags: tuple[str, ...] = ()


class Drawing(TypedDict):
    points: list[Point]
    title: str | None


FITS: list[tuple[Any, Any]] = [
    (1, int),
    (1, float),
    ("a", str),
    (None, str | None),
    ([1, 2], list[int]),
    ([1, 2.5], tuple[int, float]),
    ({"a": 1}, dict[str, int]),
    ("fp32", Literal["fp32", "bf16"]),
    ({"name": "a", "at": [1, 2]}, Point),
    (Point("a", (1, 2.0), ("x",)), Point),
    ({"points": [], "title": None, "more": 1}, Drawing),
    (object(), Any),
]
MISFITS: list[tuple[Any, Any, str]] = [
    (True, int, "it is True, expected int"),
    (True, float, "expected float"),
    (float("nan"), float, "expected float"),
    (10**400, float, "expected float"),
    (-(10**400), int, "expected int"),
    (1.5, int, "expected int"),
    (None, str, "expected str"),
    ("ab", list[str], "expected a list"),
    ("ab", tuple[str, ...], "expected a list"),
    ([1], tuple[int, float], "2 items"),
    ([1, "x"], list[int], r"\[1\] is 'x'"),
    ({"a": "x"}, dict[str, int], "a is 'x'"),
    ([], dict[str, int], "an object"),
    ("fp64", Literal["fp32", "bf16"], "fp64"),
    ({"at": [1, 2]}, Point, "name is missing"),
    (Point(1, (1, 2.0)), Point, "name is 1"),  # type: ignore[arg-type]
    ({"points": [{"name": "a", "at": 1}], "title": ""}, Drawing, r"points\[0\].at is 1, expected a list"),
]


@pytest.mark.parametrize(("value", "hint"), FITS)
def test_what_fits(value: Any, hint: Any) -> None:
    assert misfit(value, hint) == ""


@pytest.mark.parametrize(("value", "hint", "words"), MISFITS)
def test_what_does_not(value: Any, hint: Any, words: str) -> None:
    import re

    assert re.search(words, misfit(value, hint))


def test_long_values_are_cut() -> None:
    assert len(misfit("x" * 10_000, int)) < 100

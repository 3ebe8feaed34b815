"""Spaces of settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pytest

from graftwork.errors import UsageError
from graftwork.spaces import Choice, Range, Space, spaces_of


def test_a_range_of_two_whole_numbers_holds_whole_numbers() -> None:
    assert Range(1, 8).whole
    assert not Range(1.0, 8.0).whole
    assert 2.5 in Range(1.0, 8.0)
    assert True not in Range(0, 8)


@pytest.mark.parametrize(("low", "high", "log"), [(2, 2, False), (3, 2, False), (0, 2, True)])
def test_a_range_without_numbers_is_refused(low: float, high: float, log: bool) -> None:
    with pytest.raises(UsageError, match="can't be searched"):
        Range(low, high, log=log)


def test_a_choice_of_one_is_refused() -> None:
    with pytest.raises(UsageError, match="two values"):
        Choice(("a", "a"))


def test_spaces_stand_in_the_order_of_the_settings() -> None:
    @dataclass(frozen=True)
    class Settings:
        a: int = 1
        b: float = 0.5
        searched: ClassVar[Mapping[str, Space]] = {"b": Range(0.0, 1.0), "a": Range(1, 3)}

    assert list(spaces_of(Settings)) == ["a", "b"]

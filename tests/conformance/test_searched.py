"""Where settings are searched: each is a setting, its default lies within, and what lies at the ends can be built."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from graftwork.core.settings import Training
from graftwork.networks.bases.registry import BASES
from graftwork.networks.heads.registry import HEADS
from graftwork.spaces import Choice, Range, Space, spaces_of
from graftwork.techniques import TECHNIQUES

EVERY: dict[str, Any] = {
    **{f"technique {name}": cls for name, cls in TECHNIQUES.own.items()},
    **{f"head {name}": cls for name, cls in HEADS.own.items()},
    **{f"base {name}": cls for name, cls in BASES.own.items()},
    "training": Training,
}
SEARCHED = {name: cls for name, cls in EVERY.items() if spaces_of(cls)}


def example(cls: Any) -> Any:
    """It at its defaults; a setting without one has its own name."""
    fields = dataclasses.fields(cls)
    lacking = [one.name for one in fields if one.init and one.default is one.default_factory is dataclasses.MISSING]
    return cls(**{name: name for name in lacking})


def ends(space: Space) -> tuple[Any, ...]:
    return space.values if isinstance(space, Choice) else (space.low, space.high)


def corners(cls: Any) -> Iterator[dict[str, Any]]:
    spaces = spaces_of(cls)
    for values in product(*map(ends, spaces.values())):
        yield dict(zip(spaces, values, strict=True))


@pytest.mark.parametrize("name", EVERY)
def test_what_is_searched_is_a_setting(name: str) -> None:
    cls = EVERY[name]
    assert set(cls.searched) == set(spaces_of(cls))


@pytest.mark.parametrize("name", SEARCHED)
def test_the_default_lies_within(name: str) -> None:
    usual = example(SEARCHED[name])
    for setting, space in spaces_of(SEARCHED[name]).items():
        value = getattr(usual, setting)
        assert value is None or value in space, setting


@pytest.mark.parametrize("name", SEARCHED)
def test_every_corner_can_be_built_and_is_not_off(name: str) -> None:
    usual = example(SEARCHED[name])
    for values in corners(SEARCHED[name]):
        if "layers" in values and values.get("depth") is not None:  # no more layers than it is deep: `with_layers`
            values["layers"] = min(values["layers"], values["depth"])
        made = dataclasses.replace(usual, **values)
        assert not (name.startswith("technique") and made.off), values


@pytest.mark.parametrize("name", SEARCHED)
def test_numbers_are_searched_as_their_setting_holds_them(name: str) -> None:
    usual = example(SEARCHED[name])
    for setting, space in spaces_of(SEARCHED[name]).items():
        if isinstance(space, Range) and isinstance(getattr(usual, setting), int):
            assert space.whole, setting

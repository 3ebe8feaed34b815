"""Dimensions of a search space: what each is called, where it is searched, and when it is asked for at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from graftwork.spaces import Space

When = tuple[tuple[str, tuple[object, ...]], ...]
"""Names of other dimensions with the values that they may have, all of which must hold; None among the values: also
where that dimension was not asked for."""


@dataclass(frozen=True)
class Dimension:
    """One thing that is searched.

    when: it is asked for only where this holds; always where that is empty. A name may stand there several times, with
    the same space: it is asked for where one of them holds.

    >>> from graftwork.spaces import Range
    >>> Dimension("mixup.alpha", Range(0.1, 1.0), (("with mixup", (True,)),)).asked({"with mixup": True})
    True
    """

    name: str
    space: Space
    when: When = ()

    def asked(self, params: Mapping[str, object]) -> bool:
        """Whether it is asked for, by the values of those before it."""
        return all(any(_same(params.get(name), value) for value in values) for name, values in self.when)


def proposed(dimensions: Sequence[Dimension], suggest: Callable[[str, Space], object]) -> dict[str, object]:
    """A value of each dimension that is asked for, in order."""
    params: dict[str, object] = {}
    for one in dimensions:
        if one.name not in params and one.asked(params):
            params[one.name] = suggest(one.name, one.space)
    return params


def lies_within(dimensions: Sequence[Dimension], params: Mapping[str, object]) -> bool:
    """Whether these are values of just the dimensions that are asked for."""
    asked = {one.name: one.space for one in dimensions if one.asked(params)}
    return asked.keys() == params.keys() and all(params[name] in space for name, space in asked.items())


def _same(one: object, other: object) -> bool:
    """1 is not True."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)

"""Plain data out of a file held against type hints, so that a wrong type is met while reading."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from graftwork.shown import shortened_text


def misfit(value: Any, hint: Any, at: str = "") -> str:
    """What of `value` does not fit the type `hint`, or nothing. at: where the value stands.

    A tuple may be a list, as JSON has it, and a dataclass a mapping with its fields; a typed dict may hold more.

    >>> misfit({"topic": "hot"}, dict[str, float], "temperature")
    "temperature.topic is 'hot', expected float"
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return ""
    if origin in (typing.Union, types.UnionType):
        found = [misfit(value, one, at) for one in arguments]
        return "" if "" in found else found[0]
    if typing.is_typeddict(hint) or dataclasses.is_dataclass(hint):
        return _misfit_fields(value, hint, at)
    if origin in (list, tuple, frozenset):
        return _misfit_items(value, arguments, at)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            return _told(value, "an object", at)
        return _first(misfit(one, arguments[1], f"{at}.{name}") for name, one in value.items())
    return "" if _fits(value, hint, arguments) else _told(value, getattr(hint, "__name__", str(hint)), at)


def _fits(value: Any, hint: Any, arguments: tuple[Any, ...]) -> bool:
    if typing.get_origin(hint) is Literal:
        return any(value == one and type(value) is type(one) for one in arguments)
    if hint in (int, float):
        number = isinstance(value, int if hint is int else (int, float)) and not isinstance(value, bool)
        return number and _finite(value)
    return value is None if hint is type(None) else not isinstance(hint, type) or isinstance(value, hint)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number with hundreds of digits
        return False


def _misfit_items(value: Any, hints: tuple[Any, ...], at: str) -> str:
    if not isinstance(value, list | tuple | frozenset):
        return _told(value, "a list", at)
    if len(hints) == 1 or hints[-1] is ...:
        hints = (hints[0],) * len(value)
    if len(hints) != len(value):
        return _told(value, f"{len(hints)} items", at)
    each = enumerate(zip(value, hints, strict=True))
    return _first(misfit(one, hint, f"{at}[{index}]") for index, (one, hint) in each)


def _misfit_fields(value: Any, hint: Any, at: str) -> str:
    hints = typing.get_type_hints(hint)
    if isinstance(value, Mapping):
        missing = [name for name in _required(hint) if name not in value]
        if missing:
            return f"{f'{at}.{missing[0]}'.strip('.')} is missing"
        return _first(misfit(value[name], one, f"{at}.{name}") for name, one in hints.items() if name in value)
    if not typing.is_typeddict(hint) and isinstance(value, hint):
        names = [field.name for field in dataclasses.fields(hint)]
        return _first(misfit(getattr(value, name), hints[name], f"{at}.{name}") for name in names)
    return _told(value, "an object", at)


def _required(hint: Any) -> list[str]:
    if typing.is_typeddict(hint):
        return sorted(hint.__required_keys__)
    empty = dataclasses.MISSING
    return [each.name for each in dataclasses.fields(hint) if each.default is empty and each.default_factory is empty]


def _told(value: Any, expected: str, at: str) -> str:
    return f"{at.strip('.') or 'it'} is {shortened_text(repr(value))}, expected {expected}"


def _first(found: Iterable[str]) -> str:
    return next(filter(None, found), "")

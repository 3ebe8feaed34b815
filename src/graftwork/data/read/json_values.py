"""json text as values: one reading for lines and documents, with every way it can fail as one error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

DEEPEST = 200
"""Lists and objects inside each other; more is no table, and would exhaust the stack."""
_DIGITS = 4000


class NotJson(ValueError):
    """reason: for a reader. at: the character where it was found, if that is known."""

    def __init__(self, reason: str, at: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.at = reason, at


def parse(text: str, *, strict: bool = True) -> Any:
    """The one value of a text. Raises NotJson, also for a key that stands twice in an object, where `strict`."""
    try:
        return (_STRICT if strict else _PLAIN).decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg}, column {error.colno}", error.pos) from error
    except RecursionError as error:
        raise NotJson("nested too deeply") from error
    except ValueError as error:
        if isinstance(error, NotJson):
            raise
        try:
            return _LONG.decode(text)  # a whole number of thousands of digits
        except RecursionError as again:
            raise NotJson("nested too deeply") from again


def parse_all(text: str) -> Iterator[Any]:
    """Every value of a text that holds one behind the other, with or without commas between them. Raises NotJson."""
    at, end = 0, len(text)
    while True:
        while at < end and text[at] in " \t\r\n,\ufeff":
            at += 1
        if at == end:
            return
        try:
            value, at = _LONG.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise NotJson(error.msg, error.pos) from error
        except RecursionError as error:
            raise NotJson("nested too deeply", at) from error
        yield value


def depth(value: Any) -> int:
    """How many lists and objects stand inside each other; no further than `DEEPEST`."""
    level, layer = 0, [value]
    while level <= DEEPEST:
        layer = [item for one in layer if isinstance(one, list | dict) for item in _inside(one)]
        level += 1
        if not any(isinstance(item, list | dict) for item in layer):
            break
    return level


def _inside(value: list[Any] | dict[str, Any]) -> list[Any]:
    return value if isinstance(value, list) else list(value.values())


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        doubled = next(key for key in keys if keys.count(key) > 1)
        raise NotJson(f"the key '{doubled[:60]}' stands more than once in an object")
    return found


def _number(digits: str) -> int | str:
    return int(digits) if len(digits) < _DIGITS else digits


_PLAIN = json.JSONDecoder()
_STRICT = json.JSONDecoder(object_pairs_hook=_once)
_LONG = json.JSONDecoder(object_pairs_hook=_once, parse_int=_number)

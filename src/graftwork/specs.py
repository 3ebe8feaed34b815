"""A settings class and its short written form are the same thing: `lora:rank=16` is `LoRA(rank=16)`.

Bases, heads, tasks and techniques are frozen dataclasses of settings; a registry maps their names to the classes.
This file reads and writes the short form and checks names, types and values on the way.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar, Union

from graftwork.errors import UsageError, nearest

S = TypeVar("S")

LISTED = {"base": "bases", "technique": "techniques", "task": "tasks", "head": "heads"}
"""What `graft list` shows."""


def parse(spec: str | Mapping[str, Any], registry: Mapping[str, type[S]], what: str) -> S:
    """Build the settings object that `spec` names: `"lora:rank=16"`, `"lora"` or `{"lora": {"rank": 16}}`."""
    name, settings = _split(spec, what)
    if name not in registry:
        listed = f" What each is: graft list {LISTED[what]}." if what in LISTED else ""
        raise UsageError(f"Unknown {what} '{name}'. {nearest(name, registry)}{listed}")
    return build(registry[name], settings, f"{what} '{name}'")


def build(cls: type[S], settings: Mapping[str, Any], what: str) -> S:
    """`cls(**settings)` with every name and type checked; `what` names the thing in messages."""
    hints = _hints(cls)
    values = {}
    for key, value in settings.items():
        name = key.replace("-", "_")
        if name not in hints:
            raise UsageError(f"{what} has no setting '{key}'. {nearest(name, hints)}")
        values[name] = convert(value, hints[name], f"{what}, setting '{name}'")
    fields = dataclasses.fields(typing.cast(Any, cls))
    lacking = [f.name for f in fields if f.init and _default(f) is dataclasses.MISSING and f.name not in values]
    if lacking:
        raise UsageError(f"{what} needs the setting '{lacking[0]}', which has no default: {lacking[0]}=VALUE.")
    try:
        return cls(**values)
    except TypeError as error:
        raise UsageError(f"{what}: {error}") from None


def name_of(spec: str) -> str:
    """What stands before the settings.

    >>> name_of("lora:rank=16")
    'lora'
    """
    return spec.partition(":")[0].strip()


def write(settings: object, name: str) -> str:
    """The short form; settings at their default are left out.

    >>> @dataclasses.dataclass(frozen=True)
    ... class LoRA:
    ...     rank: int = 8
    >>> write(LoRA(rank=16), "lora"), write(LoRA(), "lora")
    ('lora:rank=16', 'lora')
    """
    changed = [f"{key}={_quoted(_text(value))}" for key, value in changed_settings(settings).items()]
    return f"{name}:{','.join(changed)}" if changed else name


def describe_settings(cls: type) -> str:
    """All settings with their defaults: `rank=8, alpha=16.0`; a setting without default stands alone."""
    parts = []
    for field in dataclasses.fields(typing.cast(Any, cls)):
        if field.init:
            default = _default(field)
            parts.append(field.name if default is dataclasses.MISSING else f"{field.name}={_text(default)}")
    return ", ".join(parts)


def changed_settings(settings: object) -> dict[str, Any]:
    """The settings that differ from their default, in order."""
    return {
        field.name: getattr(settings, field.name)
        for field in dataclasses.fields(typing.cast(Any, settings))
        if field.init and getattr(settings, field.name) != _default(field)
    }


def convert(value: Any, hint: Any, what: str) -> Any:
    """`value` as the type `hint`, or a UsageError that says what was expected.

    >>> convert("1e-4", float, "lr"), convert("none", int | None, "epochs"), convert("yes", bool, "nesterov")
    (0.0001, None, True)
    >>> convert("8/256", float, "epsilon")
    0.03125
    """
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        return _convert_union(value, typing.get_args(hint), what)
    if origin is typing.Literal:
        options = typing.get_args(hint)
        found = next((option for option in options if str(option) == str(value)), None)
        if found is None:
            raise UsageError(f"{what} is {value!r}. Expected one of: {', '.join(map(str, options))}.")
        return found
    if origin is tuple:
        items = value.split("+") if isinstance(value, str) else value
        return tuple(convert(item, typing.get_args(hint)[0], what) for item in items)
    if origin is Mapping:
        return _convert_mapping(value, typing.get_args(hint)[1], what)
    return _convert_plain(value, hint, what)


def _convert_mapping(value: Any, hint: Any, what: str) -> dict[str, Any]:
    pairs = [item.partition("=") for item in value.split("+")] if isinstance(value, str) else []
    if not isinstance(value, str | Mapping) or not all(name and text for name, _, text in pairs):
        raise UsageError(f"{what} is {value!r}. Expected names and values, such as a=1+b=2.")
    items = [(name, text) for name, _, text in pairs] if isinstance(value, str) else list(value.items())
    names = [str(name) for name, _ in items]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{what} names '{name}' {names.count(name)} times. Name it once.")
    return {str(name): convert(item, hint, f"{what}, '{name}'") for name, item in items}


def _convert_union(value: Any, options: tuple[Any, ...], what: str) -> Any:
    if value is None or (isinstance(value, str) and value.lower() == "none"):
        if type(None) in options:
            return None
        raise UsageError(f"{what} can't be none.")
    plain = [option for option in options if option is not type(None)]
    problem = UsageError(f"{what} is {value!r}.")
    for option in plain:
        try:
            return convert(value, option, what)
        except UsageError as error:
            problem = error
    raise problem


_BOOLS = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}


def _convert_plain(value: Any, hint: Any, what: str) -> Any:
    problem = UsageError(f"{what} is {value!r}. Expected {_article(hint)}.")
    if hint is bool:
        if isinstance(value, bool):
            return value
        if str(value).lower() in _BOOLS:
            return _BOOLS[str(value).lower()]
        raise problem
    if isinstance(value, bool) and hint in (int, float):
        raise problem
    if hint is int and isinstance(value, int):
        return value
    if hint in (int, float):
        try:
            if hint is int and isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+\s*", value):
                return int(value)  # a float would round large ones, such as seeds
            above, _, below = value.partition("/") if isinstance(value, str) else (value, "", "")
            number = float(above) / float(below) if below else float(value)
        except (TypeError, ValueError, ZeroDivisionError):
            raise problem from None
        if hint is float:
            return number
        if number != int(number) if abs(number) < float("inf") else True:
            raise problem
        return int(number)
    if hint is str:
        if not isinstance(value, str | int | float):
            raise problem
        return str(value)
    return value


def _article(hint: Any) -> str:
    return {int: "a whole number", float: "a number", bool: "true or false", str: "text"}.get(hint, str(hint))


def _split(spec: str | Mapping[str, Any], what: str) -> tuple[str, Mapping[str, Any]]:
    if isinstance(spec, str):
        return name_of(spec), settings_of(spec.partition(":")[2], f"{what} '{spec}'")
    if isinstance(spec, Mapping) and len(spec) == 1:
        name, settings = next(iter(spec.items()))
        if settings is None or isinstance(settings, Mapping):
            return str(name), settings or {}
    raise UsageError(f"{what} {spec!r} is not understood. Write 'name:key=value' or {{name: {{key: value}}}}.")


_SETTING = re.compile(r"""([^=,]*)=("[^"]*"|'[^']*'|,\s*|[^,]*)(?:,|$)""")
"""A value may stand in quotes, and may be a comma: `separator=,`."""


def settings_of(text: str, what: str) -> dict[str, str]:
    """What stands behind a name: `rank=16,dropout=0`. what: for the message where it is not written so."""
    settings: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _SETTING.match(text, at)
        if found is None:
            part = text[at:].split(",", 1)[0]
            if part:
                raise UsageError(f"{what}: '{part}' is not a setting. Write name:key=value,key=value.")
            at += 1
            continue
        key, value = found[1].strip(), found[2]
        if key in settings:
            raise UsageError(f"{what}: '{key}' is given twice.")
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        settings[key] = value[1:-1] if quoted else value.strip() or value
        at = found.end()
    return settings


def _hints(cls: type) -> dict[str, Any]:
    fields = {field.name for field in dataclasses.fields(typing.cast(Any, cls)) if field.init}
    return {name: hint for name, hint in typing.get_type_hints(cls).items() if name in fields}


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return dataclasses.MISSING


def _quoted(text: str) -> str:
    return f'"{text}"' if "," in text or text != text.strip() else text


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(map(_text, value))
    if isinstance(value, Mapping):
        return "+".join(f"{name}={_text(item)}" for name, item in value.items())
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

"""What the modules of a room hold by name, so that a new technique, task, base, head or metric is one new file.

A class is found by the line `name = "..."` of its body, without importing it; other things stand in a tuple.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.machinery import ModuleSpec
from typing import Any, cast

from graftwork.discovery.places import Held, Place
from graftwork.errors import UsageError


@cache
def classes(room: str, key: str = "name", without: tuple[str, ...] = ()) -> Mapping[str, str]:
    """Where the classes of a package stand whose body says `key = "..."`: `{"mixup": "package.module:Mixup"}`, in the
    order of the modules. Found by the lines of their sources, without importing them, also in a zip.

    without: packages in it that hold something else. Raises UsageError for a name that two classes have.
    """
    found: dict[str, str] = {}
    apart = tuple(f"{room}.{each}." for each in without)
    for module, cls, name in _named_classes(room, key):
        if module.startswith(apart):
            continue
        if name in found:
            raise _named_twice(name, found[name], module)
        found[name] = f"{module}:{cls}"
    return found


@cache
def homes(room: str, key: str = "name") -> Mapping[str, str]:
    """By the name of each class that `classes` finds, its module. Raises UsageError for one that two modules have."""
    found: dict[str, str] = {}
    for where in classes(room, key).values():
        module, _, cls = where.partition(":")
        if cls in found:
            raise _named_twice(cls, found[cls], module)
        found[cls] = module
    return found


def modules(room: str) -> Iterator[ModuleSpec]:
    """The modules of a package and of those in it, by name, without importing any."""
    top = importlib.util.find_spec(room)
    return _below(room, top.submodule_search_locations or () if top else ())


def _below(room: str, folders: Iterable[str]) -> Iterator[ModuleSpec]:
    for info in pkgutil.iter_modules(folders, f"{room}."):
        spec = cast(Any, info.module_finder).find_spec(info.name)
        yield spec
        if info.ispkg:
            yield from _below(info.name, spec.submodule_search_locations)


def collected(room: str, listed: str, key: str = "name") -> Mapping[str, Held]:
    """What the modules of a package hold in the tuples called `listed`, by the attribute `key` of each, in the order of
    the modules. Imports them all. Raises UsageError for a name that two have."""
    found: dict[str, Held] = {}
    for spec in modules(room):
        things = vars(importlib.import_module(spec.name)).get(listed, ())
        for thing in things if isinstance(things, tuple) else ():
            name = getattr(thing, key)
            if name in found:
                raise _named_twice(name, found[name].where, spec.name)
            found[name] = Held(f"{spec.name}:{listed}", thing)
    return found


def _named_classes(room: str, key: str) -> Iterator[tuple[str, str, str]]:
    """Module, class and name of each."""
    # A class at the margin, the line in its body, or whatever else at the margin ends the class.
    line = re.compile(rf"""^(?:class (\w+)|    {key}\b[^=\n]*=\s*(["'])([^"'\n]+)\2\s*(?:#|$)|(?=[^\s)\]#]))""", re.M)
    for spec in modules(room):
        source = cast(Any, spec.loader).get_source(spec.name) if hasattr(spec.loader, "get_source") else None
        if source is None:  # installed without its sources
            own = (c for c in vars(importlib.import_module(spec.name)).values() if inspect.isclass(c))
            yield from ((spec.name, c.__name__, vars(c)[key]) for c in own if isinstance(vars(c).get(key), str))
            continue
        cls = None
        for match in line.finditer(source):
            if match[3] is None:
                cls = match[1]
            elif cls is not None:
                yield spec.name, cls, match[3]


def _named_twice(name: str, first: str, second: str) -> UsageError:
    return UsageError(f"'{name}' is there twice, in {Place(first)} and in {Place(second)}. Rename one of the two.")

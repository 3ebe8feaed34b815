"""Which packages a recipe needs besides graftwork, as it says itself, so that a missing one is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graftwork.discovery.places import OWN
from graftwork.discovery.registry import Registry
from graftwork.errors import UsageError, nearest


def packages_of(named: Iterable[tuple[Registry[Any], str]]) -> dict[str, dict[str, str]]:
    """By kind and name the package of each that is not graftwork's own: `{"technique": {"far": "far-things"}}`."""
    found: dict[str, dict[str, str]] = {}
    for known, name in named:
        package = known.package(name)
        if package != OWN:
            found.setdefault(known.what, {})[name] = package
    return found


def check_packages(told: Any, registries: Iterable[Registry[Any]], source: str) -> None:
    """Hold what `packages_of` gave elsewhere against what is installed here.

    Raises MissingPackageError for what is not installed, UsageError for what `packages_of` can't have given.
    """
    by_kind = {known.what: known for known in registries}
    if not isinstance(told, Mapping) or not all(isinstance(names, Mapping) for names in told.values()):
        raise UsageError(f"{source}, 'packages' is {told!r}. Expected the package of each name, by kind.")
    for what, names in told.items():
        if what not in by_kind:
            raise UsageError(f"{source}, 'packages' has an unknown kind '{what}'. {nearest(str(what), by_kind)}")
        for name, package in names.items():
            by_kind[what].of(str(name), str(package))

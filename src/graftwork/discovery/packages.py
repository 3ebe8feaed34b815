"""What installed packages add, by their entry points: read from their metadata, so that nothing is imported for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from graftwork.discovery.places import Place


@cache
def installed(group: str) -> Mapping[str, tuple[Place, ...]]:
    """What installed packages register in a group of entry points, by name, read from their metadata alone."""
    if not group:
        return {}
    from importlib.metadata import entry_points

    found: dict[str, list[Place]] = {}
    for point in entry_points(group=group):
        package = point.dist.name if point.dist else "unknown"
        found.setdefault(point.name, []).append(Place(point.value.split("[")[0].strip(), package))
    return {name: tuple(found[name]) for name in sorted(found)}


def version_of(package: str) -> str | None:
    """The version of an installed package; None where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def plain(package: str) -> str:
    """The name of a package as every index writes it."""
    return re.sub(r"[-_.]+", "-", package).lower()

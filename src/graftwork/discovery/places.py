"""Where something stands that is found by name."""

from __future__ import annotations

from typing import Any, NamedTuple

OWN = "graftwork"


class Place(NamedTuple):
    """Where something stands, as `module:attribute`, and the package that brings it."""

    where: str
    package: str = OWN

    def __str__(self) -> str:
        module = self.where.partition(":")[0]
        return f"{module.replace('.', '/')}.py" if self.package == OWN else f"the package {self.package} ({self.where})"


class Held(NamedTuple):
    """Something that is imported already, and where it stands."""

    where: str
    thing: Any

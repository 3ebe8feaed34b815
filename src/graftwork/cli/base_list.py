"""What `graft bases` shows of each base: what it reads, how large it is, whose it is, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graftwork.discovery.places import OWN
from graftwork.discovery.registry import Listed

if TYPE_CHECKING:
    from graftwork.bases.listing import ListedBase
    from graftwork.networks.base_settings import BaseSettings

HEAD = ("base", "reads", "what it is", "languages", "parameters", "size", "licence", "source", "here", "settings")


@dataclass(frozen=True)
class Shown:
    """A base by its settings, by what is known of its weights, or both."""

    settings: type[BaseSettings] | None = None
    known: ListedBase | None = None


def bases() -> list[Listed[Shown]]:
    """Those that recipes can name, those that can be had, and those that were fetched by a hub id."""
    from graftwork.bases.listing import listed
    from graftwork.networks.bases.registry import BASES

    known = {one.name: one for one in listed()}
    found = [
        Listed(one.name, one.package, Shown(one.thing, known.pop(one.name, None)) if one.thing else None, one.problem)
        for one in BASES.listed()
    ]
    return [*found, *(Listed(name, OWN, Shown(known=one)) for name, one in known.items())]


def cells(shown: Shown) -> tuple[str, ...]:
    """What stands in the line of a base, all but its name."""
    from graftwork import specs

    cls, base = shown.settings, shown.known
    settings = specs.describe_settings(cls) if cls else ""
    if base is None:
        assert cls is not None
        return cls.modality, cls.summary, "", "", "", "", cls.source, "", settings
    return (
        cls.modality if cls else base.reads or _reads(base),
        cls.summary if cls else base.summary or "a model of transformers",
        base.languages,
        _rounded(base.parameters, ""),
        _rounded(base.size, "B") + ("" if base.folder else f" ({_rounded(base.fetched, 'B')} to fetch)"),
        f"{base.licence} ({base.licence_note})" if base.licence_note else base.licence,
        "; ".join(part for part in (base.source, base.form, _authors(base)) if part),
        str(base.folder) if base.folder else f"no: graft bases get {' or '.join((base.name, *base.uses))}",
        settings,
    )


def _authors(base: ListedBase) -> str:
    return f"the authors' own: {base.hub}" if base.hub and base.hub != base.name else ""


def _reads(base: ListedBase) -> str:
    """What a model of the hub reads, by its files."""
    from graftwork.networks.bases.registry import parse_base

    return parse_base(base.name).modality


def _rounded(number: int, unit: str) -> str:
    """`110 M`, `438 MB`.

    >>> _rounded(109_486_464, ""), _rounded(243_000_000, "B"), _rounded(1_423_616, ""), _rounded(0, "B")
    ('109 M', '243 MB', '1.4 M', '')
    """
    if not number:
        return ""
    return f"{number / 1e6:.{0 if number >= 10_000_000 else 1}f} M{unit}"

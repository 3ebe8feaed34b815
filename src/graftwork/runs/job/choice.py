"""What reads an input, and why; which bases are at hand, and how others can be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graftwork.bases import home
from graftwork.bases.catalogue import known
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import BASES, parse_base


class Slower(NamedTuple):
    """A base that usually scores better than the one that was chosen, and has no time for all rows. row: seconds for
    one."""

    base: str
    row: float


@dataclass(frozen=True)
class Choice:
    """base: of one input. warning: that it does not fit the rows, or what would score far better. reason: why it was
    chosen, and what would be better. options: bases of which measurements choose one, best first; `base` is one of
    them, or what stands in for them. slower: what was not chosen for want of time."""

    base: BaseSettings
    warning: str = ""
    reason: str = ""
    options: tuple[str, ...] = ()
    slower: Slower | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said of it; nothing before it is settled."""
        return () if self.options else tuple(note for note in (self.reason, self.warning) if note)

    def to_json(self) -> dict[str, Any]:
        """A choice that is settled, as plain data."""
        return {
            "base": self.base.spec,
            "modality": self.base.modality,
            "warning": self.warning,
            "reason": self.reason,
            "slower": self.slower,
        }


def from_json(plain: Mapping[str, Any]) -> Choice:
    """The inverse of `Choice.to_json`."""
    slower = plain.get("slower")
    base = parse_base(plain["base"], plain["modality"])
    return Choice(base, plain["warning"], plain["reason"], slower=Slower(*slower) if slower else None)


def at_hand(name: str) -> bool:
    """Whether a base was fetched, or is installed."""
    return name in BASES and home.at_hand(name) is not None


def offer(name: str) -> str:
    """The command that fetches a base, and how large it is; "" where it can't be had so.

    >>> offer("no-such-base")
    ''
    """
    entry = known().get(name)
    if entry is None:
        return ""
    return f"graft bases get {entry.uses[0] if entry.uses else name} ({entry.fetched / 1e6:,.0f} MB)"


def texts_of(share: float, of: str) -> str:
    """How many texts, for a sentence.

    >>> texts_of(1.0, "photo"), texts_of(0.2, "text")
    ("the texts in 'photo' are", "20 % of the texts in 'text' are")
    """
    return f"the texts in '{of}' are" if share > 0.99 else f"{100 * share:.0f} % of the texts in '{of}' are"

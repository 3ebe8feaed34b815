"""Orders of candidates by the situation of a job: which line of a table holds, and what it says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["text", "image", "audio", "table", "several"]
EACH_KIND = "each kind alone"
"""Stands in an order for the runs that read one kind of several inputs each."""
ON = " on "
"""Stands between a candidate and the base that it names."""


class Span(NamedTuple):
    """From `least` to `most`, both included; None: without an end."""

    least: int = 0
    most: int | None = None

    def holds(self, number: int) -> bool:
        return self.least <= number and (self.most is None or number <= self.most)


ANY = Span()


@dataclass(frozen=True)
class Situation:
    """What an order may depend on.

    kind: of the inputs, `several` where they differ. rows: that are trained on. classes: 0 for numbers, of several
    targets the most. language: "English" or "other"; "" where no texts are read, or the table does not ask. budget:
    seconds of the whole call; None without one.
    """

    kind: Kind
    rows: int
    classes: int = 0
    language: str = ""
    budget: float | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """Candidates by name, in their order, for the situations that all conditions hold for.

    up_to: a budget of at most so many seconds; None: any, and none. A candidate on another base than the one that was
    chosen is written `train on cnn`.
    """

    kind: Kind
    order: tuple[str, ...]
    up_to: float | None = None
    rows: Span = ANY
    classes: Span = ANY
    language: str = ""

    def holds(self, found: Situation) -> bool:
        """Whether the line is for this situation."""
        budget = math.inf if found.budget is None else found.budget
        return (
            self.kind == found.kind
            and (self.up_to is None or budget <= self.up_to)
            and self.rows.holds(found.rows)
            and self.classes.holds(found.classes)
            and self.language in ("", found.language)
        )


def base_in(name: str) -> str:
    """The base that a candidate names; "" where it takes the one that was chosen.

    >>> base_in("tune on mpnet"), base_in("tune, all blocks")
    ('mpnet', '')
    """
    return name.rpartition(ON)[2] if ON in name else ""


Portfolio = Sequence[Line]
"""The first line that holds is taken."""


def order_of(portfolio: Portfolio, found: Situation) -> tuple[str, ...] | None:
    """The order for a situation; None where no line holds."""
    return next((line.order for line in portfolio if line.holds(found)), None)

"""Markdown tables and claims, and the file that a benchmark's section goes into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Claim:
    """What is promised, what was measured, and whether that keeps the promise (None: not measured)."""

    promise: str
    measured: str
    met: bool | None


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; every column but the first is set to the right."""
    lines = [head, ["---", *(["---:"] * (len(head) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def claims(kept: Sequence[Claim]) -> str:
    words = {True: "yes", False: "**no**", None: "not measured"}
    return table(["claim", "measured", "met"], [[c.promise, c.measured, words[c.met]] for c in kept])


def mean_and_spread(values: Sequence[float], scale: float = 1.0, digits: int = 1) -> str:
    """Mean and standard deviation over the seeds; one value stands alone.

    >>> mean_and_spread([0.5, 0.7], 100), mean_and_spread([0.5], 100)
    ('60.0 ± 14.1', '50.0')
    """
    scaled = np.asarray(values, float) * scale
    spread = f" ± {scaled.std(ddof=1):.{digits}f}" if len(scaled) > 1 else ""
    return f"{scaled.mean():.{digits}f}{spread}"

"""A share of rows that is right, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_Z = 1.959964


@dataclass(frozen=True)
class Share:
    """`right` of `rows`. The 95 % interval is Wilson's (1927), which holds near 0 and 1 too."""

    right: int
    rows: int

    @classmethod
    def of(cls, right: np.ndarray) -> Share:
        return cls(int(right.sum()), len(right))

    @property
    def value(self) -> float:
        return self.right / self.rows if self.rows else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        if not self.rows:
            return 0.0, 1.0
        share, many = self.value, self.rows
        middle = (share + _Z**2 / (2 * many)) / (1 + _Z**2 / many)
        half = _Z / (1 + _Z**2 / many) * math.sqrt(share * (1 - share) / many + _Z**2 / (4 * many**2))
        return max(0.0, middle - half), min(1.0, middle + half)

    @property
    def text(self) -> str:
        return f"{100 * self.value:.1f} %"

    def to_json(self) -> dict[str, float]:
        low, high = self.interval
        return {"value": self.value, "low": low, "high": high, "rows": self.rows}

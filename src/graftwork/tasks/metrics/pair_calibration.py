"""From the similarity of two rows to an answer: is it the same identity, and how probable is that?

Fitted on pairs of held-out identities. Probabilities are those of a logistic regression on the cosine (Platt 1999), at
even odds: pairs of the same and of different identities weigh the same, however many there are of each.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from graftwork.errors import UsageError
from graftwork.networks.likeness import Pairs, pairs_of

_KEPT = 256
_STEPS = 100


@dataclass(frozen=True)
class PairCalibration:
    """slope, intercept: of the log-odds over the cosine. threshold: the cosine at the equal error rate.

    same, different: pairs that were held out. ranks, cosines: the highest cosines of different identities, thinned
    out, by how many pairs are higher.
    """

    slope: float
    intercept: float
    threshold: float
    same: int
    different: int
    ranks: tuple[int, ...]
    cosines: tuple[float, ...]

    def probability(self, cosine: float) -> float:
        """That two rows with this cosine show one identity, if before looking both answers were as likely."""
        odds = self.slope * cosine + self.intercept
        return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0

    def threshold_at(self, far: float | None) -> float:
        """The lowest cosine to accept, so that at most this share of the held-out pairs of different identities is
        accepted; None is the equal error rate. Raises UsageError for a share that they are too few to show."""
        if far is None:
            return self.threshold
        if not 0 < far < 1:
            raise UsageError(f"The rate of false accepts is {far}. Expected a number between 0 and 1, such as 0.01.")
        allowed = math.floor(far * self.different + 1e-9)
        if allowed < 1:
            raise UsageError(
                f"A rate of false accepts of {far:g} can't be told from the {self.different:,} held-out pairs of "
                f"different identities. Expected {1 / self.different:.2g} or more, or hold out more identities."
            )
        at = int(np.searchsorted(self.ranks, allowed, side="right")) - 1
        return float(np.nextafter(self.cosines[at], np.inf))

    def to_json(self) -> dict[str, Any]:
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Self:
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in plain.items()}
        return cls(**values)


def calibrate(identities: np.ndarray, embeddings: np.ndarray) -> PairCalibration | None:
    """Fitted on all pairs of these rows; None where no two rows, or all of them, show one identity.

    identities (N,), embeddings (N, E).
    """
    pairs = pairs_of(identities, embeddings)
    same = int(pairs.same.sum())
    different = len(pairs.same) - same
    if not same or not different:
        return None
    slope, intercept = _logistic(pairs)
    impostors = pairs.scores[~pairs.same].astype(np.float64)
    ranks = np.unique(np.round(np.geomspace(1, different, _KEPT)).astype(np.int64)) - 1
    return PairCalibration(
        slope,
        intercept,
        _equal_error_threshold(pairs),
        same,
        different,
        tuple(ranks.tolist()),
        tuple(impostors[ranks].tolist()),
    )


def _equal_error_threshold(pairs: Pairs) -> float:
    """Half-way between the last pair that is accepted there and the next."""
    accepted = np.cumsum(~pairs.same) / (~pairs.same).sum()
    missed = 1 - np.cumsum(pairs.same) / pairs.same.sum()
    at = int(np.argmax(missed <= accepted))
    after = pairs.scores[min(at + 1, len(pairs.scores) - 1)]
    return float((float(pairs.scores[at]) + float(after)) / 2)


def _logistic(pairs: Pairs) -> tuple[float, float]:
    """Slope and intercept of lowest log-loss: Newton's method, the targets softened by 1 part in n + 2 (Platt)."""
    x, same = pairs.scores.astype(np.float64), pairs.same
    count = np.where(same, same.sum(), (~same).sum())
    target = np.where(same, (count + 1) / (count + 2), 1 / (count + 2))
    weight = 1 / count
    design = np.stack([x, np.ones_like(x)], axis=1)
    solution = np.zeros(2)
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ solution, -700, 700)))
        curve = design.T @ (design * (weight * p * (1 - p))[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(curve, design.T @ (weight * (target - p)))
        solution = solution + step * min(1.0, 20.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return max(float(solution[0]), 0.0), float(solution[1])

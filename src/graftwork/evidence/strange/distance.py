"""How far rows lie from the training rows in the features of a trained network: the distance to the nearest of them.

Sun et al. (2022), "Out-of-Distribution Detection with Deep Nearest Neighbors", on standardised features, so that
numbers of a table and embeddings of texts are measured alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graftwork.evidence.strange.two_tables import squared_distances

TOGETHER = 1024
"""Rows measured at a time."""
FARTHEST = 6e4
"""Standard deviations from the mean at which features are cut off: what a half-precision number holds."""


@dataclass(frozen=True)
class Neighbourhood:
    """Rows to which others are measured.

    shift, scale: mean and standard deviation of each feature over them (W,). rows: the rows so standardised (R, W), in
    half precision.
    """

    shift: np.ndarray
    scale: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> Neighbourhood:
        """That of these rows (R, W). A feature that is alike in all of them keeps its scale."""
        shift, scale = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
        flat = scale <= 1e-6 * np.maximum(1.0, np.abs(shift))
        scale = np.where(flat, 1.0, scale)
        made = cls(shift.astype(np.float32), scale.astype(np.float32), np.zeros((0, len(shift)), np.float16))
        return cls(made.shift, made.scale, made.standardised(features).astype(np.float16))

    def standardised(self, features: np.ndarray) -> np.ndarray:
        """Features (N, W) in standard deviations from the mean of the neighbourhood."""
        found: np.ndarray = np.clip((features - self.shift) / self.scale, -FARTHEST, FARTHEST)
        return found

    def distances(self, features: np.ndarray, *, own: bool = False) -> np.ndarray:
        """The distance of each row (N,) to the nearest of the neighbourhood. own: they are that very neighbourhood, and
        no row is its own neighbour."""
        there = self.rows.astype(np.float32)
        found = np.empty(len(features))
        for start in range(0, len(features), TOGETHER):
            given = self.standardised(features[start : start + TOGETHER]).astype(np.float16).astype(np.float32)
            apart = squared_distances(given, there)
            if own:
                apart[np.arange(len(given)), np.arange(start, start + len(given))] = np.inf
            found[start : start + TOGETHER] = np.sqrt(apart.min(axis=1))
        return found

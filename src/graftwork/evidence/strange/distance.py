"""How far rows lie from the training rows in the features of a trained network: the distance to the nearest of them.

Sun et al. (2022), "Out-of-Distribution Detection with Deep Nearest Neighbors", measured in two ways of which the larger
one counts: between directions of the features, which tells pictures and texts apart, and between standardised
features, which tells numbers of a table apart. Both are in units of what is far among the training rows themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from graftwork.evidence.strange.two_tables import squared_distances

TOGETHER = 1024
"""Rows measured at a time."""
FARTHEST = 6e4
"""Standard deviations from the mean at which features are cut off: what a half-precision number holds."""
FAR = 0.99
"""The share of training rows whose nearest other one is nearer than the unit of a distance."""


@dataclass(frozen=True)
class Neighbourhood:
    """Rows to which others are measured.

    shift, scale: mean and standard deviation of each feature over them (W,). rows: the rows so standardised (R, W), in
    half precision. units: of the two distances (2,), of directions and of standardised features.
    """

    shift: np.ndarray
    scale: np.ndarray
    rows: np.ndarray
    units: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> Neighbourhood:
        """That of these rows (R, W). A feature that is alike in all of them keeps its scale."""
        shift, scale = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
        flat = scale <= 1e-6 * np.maximum(1.0, np.abs(shift))
        scale = np.where(flat, 1.0, scale)
        plain = cls(shift.astype(np.float32), scale.astype(np.float32), np.zeros((0, 0), np.float16), np.ones(2))
        made = cls(plain.shift, plain.scale, plain.standardised(features), plain.units)
        far = np.quantile(made._both(made.rows, own=True), FAR, axis=1)
        return cls(made.shift, made.scale, made.rows, np.maximum(far, 1e-6))

    def standardised(self, features: np.ndarray) -> np.ndarray:
        """Features (N, W) in standard deviations from the mean of the neighbourhood, in half precision."""
        found: np.ndarray = np.clip((features - self.shift) / self.scale, -FARTHEST, FARTHEST)
        return found.astype(np.float16)

    def distances(self, features: np.ndarray) -> np.ndarray:
        """The distance of each row (N,) to the nearest of the neighbourhood."""
        return self._larger(self._both(self.standardised(features)))

    def own_distances(self) -> np.ndarray:
        """The same of each row of the neighbourhood itself (R,) to the nearest other one."""
        return self._larger(self._both(self.rows, own=True))

    def _larger(self, both: np.ndarray) -> np.ndarray:
        found: np.ndarray = (both / self.units[:, None]).max(axis=0)
        return found

    def _both(self, standardised: np.ndarray, *, own: bool = False) -> np.ndarray:
        """Both distances (2, N), in no unit. own: no row is its own neighbour."""
        found = np.empty((2, len(standardised)))
        for at, (given, there) in enumerate(zip(self._ways(standardised), self._ways(self.rows), strict=True)):
            for start in range(0, len(given), TOGETHER):
                apart = squared_distances(given[start : start + TOGETHER], there)
                if own:
                    apart[np.arange(len(apart)), np.arange(start, start + len(apart))] = np.inf
                found[at, start : start + TOGETHER] = np.sqrt(apart.min(axis=1))
        return found

    def _ways(self, standardised: np.ndarray) -> Iterator[np.ndarray]:
        """The rows as each of the two ways reads them."""
        scaled = standardised.astype(np.float32)
        plain = scaled * self.scale + self.shift
        yield plain / np.maximum(np.linalg.norm(plain, axis=1, keepdims=True), 1e-12)
        yield scaled

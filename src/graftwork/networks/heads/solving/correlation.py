"""Solving towers: the directions in which two sets of features correlate most, in closed form.

Regularised canonical correlation analysis (Hotelling 1936; Vinod 1976): projections whose outputs are uncorrelated
within a side and as correlated as can be between the sides. A direction then counts by a power of its correlation, so
that those which hold little in common don't drown the others (Gong et al. 2014). The penalty and the power are chosen
on held-out rows, by how well partners are found there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from graftwork.networks.heads.layers.towers import TwoTowersLayer
from graftwork.networks.heads.solving.problem import Problem, SolvableHead
from graftwork.networks.likeness import partner_ranks

PENALTIES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03)
"""Added to the variances of standardised features, whose mean is 1."""
POWERS = (0.0, 1.0, 2.0)
USUAL = (1.0, 1.0)
"""Penalty and power where rows are too few to hold some out."""
ENOUGH = 50
"""Rows from which a fifth is held out."""
CHOOSE_ON = 5_000
CHUNK = 16_384


def fit_towers(head: SolvableHead, layer: TwoTowersLayer, problem: Problem) -> float:
    """Solve linear towers on the rows of weight above 0, and return the penalty that was used."""
    used = problem.used()
    shift, scale = head.standardise(problem)
    sides = Sides(problem.features[used], shift.cpu().numpy(), scale.cpu().numpy(), layer.parts[0])
    return solve_towers(layer, sides, problem.targets[used], None if problem.l2 == "auto" else problem.l2, problem.seed)


@dataclass(frozen=True)
class Sides:
    """Features of both sides, side by side (N, P + Q), read as `(features - shift) * scale`; the first P are of the
    first side."""

    features: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    first: int

    def read(self, rows: slice | np.ndarray) -> tuple[Tensor, Tensor]:
        """Of these rows, (B, P) and (B, Q), float64."""
        values = torch.from_numpy((self.features[rows].astype(np.float64) - self.shift) * self.scale)
        return values[:, : self.first], values[:, self.first :]

    def take(self, rows: np.ndarray) -> Sides:
        return replace(self, features=self.features[rows])


@dataclass(frozen=True)
class Covariances:
    """Of standardised features of two sides: within the first (P, P), within the second (Q, Q), between them (P, Q)."""

    first: Tensor
    second: Tensor
    between: Tensor


@dataclass(frozen=True)
class Solution:
    """Projections of both sides, (P, K) and (Q, K), and the correlation of each direction (K,), largest first."""

    first: Tensor
    second: Tensor
    correlations: Tensor

    def weights(self, width: int, power: float) -> tuple[Tensor, Tensor]:
        """The leading directions as weights of linear layers, (width, P) and (width, Q), each counted by the given
        power of its correlation; zero where there are fewer directions than `width`."""
        found = []
        for matrix in (self.first, self.second):
            kept = (matrix * self.correlations.clamp_min(0) ** power)[:, :width]
            found.append(torch.nn.functional.pad(kept, (0, width - kept.shape[1])).T)
        return found[0], found[1]


def covariances(rows: Sides) -> Covariances:
    """Read in chunks, summed in float64."""
    sums: list[Tensor] = []
    for start in range(0, len(rows.features), CHUNK):
        x, y = rows.read(slice(start, start + CHUNK))
        products = [x.T @ x, y.T @ y, x.T @ y]
        sums = [total + product for total, product in zip(sums, products, strict=True)] if sums else products
    return Covariances(*(total / len(rows.features) for total in sums))


def solve(known: Covariances, penalty: float) -> Solution:
    """Regularised canonical correlation analysis: `penalty` is added to the variances within each side."""
    factors = [torch.linalg.cholesky(side + penalty * torch.eye(len(side))) for side in (known.first, known.second)]
    half = torch.linalg.solve_triangular(factors[0], known.between, upper=False)
    whitened = torch.linalg.solve_triangular(factors[1], half.T, upper=False).T
    left, correlations, right = torch.linalg.svd(whitened, full_matrices=False)
    first = torch.linalg.solve_triangular(factors[0].T, left, upper=True)
    second = torch.linalg.solve_triangular(factors[1].T, right.T, upper=True)
    return Solution(first, second, correlations)


def solve_towers(layer: TwoTowersLayer, rows: Sides, ids: np.ndarray, l2: float | None, seed: int) -> float:
    """Write the solution into linear towers, and return the penalty that was used.

    ids (N, 2): a number for the content of each side, as the task encodes it. l2: the penalty; None chooses it.
    """
    penalties = PENALTIES if l2 is None else (l2,)
    penalty, power = choose(rows, ids, layer.width, penalties, np.random.default_rng(seed))
    weights = solve(covariances(rows), penalty).weights(layer.width, power)
    with torch.no_grad():
        for last, weight in zip(layer.last_layers(), weights, strict=True):
            # Directions have the length that features get from a fresh layer, so that steps go on from there evenly.
            last.weight.copy_(weight / weight.norm() * len(weight) ** 0.5)
            last.bias.zero_()
    return penalty


def choose(
    rows: Sides, ids: np.ndarray, width: int, penalties: Sequence[float], generator: np.random.Generator
) -> tuple[float, float]:
    """Penalty and power with the best mean reciprocal rank on a fifth of the rows; the usual ones if rows are few."""
    picked = generator.permutation(len(ids))[:CHOOSE_ON]
    if len(picked) < ENOUGH:
        return (penalties[0] if len(penalties) == 1 else USUAL[0]), USUAL[1]
    held, kept = np.sort(picked[::5]), np.setdiff1d(picked, picked[::5])
    known, best = covariances(rows.take(kept)), (-1.0, *USUAL)
    first, second = rows.read(held)
    for penalty in penalties:
        solution = solve(known, penalty)
        for power in POWERS:
            unit = [
                torch.nn.functional.normalize(side @ weight.T, dim=1).numpy()
                for side, weight in zip((first, second), solution.weights(width, power), strict=True)
            ]
            found = float((1 / partner_ranks(unit[0], unit[1], ids[held])).mean())
            best = max(best, (found, penalty, power))
    return best[1], best[2]

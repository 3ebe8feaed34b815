"""How likely two samples are of one distribution: p-values for numbers, shares, categories and features. No scipy.

Each holds its level at any size: what is not exact errs on the side of no difference.
"""

from __future__ import annotations

import math

import numpy as np

DRAWS = 1999
"""Random assignments of the rows to two samples, against which a difference is held."""


def numbers_p(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """The p-value of two samples of numbers, and the largest difference of the shares up to any number (0 to 1).

    Kolmogorov and Smirnov's test by the bound of Dvoretzky, Kiefer and Wolfowitz for two samples, with a constant that
    errs on the side of no difference (Wei and Dudley 2012). -inf stands for a missing number.
    """
    both = np.unique(np.concatenate([first, second]))
    at = [np.searchsorted(np.sort(sample), both, side="right") / len(sample) for sample in (first, second)]
    distance = float(np.abs(at[0] - at[1]).max())
    rows = len(first) * len(second) / (len(first) + len(second))
    return min(1.0, math.exp(1 - 2 * rows * distance**2)), distance


def counts_p(first: np.ndarray, second: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """The p-value of two rows of counts (K,) of the same categories, and the share of rows by which they differ
    (total variation, 0 to 1).

    Exact but for the draws: chi-squared among random tables with the same sums; where none of those is as far off, its
    asymptotic tail, at most what the draws can tell.
    """
    some = (first + second) > 0
    first, second = first[some].astype(np.int64), second[some].astype(np.int64)
    rows, others = int(first.sum()), int(second.sum())
    apart = float(np.abs(first / rows - second / others).sum() / 2)
    if len(first) < 2:
        return 1.0, apart
    together = first + second
    expected = together * (rows / (rows + others))
    spread = expected * (others / (rows + others))
    drawn = _tables(together, rows, np.random.default_rng(seed))
    far = ((drawn - expected) ** 2 / spread).sum(axis=1)
    found = float(((first - expected) ** 2 / spread).sum())
    beyond = int((far >= found * (1 - 1e-12)).sum())
    if beyond:
        return (1 + beyond) / (1 + DRAWS), apart
    return min(_chi_squared_tail(found, len(first) - 1), 1 / (1 + DRAWS)), apart


def features_p(first: np.ndarray, second: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """The p-value of two samples of features (N, W), and their squared distance: the maximum mean discrepancy of
    Gretton et al. (2012), unbiased, against random assignments of the rows.

    The kernel is Gaussian, as wide as the median distance of the rows.
    """
    rows, both = len(first), np.concatenate([first, second]).astype(np.float64)
    distances = squared_distances(both, both)
    width = float(np.median(distances[np.triu_indices(len(both), 1)]))
    kernel = np.exp(-distances / width) if width > 0 else np.ones_like(distances)
    np.fill_diagonal(kernel, 0.0)
    draw, every = np.random.default_rng(seed), np.arange(len(both)) < rows
    marks = np.stack([every, *(draw.permutation(every) for _ in range(DRAWS))]).astype(np.float64)
    within = marks @ kernel
    inside = (within * marks).sum(axis=1)
    across = within.sum(axis=1) - inside
    outside = kernel.sum() - inside - 2 * across
    others = len(both) - rows
    found = inside / (rows * (rows - 1)) + outside / (others * (others - 1)) - 2 * across / (rows * others)
    beyond = int((found[1:] >= found[0] - 1e-12).sum())
    return (1 + beyond) / (1 + DRAWS), float(found[0])


def more_p(first: int, of_first: int, second: int, of_second: int) -> float:
    """The p-value that the second share is no larger than the first: Fisher's exact test, one-sided."""
    marked, every = first + second, of_first + of_second
    tail = range(second, min(marked, of_second) + 1)
    logs = [_choose(of_second, at) + _choose(of_first, marked - at) for at in tail if marked - at <= of_first]
    if not logs:
        return 1.0
    peak = max(logs)
    return min(1.0, math.exp(peak + math.log(sum(math.exp(one - peak) for one in logs)) - _choose(every, marked)))


def holm(values: np.ndarray) -> np.ndarray:
    """p-values (N,) corrected for their number: Holm (1979)."""
    order = np.argsort(values, kind="stable")
    raised = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    found = np.empty(len(values))
    found[order] = np.minimum(raised, 1.0)
    return found


def squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances (N, M) of rows (N, W) and (M, W)."""
    lengths = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)
    found: np.ndarray = np.maximum(lengths - 2 * first @ second.T, 0.0)
    return found


def _tables(together: np.ndarray, rows: int, draw: np.random.Generator) -> np.ndarray:
    """Random first rows (DRAWS, K) of tables of counts with these sums."""
    if together.sum() < 1_000_000_000:
        return draw.multivariate_hypergeometric(together, rows, size=DRAWS, method="marginals")
    return draw.multinomial(rows, together / together.sum(), size=DRAWS)


def _chi_squared_tail(value: float, freedom: int) -> float:
    """The share of chi-squared with so much freedom that lies beyond a value: Wilson and Hilferty (1931)."""
    spread = 2 / (9 * freedom)
    z = ((value / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return 0.5 * math.erfc(z / math.sqrt(2))


def _choose(of: int, some: int) -> float:
    """The logarithm of how many ways there are to take `some` of so many."""
    return math.lgamma(of + 1) - math.lgamma(some + 1) - math.lgamma(of - some + 1)

"""What a policy would have brought, told from a log of another one's choices.

Each row holds the logged action (an index), its reward, and the propensity: the chance that the logging policy gave it.
A policy is judged by the action that it chooses of a row. Every estimator makes of arrays a scorer, which weighs rows
(R, N) and gives (R,), so that a bootstrap sees all of them.

Sources: Horvitz & Thompson 1952 (inverse propensities), clipped as by Ionides 2008; Swaminathan & Joachims 2015
(self-normalised); Dudik, Langford & Li 2011 (doubly robust); Thomas & Brunskill 2016 (that with normalised weights);
Karampatziakis, Langford & Mineiro 2020 (its interval); Kish 1965 (effective sample size).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from graftwork.tasks.metrics.empirical_likelihood import likelihood_interval
from graftwork.tasks.metrics.metric import Metric, Scorer, from_sums, mean_of_rows


@dataclass(frozen=True)
class Judged:
    """N logged rows, and a policy that is judged on them.

    action, chosen: indices (N,), logged and of the policy. reward: of the logged action (N,). propensity: of the logged
    action (N,), above 0. expected: rewards of each action by a model (N, K). clip: the largest weight of a row.
    normalised: the doubly robust estimate divides weights by their mean, which is 1 where propensities are right.
    """

    action: np.ndarray
    reward: np.ndarray
    propensity: np.ndarray
    chosen: np.ndarray
    expected: np.ndarray
    clip: float = np.inf
    normalised: bool = False

    @property
    def weights(self) -> np.ndarray:
        """What each row counts (N,): 1 / propensity, clipped, where the policy chooses the logged action; else 0."""
        same = self.action == self.chosen
        return np.where(same, np.minimum(1.0 / self.propensity, self.clip), 0.0)


def inverse_propensity(judged: Judged) -> Scorer:
    """Mean of weight * reward: right on average, and wide where few choices agree."""
    return mean_of_rows(judged.weights * judged.reward)


def self_normalised(judged: Judged) -> Scorer:
    """Mean reward weighted by the rows' weights: within the range of the rewards; 0 where no choice agrees."""
    statistics = np.stack([judged.weights * judged.reward, judged.weights], axis=1)
    return from_sums(statistics, lambda sums: sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], 1.0))


def doubly_robust_rows(judged: Judged) -> np.ndarray:
    """Of each row the expected reward of the chosen action, put right by weight * (reward - expected) where it is the
    logged one (N,); right on average where either the propensities or the expected rewards are."""
    said, put_right = _doubly(judged)
    mean = float(judged.weights.mean()) if judged.normalised else 1.0
    return np.asarray(said + put_right / (mean or 1.0))


def doubly_robust(judged: Judged) -> Scorer:
    """Mean of `doubly_robust_rows`."""
    if not judged.normalised:
        return mean_of_rows(doubly_robust_rows(judged))
    said, put_right = _doubly(judged)
    statistics = np.stack([said, put_right, judged.weights, np.ones(len(said))], axis=1)

    def ratio(sums: np.ndarray) -> np.ndarray:
        missed = sums[:, 1] / np.where(sums[:, 2] > 0, sums[:, 2], 1.0)
        return np.asarray(sums[:, 0] / sums[:, 3] + missed)

    return from_sums(statistics, ratio)


def doubly_robust_interval(judged: Judged, level: float) -> tuple[float, float] | None:
    """From where to where the policy's value goes, and its estimate within; None where weights are normalised.

    By empirical likelihood, since a log that by chance lacks the rare rows of a large weight doesn't show to a
    bootstrap how far off it is. A row may have the largest weight of any in the log, and any reward in the range of
    those that the log holds: rewards beyond are not reckoned with. Where all are alike, the expected ones widen it.
    All of that range where the log can't tell, since it hardly ever tried what the policy chooses.
    """
    if judged.normalised:
        return None
    values, said = doubly_robust_rows(judged), _doubly(judged)[0]
    rewards = judged.reward if np.ptp(judged.reward) > 0 else np.append(judged.reward, said)
    value, least, most = float(values.mean()), float(rewards.min()), float(rewards.max())
    if least == most:
        return min(value, least), max(value, least)
    largest = min(1.0 / float(judged.propensity.min()), judged.clip)
    corners = [(0.0, said.min()), (0.0, said.max())]
    corners += [(largest, least * largest - (largest - 1.0) * said.max())]
    corners += [(largest, most * largest - (largest - 1.0) * said.min())]
    found = likelihood_interval(judged.weights, values, np.array(corners), level)
    low, high = (float(np.clip(end, least, most)) for end in found)
    return min(low, value), max(high, value)


def _doubly(judged: Judged) -> tuple[np.ndarray, np.ndarray]:
    """The expected reward of the chosen action, and weight * (reward - expected), each (N,)."""
    rows = np.arange(len(judged.action))
    missed = judged.reward - judged.expected[rows, judged.action]
    return judged.expected[rows, judged.chosen], judged.weights * missed


def effective_share(judged: Judged) -> Scorer:
    """(sum of weights)² / (sum of squared weights), as a share of the rows: how many of them tell of the policy."""
    weights = judged.weights
    statistics = np.stack([weights, weights**2, np.ones(len(weights))], axis=1)
    return from_sums(
        statistics, lambda sums: sums[:, 0] ** 2 / (np.where(sums[:, 1] > 0, sums[:, 1], 1.0) * sums[:, 2])
    )


_METRICS = (
    ("policy_value", doubly_robust, "Value of the policy", "own", "mean reward of the chosen actions, doubly robust"),
    (
        "snips_value",
        self_normalised,
        "Value, self-normalised",
        "own",
        "mean reward of the chosen actions, by self-normalised inverse propensities",
    ),
    (
        "ips_value",
        inverse_propensity,
        "Value, inverse propensities",
        "own",
        "mean reward of the chosen actions, by clipped inverse propensities",
    ),
    (
        "effective_sample_share",
        effective_share,
        "Effective sample",
        "percent",
        "how many rows tell as much of the policy as this log does, as a share of its rows",
    ),
)


def metrics_of(judge: Callable[[np.ndarray, np.ndarray], Judged]) -> dict[str, Metric]:
    """The metrics of a policy by name, the one that chooses first. judge: from truth and what is kept of N rows."""

    def bound(estimator: Callable[[Judged], Scorer]) -> Callable[[np.ndarray, np.ndarray], Scorer]:
        return lambda truth, kept: estimator(judge(truth, kept))

    found = {
        name: Metric(name, bound(estimator), "kept", True, display, unit, meaning=meaning)  # type: ignore[arg-type]
        for name, estimator, display, unit, meaning in _METRICS
    }

    def interval(truth: np.ndarray, kept: np.ndarray, level: float) -> tuple[float, float] | None:
        return doubly_robust_interval(judge(truth, kept), level)

    return found | {"policy_value": replace(found["policy_value"], interval=interval)}

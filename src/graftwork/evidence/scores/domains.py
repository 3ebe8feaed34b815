"""Scores by domain: how far a model is worse in one than in another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graftwork.evidence.scores.intervals import Score
from graftwork.tasks.metrics.metric import Metric

MOST = 100
"""Domains that are scored, the largest ones."""
LEAST = 2
"""Rows that a score of a domain needs."""


@dataclass(frozen=True)
class DomainScore:
    """One domain: its labelled rows, and its scores by metric, none where it has a single row."""

    domain: str
    rows: int
    scores: Mapping[str, Score]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {"rows": self.rows, "scores": {name: score.to_json() for name, score in self.scores.items()}}

    @classmethod
    def from_json(cls, domain: str, data: Mapping[str, Any], metrics: Mapping[str, Metric]) -> DomainScore:
        """The inverse of `to_json`; metrics: those of the task."""
        scores = {name: Score(**score, metric=metrics[name]) for name, score in data["scores"].items()}
        return cls(domain, data["rows"], scores)


def domain_scores(
    names: Sequence[str | None] | np.ndarray, score: Callable[[np.ndarray], Mapping[str, Score]]
) -> tuple[DomainScore, ...]:
    """By domain, in the order of their names. names: of each row's domain, None for none. score: of these rows."""
    found = np.asarray(names, dtype=object)
    known = np.flatnonzero([name is not None for name in found])
    levels, codes, sizes = np.unique(found[known].astype(str), return_inverse=True, return_counts=True)
    largest = np.sort(np.argsort(-sizes, kind="stable")[:MOST])
    return tuple(
        DomainScore(str(levels[code]), int(sizes[code]), score(known[codes == code]) if sizes[code] >= LEAST else {})
        for code in largest
    )


@dataclass(frozen=True)
class Summary:
    """Of the domains that have a score in one metric: their mean, each counted once, and the worst one."""

    mean: float
    worst: DomainScore


def summary(domains: Sequence[DomainScore], metric: str) -> Summary | None:
    """None where no domain has this score."""
    scored = [one for one in domains if metric in one.scores and np.isfinite(one.scores[metric].value)]
    if not scored:
        return None
    values = [one.scores[metric].value for one in scored]
    at = int(np.argmin(values) if scored[0].scores[metric].metric.higher_is_better else np.argmax(values))
    return Summary(float(np.mean(values)), scored[at])


def to_json(domains: Sequence[DomainScore], metric: str) -> dict[str, Any]:
    """Plain JSON data: the scores of each domain, their mean in `metric`, and which is the worst."""
    return _json(domains, metric, "domains")


def of_parts(parts: Sequence[DomainScore], metric: str) -> dict[str, Any]:
    """The same of the parts of the rows that were asked for."""
    return _json(parts, metric, "parts")


def _json(domains: Sequence[DomainScore], metric: str, name: str) -> dict[str, Any]:
    found = summary(domains, metric)
    whole = {"mean": found.mean, "worst": found.worst.domain} if found else {}
    return {"metric": metric, **whole, name: {one.domain: one.to_json() for one in domains}}

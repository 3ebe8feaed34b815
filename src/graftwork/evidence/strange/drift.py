"""Whether the rows of a table are like those that a model was trained on: by column, by features, by predictions.

Of tables that are like them at most a share of alpha is found to differ in anything: each of the three kinds of
comparison has an equal part of it, and within a kind the comparisons share it by Holm (1979).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from graftwork.evidence.strange.aspects import Aspect, counted_alike
from graftwork.evidence.strange.reference import FRESH, Reference
from graftwork.evidence.strange.shown_aspects import category_words, number_words
from graftwork.evidence.strange.two_tables import counts_p, features_p, holm, more_p, numbers_p
from graftwork.shown import listed

ALPHA = 0.01
"""The share of tables without a difference in which one may be found."""
FEWEST = 20
"""Rows of either side below which nothing is compared."""
STRANGEST = 0.05
"""The share of all rows, the most unusual ones, of which either table should have its part."""
Kind = Literal["column", "features", "predictions"]


@dataclass(frozen=True)
class Comparison:
    """kind, name, measure: what is compared. p: of this comparison; corrected: for all of them. size: how far apart,
    from 0 to 1: the largest difference of shares; of features the squared distance of the maximum mean discrepancy.
    differs: certain. sentence: what differs most."""

    kind: Kind
    name: str
    measure: str
    p: float
    size: float
    sentence: str
    corrected: float = 1.0
    differs: bool = False

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Drift:
    """table: its name. rows: of it; looked_at: of those. alpha: see above. comparisons: all that were made.
    untested: what could not be compared, and why."""

    table: str
    rows: int
    looked_at: int
    alpha: float
    comparisons: tuple[Comparison, ...]
    untested: tuple[str, ...] = field(default=())

    @property
    def differing(self) -> tuple[Comparison, ...]:
        """Those that certainly differ, the surest first."""
        return tuple(sorted((one for one in self.comparisons if one.differs), key=lambda one: one.corrected))

    @property
    def drifted(self) -> bool:
        """Whether any differs."""
        return bool(self.differing)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        plain = {name: getattr(self, name) for name in ("table", "rows", "looked_at", "alpha", "drifted")}
        return plain | {
            "comparisons": [one.to_json() for one in self.comparisons],
            "untested": list(self.untested),
        }

    def lines(self) -> list[str]:
        """What a reader should know."""
        some = f" ({self.looked_at:,} of {self.rows:,} rows looked at)" if self.looked_at < self.rows else ""
        if self.drifted:
            found = [f"{self.table} differs from the rows that the model was trained on{some}:"]
            found += [f"  {one.sentence} ({_p_words(one.corrected)})" for one in self.differing]
        else:
            found = [f"{self.table} is not shown to differ from the rows that the model was trained on{some}."]
        alike = [_called(one) for one in self.comparisons if not one.differs]
        if alike:
            found.append(f"no difference shown in: {listed(alike)}")
        found += [f"not compared: {line}" for line in self.untested]
        found.append(
            f"Of 100 tables that are like the training rows, at most {100 * self.alpha:g} are said to differ. With "
            "enough rows any table differs a little: look at how much."
        )
        return found


_NO_FEATURES = (
    "features (too few rows were held out when the model was trained, and those it was trained on it knows by heart; "
    "graft reference with other rows mends it)"
)


class About(NamedTuple):
    """table: its name. rows: of it; looked_at: of those. untested: what could not be compared, and why."""

    table: str
    rows: int
    looked_at: int
    untested: Sequence[str] = ()


def compared_aspects(first: Sequence[Aspect], second: Sequence[Aspect]) -> Iterator[Comparison]:
    """Each aspect of the training rows beside the same one of the other rows, where both have rows enough."""
    others = {(one.kind, one.name, one.measure): one for one in second}
    for one in first:
        other = others.get((one.kind, one.name, one.measure))
        if other is None or min(one.rows, other.rows) < FEWEST:
            continue
        if one.counts:
            names, here, there = counted_alike(one.counts, other.counts)
            p, size = counts_p(here, there)
            sentence = category_words(one, names, here, there)
        else:
            p, size = numbers_p(one.numbers, other.numbers)
            sentence = number_words(one, other)
        yield Comparison(one.kind, one.name, one.measure, p, size, sentence)


def compared_features(first: np.ndarray, second: np.ndarray) -> Comparison:
    """All features of some rows (N, W) at once."""
    p, size = features_p(first, second)
    sentence = "what the model sees in the rows is distributed otherwise"
    return Comparison("features", "features", "distribution", p, size, sentence)


def compared_distances(first: np.ndarray, second: np.ndarray) -> Comparison:
    """Whether more of the second rows lie far from the training rows than of the first ones. first, second: distances
    (N,), (M,)."""
    far = np.quantile(np.concatenate([first, second]), 1 - STRANGEST)
    here, there = int((first > far).sum()), int((second > far).sum())
    shares = here / len(first), there / len(second)
    sentence = (
        f"{100 * shares[1]:.1f} % of the rows are more unusual than nearly all others, of the rows held out from "
        f"training {100 * shares[0]:.1f} %"
    )
    return Comparison(
        "features", "features", "unusual", more_p(here, len(first), there, len(second)), shares[1] - shares[0], sentence
    )


def judged(comparisons: Sequence[Comparison], alpha: float) -> tuple[Comparison, ...]:
    """The comparisons with their corrected p-values."""
    kinds = sorted({one.kind for one in comparisons})
    corrected: Mapping[int, float] = {
        at: float(value)
        for kind in kinds
        for at, value in _within([(at, one) for at, one in enumerate(comparisons) if one.kind == kind], len(kinds))
    }
    return tuple(
        Comparison(**{**vars(one), "corrected": corrected[at], "differs": corrected[at] <= alpha})
        for at, one in enumerate(comparisons)
    )


def _within(some: Sequence[tuple[int, Comparison]], kinds: int) -> Iterator[tuple[int, float]]:
    raised = np.minimum(1.0, kinds * holm(np.array([one.p for _, one in some])))
    yield from zip([at for at, _ in some], raised.tolist(), strict=True)


def drift_of(
    reference: Reference, features: np.ndarray, aspects: Sequence[Aspect], about: About, alpha: float = ALPHA
) -> Drift:
    """How some rows differ from those of the reference. features: theirs (N, W). aspects: what is known of them."""
    untested, comparisons = list(about.untested), list(compared_aspects(reference.aspects, aspects))
    features = features[np.isfinite(features).all(axis=1)]
    given = reference.near.standardised(features)
    if min(len(reference.fresh), len(given)) < FEWEST:
        untested.append(_NO_FEATURES)
    else:
        known, new = (rows[:FRESH].astype(np.float32) for rows in (reference.fresh, given))
        comparisons.append(compared_features(known, new))
        comparisons.append(compared_distances(reference.ordinary, reference.near.distances(features)))
    if not any(one.kind == "predictions" for one in comparisons):
        untested.append("predictions (no rows were held out, or too few, or the task has none that can be counted)")
    return Drift(about.table, about.rows, about.looked_at, alpha, judged(comparisons, alpha), tuple(untested))


def _called(one: Comparison) -> str:
    if one.kind == "features":
        return "features" if one.measure == "distribution" else "unusual rows"
    what = "" if one.measure in ("number", "category", "date") else f" ({one.measure})"
    return f"{'predicted ' if one.kind == 'predictions' else ''}{one.name}{what}"


def _p_words(p: float) -> str:
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"

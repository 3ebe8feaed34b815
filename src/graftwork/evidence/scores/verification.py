"""How well a model tells identities apart: the ROC curve, the similarities of pairs, and the pairs it gets most wrong.

The scores and their intervals, over identities, are those of every other task (`graftwork.evidence.evaluation`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graftwork.evidence.scores.examples import Rows
from graftwork.networks.likeness import Pairs, pairs_of, roc

_POINTS = 300
_BINS = 40
_HARDEST = 10


@dataclass(frozen=True)
class PairExample:
    """Two rows by their numbers in the source, what to show of them, and the cosine of their embeddings."""

    first: int
    second: int
    texts: tuple[str, str]
    cosine: float


@dataclass(frozen=True)
class AtThreshold:
    """What a threshold of the cosine does with these pairs: the share of pairs of two identities that it takes for one,
    and of pairs of one identity that it refuses."""

    threshold: float
    strangers_taken: float
    known_refused: float


@dataclass(frozen=True)
class Verification:
    """Pairs of rows of one set.

    identities: how many. same, different: pairs that were compared. curve: (false accepts, true accepts) from the
    strictest threshold on. edges (B + 1,), same_counts, different_counts (B,): pairs by cosine. least_alike: pairs of
    one identity with the lowest cosines; most_alike: pairs of two identities with the highest. at_threshold: the
    answers at the threshold that the model has chosen, if it has.
    """

    identities: int
    same: int
    different: int
    curve: tuple[tuple[float, float], ...]
    edges: tuple[float, ...]
    same_counts: tuple[int, ...]
    different_counts: tuple[int, ...]
    least_alike: tuple[PairExample, ...]
    most_alike: tuple[PairExample, ...]
    at_threshold: AtThreshold | None = None


def verification(
    identities: np.ndarray, embeddings: np.ndarray, rows: Rows, threshold: float | None = None
) -> Verification:
    """Of labelled rows: identities (N,), embeddings (N, E); `rows` says what to call them."""
    pairs = pairs_of(identities, embeddings)
    low = min(float(pairs.scores.min()), 0.0) if len(pairs.scores) else 0.0
    edges = np.linspace(low, 1.0 + 1e-6, _BINS + 1)
    of_same, of_different = np.flatnonzero(pairs.same), np.flatnonzero(~pairs.same)
    return Verification(
        identities=len(np.unique(identities)),
        same=len(of_same),
        different=len(of_different),
        curve=_curve(pairs) if len(of_same) and len(of_different) else (),
        edges=tuple(edges.tolist()),
        same_counts=tuple(np.histogram(pairs.scores[of_same], edges)[0].tolist()),
        different_counts=tuple(np.histogram(pairs.scores[of_different], edges)[0].tolist()),
        least_alike=_examples(pairs, of_same[::-1][:_HARDEST], rows),
        most_alike=_examples(pairs, of_different[:_HARDEST], rows),
        at_threshold=_at(threshold, pairs) if threshold is not None and len(of_same) and len(of_different) else None,
    )


def _at(threshold: float, pairs: Pairs) -> AtThreshold:
    taken = pairs.scores >= threshold
    return AtThreshold(threshold, float(taken[~pairs.same].mean()), float((~taken)[pairs.same].mean()))


def _curve(pairs: Pairs) -> tuple[tuple[float, float], ...]:
    """The corners of the curve, thinned out where they are many."""
    found = roc(pairs)
    corner = np.ones(len(found.far), bool)
    corner[1:-1] = (np.diff(found.far)[:-1] > 0) != (np.diff(found.far)[1:] > 0)
    far, tar = found.far[corner], found.tar[corner]
    if len(far) > _POINTS:
        kept = np.unique(np.searchsorted(far, np.append(0.0, np.geomspace(1e-6, 1.0, _POINTS))).clip(0, len(far) - 1))
        far, tar = far[kept], tar[kept]
    return tuple(zip(far.tolist(), tar.tolist(), strict=True))


def _examples(pairs: Pairs, chosen: np.ndarray, rows: Rows) -> tuple[PairExample, ...]:
    def shown(at: int) -> str:
        return rows.texts[int(rows.scored[at])] if rows.texts is not None else ""

    return tuple(
        PairExample(
            int(rows.numbers[rows.scored[pairs.first[at]]]),
            int(rows.numbers[rows.scored[pairs.second[at]]]),
            (shown(pairs.first[at]), shown(pairs.second[at])),
            float(pairs.scores[at]),
        )
        for at in chosen.tolist()
    )

"""What a model keeps of the rows it was trained on, so that it can say later which rows are unlike them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graftwork.errors import UsageError
from graftwork.evidence.strange.aspects import Aspect
from graftwork.evidence.strange.distance import Neighbourhood
from graftwork.evidence.strange.other import Other

FEWEST = 20
"""Rows below which nothing can be said of others."""
FRESH = 1000
"""Rows, at most, whose features are compared as a whole with those of another table."""


@dataclass(frozen=True)
class Reference:
    """near: training rows to which others are measured. ordinary: the distances of rows like them (H,), sorted.

    held_out: whether those are rows that were not trained on; else they are the training rows themselves, each
    measured to the others. fresh: standardised features (F, W) of rows that did not shape the features: of those held
    out, and of training rows too where nothing below the heads was trained; no row where there are none.
    aspects: what else is known of the rows, by column, and of the predictions of those held out. other: from where on a
    row is none of the classes, where rows have taught it.
    """

    near: Neighbourhood
    ordinary: np.ndarray
    held_out: bool
    fresh: np.ndarray
    aspects: tuple[Aspect, ...] = ()
    other: Other | None = None

    @property
    def most(self) -> float:
        """The most that `unusual` can say."""
        return 1 - 1 / (len(self.ordinary) + 1)

    @property
    def by_heart(self) -> bool:
        """Whether ordinary rows are training rows that shaped the features: `unusual` promises nothing then."""
        return not self.held_out and not len(self.fresh)

    def unusual(self, features: np.ndarray) -> np.ndarray:
        """How unusual rows are (N,), from 0 to 1, by their features (N, W): the share of ordinary rows that are less
        so. NaN where features are.

        It is 1 less the conformal p-value (Vovk et al. 2005; Bates et al. 2023): of rows that are like the held-out
        ones at most a share of a has more than 1 - a. With H of those it is 1 - 1 / (H + 1) at most.
        """
        found, known = np.full(len(features), np.nan), ~np.isnan(features).any(axis=1)
        less = np.searchsorted(self.ordinary, self.near.distances(features[known]), side="left")
        found[known] = less / (len(self.ordinary) + 1)
        return found


def known_reference(found: Reference | None, where: object = None) -> Reference:
    """The reference of a model. Raises UsageError, which says how to get one, where it has none. where: its folder."""
    if found is not None:
        return found
    raise UsageError(
        f"{'This model' if where is None else where} keeps no reference, so it can't say what its training rows were "
        "like: it was made by an earlier version, of very few rows, merged, taught new classes, or with "
        f"reference=false. Give it one: graft reference {where or 'MODEL'} TABLE, with rows like those it was trained "
        "on (in Python gw.with_reference(model, data))."
    )


def reference_of(
    training: np.ndarray, held_out: np.ndarray | None, *, learned: bool = True, aspects: Sequence[Aspect] = ()
) -> Reference | None:
    """The reference of a model by features of training rows (R, W), and of rows that it was not trained on (H, W).

    learned: whether the training rows shaped the features, or are not all there. None where rows are too few, or
    features no finite numbers.
    """
    if len(training) < FEWEST or not np.isfinite(training).all():
        return None
    near = Neighbourhood.of(training)
    if held_out is None or len(held_out) < FEWEST or not np.isfinite(held_out).all():
        fresh = near.rows[:0] if learned else near.rows
        return Reference(near, np.sort(near.own_distances()), False, fresh[:FRESH], tuple(aspects))
    held = near.standardised(held_out)
    fresh = held if learned else np.concatenate([held, near.rows])
    return Reference(near, np.sort(near.distances(held_out)), True, fresh[:FRESH], tuple(aspects))

"""Episodes: small tasks drawn from a table, each with a few classes, some rows to learn them from and some to be asked.

An episode's rows stand in layers that hold one row of each class, always in the same order: first `shot` layers to
learn from (the support), then those to be asked (the queries). The class of a row within its episode is its place in
the layer, so that what a class was called plays no part.

Source: Vinyals et al. 2016 (matching networks), which drew training batches this way first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graftwork.errors import UsageError


@dataclass(frozen=True)
class Episodes:
    """How episodes are drawn. way: classes. shot: rows of a class to learn from. query: rows of a class to be asked.
    count: how many episodes."""

    way: int = 5
    shot: int = 1
    query: int = 15
    count: int = 600

    def __post_init__(self) -> None:
        least = {"way": 2, "shot": 1, "query": 1, "count": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise UsageError(f"Episodes: {name} is {getattr(self, name)}. Expected {low} or more.")

    @property
    def support_rows(self) -> int:
        return self.way * self.shot

    @property
    def rows(self) -> int:
        """Rows of an episode."""
        return self.way * (self.shot + self.query)


def rows_by_class(classes: np.ndarray) -> list[np.ndarray]:
    """Row numbers of each class that occurs, in the order of the classes; classes (N,), below 0 for rows of none."""
    return [np.flatnonzero(classes == code) for code in np.unique(classes[classes >= 0])]


def draw(by_class: Sequence[np.ndarray], shape: Episodes, generator: np.random.Generator) -> np.ndarray:
    """The rows of one episode, layer by layer (way * (shot + queries),). Classes and rows come without replacement.

    Where a class has fewer than shot + query rows, the episode has fewer queries, as many for each class.
    """
    picked = generator.permutation(len(by_class))[: shape.way]
    depth = min(shape.shot + shape.query, *(len(by_class[at]) for at in picked))
    layers = [by_class[at][generator.permutation(len(by_class[at]))[:depth]] for at in picked]
    rows: np.ndarray = np.stack(layers, axis=1).reshape(-1)
    return rows


def lacking(names: Sequence[str], counts: Sequence[int], shape: Episodes, least: int) -> str:
    """What a table lacks for such episodes, as sentences that say how to mend it; empty where it lacks nothing.

    names, counts: the classes, and how many labelled rows each has. least: rows of a class that an episode needs.
    """
    few = [(name, count) for name, count in zip(names, counts, strict=True) if count < least]
    if few:
        shown = ", ".join(f"'{name}' ({count})" for name, count in few[:8]) + (", …" if len(few) > 8 else "")
        return (
            f"An episode takes {least} rows of a class (shot {shape.shot}, query {least - shape.shot}), and "
            f"{len(few)} of {len(names)} classes have fewer: {shown}. Add rows, drop these classes, or set shot or "
            "query lower."
        )
    if len(names) < shape.way:
        shown = ", ".join(f"'{name}' ({count} rows)" for name, count in zip(names, counts, strict=True)) or "no label"
        lower = f", or set way to {len(names)} or less" if len(names) > 1 else ""  # no episode has a single class
        return (
            f"An episode takes {shape.way} classes (way={shape.way}), and there {'is' if len(names) == 1 else 'are'} "
            f"{len(names)}: {shown}. Expected at least {shape.way}: add classes{lower}."
        )
    return ""

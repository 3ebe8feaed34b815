"""What heads read of a batch: a vector a row, and where a head asks for them the tokens of each input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Tokens:
    """The vectors of one input that a base gives before it pools them: of subwords, patches, frames or columns.

    states: (B, L, W). counts: which of them are there (B, L), bool; the others are padding.
    grid: rows and columns of tokens that lie in the plane, row by row, L = rows * columns; None for a sequence.
    levels: maps of a CNN from fine to coarse, each (B, C, H, W); the last one holds the same places as `states`.
    table: what each token id is embedded with (V, E), of texts; a head that names tokens shares it.
    """

    states: Tensor
    counts: Tensor
    grid: tuple[int, int] | None = None
    levels: tuple[Tensor, ...] = ()
    table: Tensor | None = None

    def of(self, present: Tensor | None) -> Tokens:
        """In float32; those of rows that lack the input, by `present` (B,), don't count."""
        counts = self.counts if present is None else self.counts & present.unsqueeze(1)
        levels = tuple(level.float() for level in self.levels)
        return Tokens(self.states.float(), counts, self.grid, levels, self.table)


@dataclass(frozen=True)
class Features:
    """rows: fused features (B, width). tokens: by input, only where a head reads more than rows."""

    rows: Tensor
    tokens: Mapping[str, Tokens] = field(default_factory=dict)


@dataclass(frozen=True)
class ColumnPlace:
    """Where the features of a row hold one column of a table.

    start, size: one feature is a number; several are a category, of which at most one is 1. missing: the feature that
    is 1 where the number is missing; None where none tells.
    """

    start: int
    size: int = 1
    missing: int | None = None

    def moved(self, by: int) -> ColumnPlace:
        """The same, so many features further."""
        return ColumnPlace(self.start + by, self.size, None if self.missing is None else self.missing + by)

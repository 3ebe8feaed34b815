"""What all encoders of numbers and categories share, and the plainest one: the columns themselves as features."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from graftwork.data.batch import Hidden, Inputs
from graftwork.data.store.names import inside
from graftwork.data.store.writing import write_text
from graftwork.networks.encoder import Encoder
from graftwork.networks.features import ColumnPlace
from graftwork.networks.table.columns import Category, Number, Reader

_COLUMNS = "columns.json"


class TableEncoder(Encoder):
    """An encoder of the number and category columns of a table together. `reader` turns rows into numbers and codes."""

    modality = "table"
    prepared_dtype = "float32"

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader
        self._told: set[str] = set()

    def prepare(self, values: Sequence[Any]) -> list[np.ndarray]:
        """Warns, once a column, of categories that no training row had; they are read as unknown."""
        for name, value in self.reader.unseen(values).items():
            if name in self._told:
                continue
            self._told.add(name)
            warnings.warn(
                f"The column {name} holds categories that no training row had, such as '{value}': they count as "
                "unknown. Look for misspellings, or train with rows that have them.",
                stacklevel=2,
            )
        return list(self.reader.read(values)) if len(values) else []

    @property
    def fingerprint(self) -> str:
        return self.reader.fingerprint

    def collate(self, rows: Sequence[np.ndarray]) -> Inputs:
        """numbers (B, numbers) with 0, the mean, where missing; missing (B, numbers); codes (B, categories)."""
        columns = torch.from_numpy(np.stack(rows))
        count = len(self.reader.numbers)
        numbers, codes = columns[:, :count], columns[:, count:]
        return {"numbers": numbers.nan_to_num(nan=0.0), "missing": numbers.isnan(), "codes": codes.long()}

    def tokens(self, lengths: np.ndarray) -> np.ndarray:
        """A row is one piece of work, however many columns it has."""
        return np.ones_like(lengths)

    def save_files(self, folder: Path) -> None:
        write_text(folder / _COLUMNS, self.reader.to_json())

    @staticmethod
    def read_files(folder: Path) -> Reader:
        """The reader that `save_files` wrote."""
        return Reader.from_json(inside(folder, _COLUMNS).read_text(encoding="utf-8"))


class Bins(nn.Module):
    """How far each number is through each of its bins: 0 below, 1 above, piecewise linear between.

    numbers (B, numbers), missing (B, numbers) -> (B, bins of all numbers); 0 where missing. A linear layer on it is a
    piecewise linear function of each number. Source: Gorishniy et al. 2022 (On embeddings for numerical features).
    """

    def __init__(self, numbers: Sequence[Number]) -> None:
        super().__init__()
        pairs = [(at, *ends) for at, number in enumerate(numbers) for ends in pairwise(number.edges)]
        self.register_buffer("owner", torch.tensor([at for at, _, _ in pairs], dtype=torch.long), persistent=False)
        self.register_buffer("low", torch.tensor([low for _, low, _ in pairs]), persistent=False)
        self.register_buffer("scale", torch.tensor([1 / (high - low) for _, low, high in pairs]), persistent=False)
        self.size = len(pairs)

    def forward(self, inputs: Inputs) -> Tensor:
        owner, low, scale = (self.get_buffer(name) for name in ("owner", "low", "scale"))
        within = ((inputs["numbers"][:, owner] - low) * scale).clamp(0, 1)
        return within.masked_fill(inputs["missing"][:, owner], 0.0)


class ColumnsEncoder(TableEncoder):
    """Numbers as they are scaled, a flag for each number that training rows miss, and categories as one-hot.

    What was not seen in training (a category, a missing value in a column that was whole) is 0 in all its features.
    """

    architecture = "columns"
    facts = frozenset[str]()
    depth = 1

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        flags = [at for at, number in enumerate(reader.numbers) if number.missing]
        self.register_buffer("flags", torch.tensor(flags, dtype=torch.long), persistent=False)
        self.bins = Bins(reader.numbers)
        self.width = len(reader.numbers) + len(flags) + self.bins.size + sum(map(_places, reader.categories))
        self.hidden_width = self.width

    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        if hidden is not None:
            return hidden.states
        flags = inputs["missing"][:, self.get_buffer("flags")].float()
        parts = [inputs["numbers"], flags, self.bins(inputs)]
        for category, codes in zip(self.reader.categories, inputs["codes"].T, strict=True):
            whole = functional.one_hot(codes, category.size).float()
            parts.append(whole if category.rare else whole[:, 1:])
        return torch.cat(parts, dim=1)

    def column_places(self) -> tuple[ColumnPlace, ...]:
        """The bins are left out: they say again what the numbers do."""
        count, flags = len(self.reader.numbers), self.get_buffer("flags").tolist()
        numbers = [ColumnPlace(at, 1, count + flags.index(at) if at in flags else None) for at in range(count)]
        sizes = list(map(_places, self.reader.categories))
        starts = np.cumsum([count + len(flags) + self.bins.size, *sizes])
        found = [ColumnPlace(int(start), size) for start, size in zip(starts, sizes, strict=False) if size]
        return (*numbers, *found)

    def states(self, inputs: Inputs, depth: int) -> Tensor:
        raise AssertionError(f"the only block has nothing behind depth {depth}")

    def blocks(self) -> list[list[nn.Module]]:
        return [[]]

    def config(self) -> dict[str, Any]:
        return {"architecture": self.architecture}

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> ColumnsEncoder:
        return cls(cls.read_files(folder))


def _places(category: Category) -> int:
    """One-hot features of a category; the place of what is unknown counts where training rows fill it."""
    return category.size if category.rare else category.size - 1


class ColumnVectors(nn.Module):
    """A vector for each column: `weight * number + bias` for a number, a row of a table for a category.

    Gives (B, columns, width), numbers first. With bins, a number's vector is piecewise linear in it. A missing number
    is a vector of its own, where training rows miss some; what is unknown starts at the column's bias alone, and so
    does a missing value in a column that was whole.
    """

    def __init__(self, numbers: Sequence[Number], categories: Sequence[Category], width: int) -> None:
        super().__init__()
        bound = width**-0.5
        self.weight = _uniform(bound, len(numbers), width)
        self.bias = nn.Parameter(torch.empty(len(numbers) + len(categories), width).uniform_(-bound, bound))
        self.bins = Bins(numbers)
        self.slopes = _uniform(bound, self.bins.size, width)
        gaps = [at for at, number in enumerate(numbers) if number.missing]
        self.absent = _uniform(bound, len(gaps), width)
        self.register_buffer("gaps", torch.tensor(gaps, dtype=torch.long), persistent=False)
        sizes = [category.size for category in categories]
        starts = np.cumsum([0, *sizes])[:-1]
        self.register_buffer("starts", torch.from_numpy(starts), persistent=False)
        self.levels = _uniform(bound, sum(sizes), width)
        if self.levels is not None:
            with torch.no_grad():
                self.levels[torch.from_numpy(starts)] = 0.0

    def forward(self, inputs: Inputs) -> Tensor:
        parts = []
        if self.weight is not None:
            numbers = inputs["numbers"].unsqueeze(2) * self.weight
            if self.slopes is not None:
                owner = self.bins.get_buffer("owner")
                numbers = numbers.index_add(1, owner, self.bins(inputs).unsqueeze(2) * self.slopes)
            if self.absent is not None:
                gaps = self.get_buffer("gaps")
                numbers = numbers.index_add(1, gaps, inputs["missing"][:, gaps].unsqueeze(2) * self.absent)
            parts.append(numbers)
        if self.levels is not None:
            parts.append(functional.embedding(inputs["codes"] + self.get_buffer("starts"), self.levels))
        return torch.cat(parts, dim=1) + self.bias


def _uniform(bound: float, *shape: int) -> nn.Parameter | None:
    """None where there is nothing to learn: a tensor without elements gets no gradient."""
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound)) if shape[0] else None

"""Bases for numbers and categories: the columns themselves, a residual MLP, and FT-Transformer."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from graftwork.errors import DataError, UsageError
from graftwork.networks.base_settings import BaseSettings, TrainingRows, at_least, check_dropout, seeded
from graftwork.spaces import Choice, Range, Spaces

if TYPE_CHECKING:
    from graftwork.networks.encoder import Encoder
    from graftwork.networks.table.columns import Reader


@dataclass(frozen=True, kw_only=True)
class _TableSettings(BaseSettings):
    """numbers: standard for mean 0 and variance 1; quantile for each value at its rank in a normal distribution, which
    outliers don't disturb; bins for standard with piecewise linear bins beside it (Gorishniy et al. 2022). levels: the
    most categories a column has a place for, the most frequent ones; the others share one with whatever was not seen
    in training. min_rows: rows that a category needs for a place of its own."""

    numbers: Literal["standard", "quantile", "bins"] = "bins"
    levels: int = 10_000
    min_rows: int = 2

    modality = "table"

    def __post_init__(self) -> None:
        at_least(1, levels=self.levels, min_rows=self.min_rows)

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.table.columns import learn

        if rows.table is None or not rows.columns:
            raise DataError(f"The base '{self.name}' needs number or category columns to learn from, and got none.")
        reader = learn(rows.columns, rows.table, scaling=self.numbers, levels=self.levels, min_rows=self.min_rows)
        with seeded(seed):
            return self.encoder(reader)

    @abstractmethod
    def encoder(self, reader: Reader) -> Encoder:
        """The encoder with random weights, if it has any."""


@dataclass(frozen=True, kw_only=True)
class Columns(_TableSettings):
    """Scaled numbers, flags for missing values, one-hot categories; without any weights."""

    numbers: Literal["standard", "quantile", "bins"] = "bins"
    levels: int = 100

    name = "columns"
    summary = "numbers scaled, categories one-hot, nothing to train; the default for tables"
    source = "learns scales and categories from the training rows"
    searched: ClassVar[Spaces] = {"numbers": Choice(("bins", "standard", "quantile"))}
    pretrained = True
    suggested_lr = 0.0
    suggested_epochs = 5

    def weights(self) -> str | None:
        return None

    def encoder(self, reader: Reader) -> Encoder:
        from graftwork.networks.table.encoder import ColumnsEncoder

        return ColumnsEncoder(reader)


@dataclass(frozen=True, kw_only=True)
class _TrainedSettings(_TableSettings):
    """width: of the hidden layers. layers: blocks above the first. dropout: in the blocks, below 1."""

    width: int = 128
    layers: int = 2
    dropout: float = 0.2

    source = "trained from scratch"
    pretrained = False
    searched: ClassVar[Spaces] = {
        "numbers": Choice(("bins", "standard", "quantile")),
        "width": Choice((64, 128, 256)),
        "layers": Range(1, 4),
        "dropout": Range(0.0, 0.5),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(1, layers=self.layers)
        at_least(2, width=self.width)
        check_dropout(dropout=self.dropout)


@dataclass(frozen=True, kw_only=True)
class TableMlp(_TrainedSettings):
    """A residual MLP over the columns (Gorishniy et al. 2021). embedding: width of a column's vector."""

    embedding: int = 8

    name = "table-mlp"
    summary = "residual MLP over numbers and categories, trained from scratch"
    suggested_lr = 2e-3
    suggested_epochs = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(1, embedding=self.embedding)

    def encoder(self, reader: Reader) -> Encoder:
        from graftwork.networks.table.mlp import TableMlpEncoder

        return TableMlpEncoder(reader, self.embedding, self.width, self.layers, self.dropout)


@dataclass(frozen=True, kw_only=True)
class FTTransformer(_TrainedSettings):
    """A Transformer over a token a column (Gorishniy et al. 2021). heads: of the attention; they divide the width.
    attention_dropout: of its weights."""

    width: int = 64
    layers: int = 3
    heads: int = 8
    attention_dropout: float = 0.2

    name = "ft-transformer"
    summary = "Transformer over a token a column, trained from scratch"
    suggested_lr = 1e-3
    suggested_epochs = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(1, heads=self.heads)
        if self.width % self.heads:
            raise UsageError(f"width is {self.width}, which {self.heads} heads can't share. Expected a multiple.")
        check_dropout(attention_dropout=self.attention_dropout)

    def encoder(self, reader: Reader) -> Encoder:
        from graftwork.networks.table.ft_transformer import FTTransformerEncoder

        return FTTransformerEncoder(reader, self.width, self.layers, self.heads, self.dropout, self.attention_dropout)

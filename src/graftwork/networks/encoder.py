"""What an encoder is: it reads one kind of input and gives each row its features, block by block.

A Transformer, an RNN and a CNN all run through this one contract, be it for texts, images, sounds or numbers. Blocks
are numbered from below: block 0 is the embedding (or stem), the last one is `depth - 1`. "Depth d" means: the first d
blocks are behind you.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from graftwork.data.batch import Hidden, Inputs
from graftwork.data.table import Modality
from graftwork.errors import UsageError
from graftwork.networks.features import ColumnPlace, Tokens


def drops(module: nn.Module) -> bool:
    """Whether this module by itself, its children apart, drops activations in training."""
    named = ("attention_dropout", "drop_prob")  # within attention; whole residual branches
    shares = [module.p] if isinstance(module, nn.Dropout) else [getattr(module, name, 0.0) for name in named]
    return any(isinstance(share, int | float) and share > 0 for share in shares)


def is_pointwise(module: nn.Module) -> bool:
    """Whether this is a 1 x 1 convolution over all channels: a linear layer at each place of a map."""
    return type(module) is nn.Conv2d and module.kernel_size == (1, 1) and module.groups == 1


class Encoder(nn.Module, ABC):
    """Features of one input. Subclasses set `width`, `depth`, `hidden_width` and `facts` in their constructor."""

    modality: ClassVar[Modality]
    architecture: ClassVar[str]
    """Name under which `networks.bases.architectures.restore` finds the class of a saved encoder."""

    width: int
    """Features a row."""
    depth: int
    """Number of blocks, the embedding included."""
    hidden_width: int
    """Width of the hidden states between blocks."""
    facts: frozenset[str]
    """What techniques may need of the base: `dropout`, `linear_layers`, `sequence_blocks` (can start at a depth)."""
    pretrained: bool = False
    """Whether its weights were learned elsewhere: beside such an encoder, one with random weights learns faster."""
    meets: bool = False
    """Whether several workers meet in a pass through it, so that each makes as many passes of a batch as the others,
    whatever rows it has."""

    # --- data: done once per row and kept on disk -------------------------------------------------------------------
    @abstractmethod
    def prepare(self, values: Sequence[Any]) -> list[np.ndarray]:
        """Rows as flat arrays of `prepared_dtype`. The same value always gives the same array.

        values: of a text input normalised texts; of an image or audio input the encoded file (bytes), None where
        missing; of a table a tuple a row, a value for each of its columns. A missing image or sound becomes an array
        of length 0, from which `collate` makes a blank; the network puts something else in place of its features.
        """

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Changes whenever `prepare` would give something else (key of the cache on disk)."""

    prepared_dtype: ClassVar[str] = "int32"

    @abstractmethod
    def collate(self, rows: Sequence[np.ndarray]) -> Inputs:
        """Prepared rows as padded tensors."""

    def tokens(self, lengths: np.ndarray) -> np.ndarray:
        """How much work each row is, in tokens of a text (N,), from the lengths of the prepared rows (N,)."""
        return lengths

    @property
    def pass_rows(self) -> int | None:
        """Rows of a pass without gradient whose states fit a processor's caches; None where their tokens say it."""
        return None

    # --- computation ------------------------------------------------------------------------------------------------
    @abstractmethod
    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        """Features (B, width), from the inputs or, where given, from the hidden states."""

    def tokens_of(self, inputs: Inputs, hidden: Hidden | None = None) -> Tokens:
        """What a fusion over tokens and heads that read tokens see: vectors (B, L, token_width), and which count.

        From the inputs or, where given, from hidden states below the last block; maps from fine to coarse come from
        the inputs only. Here one vector a row, its features.
        """
        return _one_token(self(inputs, hidden))

    @property
    def token_width(self) -> int:
        """Width of the vectors of `tokens_of`; a class that makes its own says it too."""
        return self.width

    def features_and_tokens(self, inputs: Inputs, hidden: Hidden | None = None) -> tuple[Tensor, Tokens]:
        """`forward` and `tokens_of`; in one pass where features are pooled from the tokens."""
        return self(inputs, hidden), self.tokens_of(inputs, hidden)

    def places(self, value: Any) -> np.ndarray:
        """Where the tokens stand in one value, as `prepare` takes it (L, 2): of a text the first character of each and
        the one behind its last, -1 and -1 for a token that stands for none.

        Raises UsageError for a base whose tokens have no place of their own.
        """
        raise UsageError(
            f"The base '{self.architecture}' does not say where its tokens stand in the input. Use a base for texts."
        )

    def __init_subclass__(cls, **settings: Any) -> None:
        """Raises TypeError for tokens whose width nobody says: what reads them would be built for the features'."""
        super().__init_subclass__(**settings)
        made, said = (_where(cls, name) for name in ("tokens_of", "token_width"))
        if made < said:
            raise TypeError(f"{cls.__name__} makes tokens of its own: say their width, too (`token_width`).")

    @abstractmethod
    def states(self, inputs: Inputs, depth: int) -> Tensor:
        """Hidden states behind the first `depth` blocks; `depth < self.depth`.

        (B, length, state_width(depth)), as many vectors a row as `state_lengths` says (one a token of the prepared row
        for texts); or (B, *state_shape(depth)) where that is set.
        """

    def state_shape(self, depth: int) -> tuple[int, ...] | None:
        """Shape of a row's hidden states where it is the same for every row; None where there is a vector a token."""
        return None

    def state_lengths(self, lengths: np.ndarray, depth: int) -> np.ndarray:
        """Vectors of each row's hidden states (N,), from the lengths of the prepared rows (N,)."""
        return lengths

    def state_width(self, depth: int) -> int:
        """Width of these vectors."""
        return self.hidden_width

    @property
    def deepest_start(self) -> int:
        """The deepest depth below `self.depth` at which `forward` can start; 0 without `sequence_blocks`."""
        return self.depth - 1 if "sequence_blocks" in self.facts else 0

    @abstractmethod
    def blocks(self) -> list[list[nn.Module]]:
        """The modules of each block, from below; together they hold every parameter of the encoder."""

    def layers_apart(self) -> list[nn.Module]:
        """Its layers, where every pass calls each of them as a whole, so that the weights of one need to be there only
        while it runs; else none."""
        return []

    def table_apart(self) -> nn.Module | None:
        """What embeds its tokens, likewise."""
        return None

    def column_places(self) -> tuple[ColumnPlace, ...] | None:
        """Where the features hold the columns of a table, for heads that ask for one after the other; what is not named
        says nothing new. None where each feature is a number of its own."""
        return None

    # --- saving -----------------------------------------------------------------------------------------------------
    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Plain JSON data from which `from_config` builds the same architecture, weights apart."""

    @abstractmethod
    def save_files(self, folder: Path) -> None:
        """Write what `from_config` needs beside `config` (a tokenizer) into `folder`."""

    @classmethod
    @abstractmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> Encoder:
        """The encoder with untrained weights; `folder` holds what `save_files` wrote."""


def _one_token(features: Tensor) -> Tokens:
    return Tokens(features.unsqueeze(1), torch.ones(len(features), 1, dtype=torch.bool, device=features.device))


def _where(cls: type, name: str) -> int:
    """How far up the class that defines `name` stands."""
    return next(at for at, one in enumerate(cls.__mro__) if name in vars(one))

"""What the settings of a base are. Nothing here imports torch: names and settings are checked at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from graftwork import specs
from graftwork.bases.home import folder_of
from graftwork.data.table import Column, Modality, Table
from graftwork.errors import UsageError
from graftwork.spaces import Spaces

if TYPE_CHECKING:
    from graftwork.networks.encoder import Encoder


@dataclass(frozen=True)
class TrainingRows:
    """What a base may look at before it is built: bases from scratch learn their tokens, scales and categories from it.

    texts: a fresh pass over the training texts as the encoder will see them; none for other inputs.
    columns, table: the columns that a base for numbers and categories reads, and the training rows they stand in.
    joined: several texts of a row are read in one sequence, so that something has to stand between them.
    all_texts: as `texts`, of all training rows that there are, where a run draws some of them: runs that draw more or
    fewer then share what is chosen by them. None where that is the same.
    """

    texts: Callable[[], Iterable[str]] = tuple
    columns: tuple[Column, ...] = ()
    table: Table | None = None
    joined: bool = False
    all_texts: Callable[[], Iterable[str]] | None = None


Sizes = Mapping[str, Mapping[str, object]]
"""By small, medium and large, the settings of a base that make it so."""


@dataclass(frozen=True, kw_only=True)
class BaseSettings(ABC):
    """Settings of one kind of base. `build` makes an encoder of them.

    modality: what it reads. pretrained: its features are of use before any training, so that a head can be solved on
    them; else all of it is trained. suggested_lr: a learning rate for training all of it with AdamW, batches of 32;
    0 where it has nothing to train.
    suggested_epochs: passes over a few thousand rows that go with it; small tables and many classes need more.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    modality: ClassVar[Modality]
    pretrained: ClassVar[bool]
    suggested_lr: ClassVar[float]
    suggested_epochs: ClassVar[int]
    tuned_lr: ClassVar[float] = 1e-4
    """Learning rate for tuning its upper blocks from a solved head."""
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {}
    """Empty for a base of one size."""
    searched: ClassVar[Spaces] = {}
    """Where `graft tune` searches its settings, by name."""

    @property
    def spec(self) -> str:
        """The short written form, which `parse_base` reads back."""
        return specs.write(self, self.name)

    def with_layers(self, layers: int) -> BaseSettings:
        """The same base with the features of its last `layers` layers side by side, as many as it has."""
        return self

    def for_input(self, name: str) -> BaseSettings:
        """The same base for this input; one that holds encoders of several inputs gives each its own."""
        return self

    def tokenizer_file(self) -> Path | None:
        """Where the tokenizer.json of a base for texts stands that was trained before; None where there is none."""
        return None

    def weights(self) -> str | None:
        """Where its pretrained weights lie: a folder, or a hub id; None where it begins from scratch."""
        return str(folder_of(self.name)) if self.pretrained else None

    def tuned_blocks(self) -> int:
        """How many of its upper blocks the default tunes; no more than it has."""
        return 2

    def told_tokens(self) -> int | None:
        """How many tokens of a text it reads, where its files say so; None where it has to be built for that."""
        return None

    def told_depth(self) -> int | None:
        """How many blocks its encoder has, where its files say so; None where it has to be built for that."""
        return None

    @abstractmethod
    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        """A new encoder. rows: the training rows, for bases that learn a vocabulary or scales from them.

        seed: of the random weights, where there are any; the global random state stays as it was.
        Raises ModelError where a pretrained base can't be loaded, DataError where the rows hold nothing to learn.
        """

    def start_of(self, encoder: Encoder, seed: int) -> Encoder:
        """What `encoder`, which was built of these settings and trained since, began with. Raises as `build` does."""
        return self.build(TrainingRows(), seed)


def check_dropout(**settings: float) -> None:
    """Raise UsageError for a share that is not from 0 to below 1."""
    for name, value in settings.items():
        if not 0 <= value < 1:
            raise UsageError(f"{name} is {value}. Expected 0 or more, and less than 1.")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside, random weights come from `seed`; outside, the global random state is as it was."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def at_least(least: int, **settings: int | None) -> None:
    """Raise UsageError for a setting below `least`."""
    for name, value in settings.items():
        if value is not None and value < least:
            raise UsageError(f"{name} is {value}. Expected {least} or more.")

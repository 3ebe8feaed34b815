"""Bases that were tuned before: the encoders of a model that `fit` wrote, as the start of another run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from graftwork.errors import GraftworkError, ModelError, nearest
from graftwork.networks.base_settings import BaseSettings, TrainingRows
from graftwork.networks.bases.registry import DEFAULTS, parse_base
from graftwork.networks.bases.saved import SavedInput, load_encoder, saved_inputs
from graftwork.networks.manifest import is_model

if TYPE_CHECKING:
    from graftwork.networks.encoder import Encoder

USUAL_LR, USUAL_EPOCHS = 5e-5, 5
"""Where what it was tuned from is not to be found any more."""


@dataclass(frozen=True, kw_only=True)
class TunedSettings(BaseSettings):
    """What all of them share.

    path: a folder that `fit` wrote. input: which of its inputs, where several of this kind have encoders of their own;
    none for the one of the same name, or the only one. Learning rate and epochs are those of what it was tuned from.
    """

    path: str
    input: str | None = None

    pretrained = True
    source = "a folder that graft fit wrote, or just its path"

    @property
    def suggested_lr(self) -> float:  # type: ignore[override]
        origin = self._origin()
        return USUAL_LR if origin is None else origin.suggested_lr

    @property
    def suggested_epochs(self) -> int:  # type: ignore[override]
        origin = self._origin()
        return USUAL_EPOCHS if origin is None else origin.suggested_epochs

    def for_input(self, name: str) -> BaseSettings:
        found = self._inputs()
        several = len({one.encoder for one in found}) > 1 and any(one.name == name for one in found)
        return replace(self, input=name) if self.input is None and several else self

    def weights(self) -> str | None:
        return self.path

    def tuned_blocks(self) -> int:
        origin = self._origin()
        return super().tuned_blocks() if origin is None else origin.tuned_blocks()

    @property
    def folder(self) -> Path:
        """Where the model lies."""
        return Path(self.path).expanduser()

    def encoder_for(self, columns: Sequence[str]) -> int:
        """Which of the model's encoders an input of these columns starts from."""
        return self._chosen(list(columns)).encoder

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        chosen = self._chosen([column.name for column in rows.columns])
        if self.modality == "table":
            self._check_columns(chosen, rows)
        return load_encoder(self.folder, chosen.encoder)

    def _inputs(self) -> list[SavedInput]:
        """The inputs of this kind. Raises ModelError where there are none."""
        if not is_model(self.folder):
            raise ModelError(f"{self.path} is no model that graft fit wrote: it has no model.json.")
        every = saved_inputs(self.folder)
        found = [one for one in every if one.modality == self.modality]
        if not found:
            reads = ", ".join(dict.fromkeys(one.modality for one in every))
            raise ModelError(f"The model {self.path} reads {reads}: it has no encoder for {self.modality}.")
        return found

    def _chosen(self, columns: list[str]) -> SavedInput:
        """The input whose encoder is taken for these columns."""
        found = self._inputs()
        if self.input is not None:
            named = {one.name: one for one in found}
            if self.input not in named:
                raise ModelError(f"The model {self.path} has no input '{self.input}'. {nearest(self.input, named)}")
            return named[self.input]
        same = [one for one in found if one.name in columns]
        if not same and len({one.encoder for one in found}) > 1:
            raise ModelError(
                f"The model {self.path} has an encoder for each of {', '.join(one.name for one in found)}. "
                f"Say which one to start from, as in {self.name}:path={self.path},input={found[0].name}."
            )
        return (same or found)[0]

    def _check_columns(self, chosen: SavedInput, rows: TrainingRows) -> None:
        given = tuple((column.name, column.kind) for column in rows.columns)
        if given != chosen.columns:
            wanted = ", ".join(f"{name} ({kind})" for name, kind in chosen.columns)
            raise ModelError(
                f"The model {self.path} was made for these numbers and categories, in this order: {wanted}; here are "
                f"{', '.join(f'{name} ({kind})' for name, kind in given)}. Use --inputs and --kind, or another base."
            )

    def _origin(self) -> BaseSettings | None:
        """What it was tuned from; None where that is not to be found any more."""
        spec = self._inputs()[0].base if self.input is None else self._chosen([]).base
        try:
            return parse_base(DEFAULTS[self.modality] if spec == "auto" else spec, self.modality)
        except GraftworkError:
            return None


@dataclass(frozen=True, kw_only=True)
class TunedText(TunedSettings):
    """The text encoder of a saved model, of whatever base."""

    name = "tuned-text"
    summary = "the text encoder of a model that was trained before"
    modality = "text"


@dataclass(frozen=True, kw_only=True)
class TunedImage(TunedSettings):
    """The image encoder of a saved model, of whatever base."""

    name = "tuned-image"
    summary = "the image encoder of a model that was trained before"
    modality = "image"


@dataclass(frozen=True, kw_only=True)
class TunedAudio(TunedSettings):
    """The sound encoder of a saved model, of whatever base."""

    name = "tuned-audio"
    summary = "the sound encoder of a model that was trained before"
    modality = "audio"


@dataclass(frozen=True, kw_only=True)
class TunedTable(TunedSettings):
    """The encoder of numbers and categories of a saved model; for a table with the same columns."""

    name = "tuned-table"
    summary = "the encoder of numbers and categories of a model that was trained before"
    modality = "table"

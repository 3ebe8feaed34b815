"""What all text encoders share: values are texts, or several texts that are read in one sequence; prepared rows are
token ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn

from graftwork.data.batch import Inputs
from graftwork.errors import UsageError
from graftwork.networks.encoder import Encoder
from graftwork.networks.hub.tokenizer import TextTokenizer


class TextEncoder(Encoder):
    """An encoder of a text column, or of several in one sequence. `tokenizer` turns texts into ids; subclasses turn ids
    into features."""

    modality = "text"
    joins_without_separator: ClassVar[bool] = False
    """Whether several texts are read in one sequence even where the tokenizer sets nothing between them."""

    def __init__(self, tokenizer: TextTokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer

    def prepare(self, values: Sequence[Any]) -> list[np.ndarray]:
        return self.tokenizer.encode(values)

    @property
    def fingerprint(self) -> str:
        return self.tokenizer.fingerprint

    def collate(self, rows: Sequence[np.ndarray]) -> Inputs:
        return self.tokenizer.collate(rows)

    @property
    def table(self) -> Tensor | None:
        """What each token id is embedded with (V, E); None where ids are not embedded one by one. Here that of a
        transformers model; a class that embeds by itself says it."""
        model = getattr(self, "hf_model", None)
        return None if model is None else model.get_input_embeddings().weight

    def layers_apart(self) -> list[nn.Module]:
        """Those of a transformers model, which calls each of them by itself."""
        return list(getattr(self, "_stack", ()))

    def table_apart(self) -> nn.Module | None:
        model = getattr(self, "hf_model", None)
        table = None if model is None else model.get_input_embeddings()
        return table if isinstance(table, nn.Embedding) else None

    def check_joined(self, name: str, base: str) -> None:
        """Raise UsageError where it can't read the texts of the input `name` in one sequence. base: as it is named."""
        tokenizer, lead = self.tokenizer, f"The base '{base}' can't read '{name}' in one sequence:"
        if tokenizer.windows > 1 or tokenizer.side == "middle":
            what = "windows" if tokenizer.windows > 1 else "keep=head+tail"
            raise UsageError(
                f"{lead} {what} cuts one text, not several. Without it, the longest text of a row is cut at its end; "
                "or drop --join and read the columns as inputs of their own."
            )
        if not (tokenizer.separator or self.joins_without_separator):
            raise UsageError(
                f"{lead} it was trained on single texts and has no token to set between them. Train it anew with "
                "--join, or choose another base."
            )
        if tokenizer.room(joined=True) < 2:
            raise UsageError(
                f"{lead} of max_length={tokenizer.max_length} tokens, the special ones leave no room for the texts."
            )

    def places(self, value: Any) -> np.ndarray:
        if not isinstance(value, str):
            raise UsageError(
                "Where tokens stand is told of a text by itself, not of several in one sequence. Read the column that "
                "is marked as an input of its own: drop --join."
            )
        return self.tokenizer.places(value)

    def save_files(self, folder: Path) -> None:
        self.tokenizer.save_files(folder)

"""What all text encoders share: values are texts, prepared rows are token ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graftwork.data.batch import Inputs
from graftwork.networks.encoder import Encoder
from graftwork.networks.hub.tokenizer import TextTokenizer


class TextEncoder(Encoder):
    """An encoder of a text column. `tokenizer` turns texts into ids; subclasses turn ids into features."""

    modality = "text"

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

    def save_files(self, folder: Path) -> None:
        self.tokenizer.save_files(folder)

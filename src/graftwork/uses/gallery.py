"""Known identities and their embeddings, in one file: what `Verifier.enroll` gives, and `identify` compares with."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from graftwork.core.training.checkpoint import disk_errors
from graftwork.data.store.cache import digest, storing
from graftwork.data.store.locks import claimed
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import clean_beside, replacing
from graftwork.errors import ModelError


@dataclass(frozen=True)
class Gallery:
    """Enrolled identities. names (K); embeddings (K, E), of length 1, the mean direction of each one's items.

    model: fingerprint of the model that made them; another model's embeddings can't be compared.
    """

    names: tuple[str, ...]
    embeddings: np.ndarray
    model: str

    def __len__(self) -> int:
        return len(self.names)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one file (safetensors); it holds embeddings and names, none of the photos or sounds."""
        file = Path(path)
        embeddings = np.ascontiguousarray(self.embeddings, np.float32)
        about = {"graftwork_gallery": "2", "model": self.model, "names": json.dumps(self.names)}
        about["checksum"] = digest(about["model"], about["names"], embeddings)
        with claimed(file), storing(file):
            clean_beside(file)
            with replacing(file) as temporary, disk_errors():
                save_file({"embeddings": embeddings}, temporary, about)
        return file


def load_gallery(path: str | os.PathLike[str]) -> Gallery:
    """Read what `Gallery.save` wrote. Raises ModelError for a file that is missing, damaged or something else."""
    file = Path(path)
    if not file.is_file():
        raise ModelError(f"There is no gallery {file}. Make one: graft enroll MODEL TABLE --out {file}")
    try:
        with safe_open(file, framework="numpy") as opened:
            about = opened.metadata() or {}
            version = about.get("graftwork_gallery")
            if version not in ("1", "2"):
                raise ModelError(f"{file} is not a gallery of this version of graftwork.")
            names = tuple(json.loads(about["names"]))
            embeddings = opened.get_tensor("embeddings")
        made_by = about["model"]
        if version == "2" and about["checksum"] != digest(made_by, about["names"], embeddings):
            raise ValueError("it is not as it was written")
        if misfit(names, tuple[str, ...]):
            raise ValueError("its names are no texts")
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError, OSError) as error:
        raise ModelError(f"{file} is a damaged gallery: {error}. Enroll again.") from None
    if embeddings.ndim != 2 or len(embeddings) != len(names):
        raise ModelError(f"{file} is a damaged gallery: {len(names)} names for {len(embeddings)} rows. Enroll again.")
    return Gallery(names, embeddings, made_by)

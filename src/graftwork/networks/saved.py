"""The encoders in a model folder: what they read, and how they come back. `graftwork.saving` writes the folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.data.table import Modality
from graftwork.errors import ModelError

if TYPE_CHECKING:
    from graftwork.networks.encoder import Encoder

MANIFEST, WEIGHTS = "model.json", "weights.safetensors"


@dataclass(frozen=True)
class SavedInput:
    """An input of a saved model. columns: that it reads, with their kinds. encoder: which one reads it. base: what the
    recipe named for it."""

    name: str
    modality: Modality
    columns: tuple[tuple[str, str], ...]
    encoder: int
    base: str


def is_model(folder: Path) -> bool:
    """True for a folder that holds a saved model."""
    return (folder / MANIFEST).is_file()


def saved_inputs(folder: Path) -> list[SavedInput]:
    """The inputs of the model in `folder`. Raises ModelError where its manifest is damaged."""
    media: dict[str, Modality] = {"text": "text", "image": "image", "audio": "audio"}
    try:
        manifest = read_manifest(folder)
        kinds = {column["name"]: column["kind"] for column in manifest["schema"]}
        named = manifest["recipe"]["base"]
        found = []
        for name, encoder in manifest["columns"].items():
            columns = tuple((column, kinds[column]) for column in manifest["sources"][name])
            modality = media.get(columns[0][1], "table")
            base = named if isinstance(named, str) else named.get(name) or named.get(modality) or "auto"
            found.append(SavedInput(name, modality, columns, int(encoder), str(base)))
    except (KeyError, TypeError, IndexError, ValueError, OSError) as error:
        raise ModelError(f"{folder / MANIFEST} is damaged ({error!r}). Copy or train the model again.") from None
    return found


def read_manifest(folder: Path) -> dict[str, Any]:
    """What model.json says; OSError or ValueError where it can't be read."""
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return manifest


def restore_encoder(entry: Mapping[str, Any], folder: Path, index: int) -> Encoder:
    """The encoder that the manifest describes in `entry`, its weights apart."""
    from graftwork.networks.bases import restore

    return restore({"architecture": entry["architecture"], **entry["config"]}, folder / f"encoder-{index}")


def load_encoder(folder: Path, index: int) -> Encoder:
    """The encoder `index` of the model in `folder` with its weights. Raises ModelError for a damaged folder."""
    from safetensors import SafetensorError, safe_open

    try:
        encoder = restore_encoder(read_manifest(folder)["encoders"][index], folder, index)
        prefix = f"encoders.{index}."
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118  it is no mapping
            # Copied to where memory is aligned: convolutions round otherwise where it is not.
            weights = {name.removeprefix(prefix): file.get_tensor(name).clone() for name in names}
        encoder.load_state_dict(weights)
    except (KeyError, TypeError, IndexError, ValueError, OSError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"{folder} is a damaged model: {str(error).splitlines()[0]}. Copy or train it again."
        ) from None
    return encoder.requires_grad_(True).eval()

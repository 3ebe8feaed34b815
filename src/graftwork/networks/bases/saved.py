"""The encoders in a model folder: what they read, and how they come back. `graftwork.saving` writes the folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.data.store.names import check_links, inside
from graftwork.data.table import Modality
from graftwork.discovery.places import OWN
from graftwork.errors import ModelError
from graftwork.networks.bases.architectures import restore
from graftwork.networks.manifest import MANIFEST, WEIGHTS, check_files, read_network_manifest
from graftwork.networks.migrations import migrated_weights, newest_format

if TYPE_CHECKING:
    from graftwork.networks.encoder import Encoder


@dataclass(frozen=True)
class SavedInput:
    """An input of a saved model. columns: that it reads, with their kinds. encoder: which one reads it. base: what the
    recipe named for it."""

    name: str
    modality: Modality
    columns: tuple[tuple[str, str], ...]
    encoder: int
    base: str


def saved_inputs(folder: Path) -> list[SavedInput]:
    """The inputs of the model in `folder`. Raises ModelError where its manifest is damaged."""
    media: dict[str, Modality] = {"text": "text", "image": "image", "audio": "audio"}
    try:
        manifest = read_network_manifest(folder)
        kinds = {column["name"]: column["kind"] for column in manifest["schema"]}
        named = manifest["recipe"]["base"]
        found = []
        for name, encoder in manifest["columns"].items():
            columns = tuple((column, kinds[column]) for column in manifest["sources"][name])
            modality = media.get(columns[0][1], "table")
            base = named if isinstance(named, str) else named.get(name) or named.get(modality) or "auto"
            found.append(SavedInput(name, modality, columns, int(encoder), str(base)))
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise ModelError(f"{folder / MANIFEST} is damaged ({error!r}). Copy or train the model again.") from None
    return found


def restore_encoder(entry: Mapping[str, Any], folder: Path, index: int) -> Encoder:
    """The encoder that the manifest describes in `entry`, its weights apart."""
    files = inside(folder, f"encoder-{index}")
    if files.is_dir():
        check_links(files)
    return restore({**entry["config"], "architecture": entry["architecture"]}, files, entry.get("package", OWN))


def load_encoder(folder: Path, index: int) -> Encoder:
    """The encoder `index` of the model in `folder` with its weights. Raises ModelError for a damaged folder."""
    from safetensors import SafetensorError, safe_open

    from graftwork.networks.hub.sizes import bounded

    try:
        manifest = read_network_manifest(folder)
        check_files(folder, manifest)
        with bounded(folder / MANIFEST, [inside(folder, WEIGHTS)]):
            encoder = restore_encoder(manifest["encoders"][index], folder, index)
        prefix = f"encoders.{index}."
        older = manifest["format"] < newest_format()  # then names may differ
        with safe_open(inside(folder, WEIGHTS), framework="pt") as file:
            names = [name for name in file.keys() if older or name.startswith(prefix)]  # noqa: SIM118  it is no mapping
            # Copied to where memory is aligned: convolutions round otherwise where it is not.
            weights = migrated_weights({name: file.get_tensor(name).clone() for name in names}, manifest)
        own = {name.removeprefix(prefix): weights[name] for name in weights if name.startswith(prefix)}
        encoder.load_state_dict(own)
    except (KeyError, TypeError, IndexError, ValueError, OSError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"{folder} is a damaged model: {str(error).splitlines()[0]}. Copy or train it again."
        ) from None
    return encoder.requires_grad_(True).eval()

"""A model as a folder: model.json (what it is), weights.safetensors, and each encoder's own files. No pickle.

model.json is written last, so a folder without it is not a model, and a folder with it is whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from graftwork.core.checkpoint import write_tensors
from graftwork.data.cache import storing
from graftwork.data.table import Column, Schema
from graftwork.data.writing import write_text
from graftwork.errors import ModelError, UsageError, nearest
from graftwork.networks.film import Film
from graftwork.networks.fusions import restore_fusion
from graftwork.networks.network import Network
from graftwork.networks.saved import MANIFEST as MANIFEST
from graftwork.networks.saved import WEIGHTS as WEIGHTS
from graftwork.networks.saved import is_model as is_model
from graftwork.networks.saved import read_manifest, restore_encoder
from graftwork.recipe import Recipe, from_dict
from graftwork.tasks.registry import TASKS
from graftwork.tasks.task import Task

FORMAT = 1


@dataclass(frozen=True)
class Saved:
    """What a model folder holds: a network with all that is needed to use it.

    recipe: the resolved recipe that made it. temperature: by target, fitted on validation.
    """

    recipe: Recipe
    schema: Schema
    network: Network
    tasks: Mapping[str, Task]
    temperature: Mapping[str, float] = field(default_factory=dict)


def save(model: Saved, folder: Path) -> Path:
    """Write `model` to `folder`; replaces a model that is there, and nothing else. Returns the folder."""
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]) and not is_model(folder):
        raise UsageError(f"{folder} holds something that is not a model of graftwork. Choose another folder.")
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with storing(partial):
            partial.mkdir(parents=True)
            write_files(model, partial)
            old = folder.with_name(f".{folder.name}.old-{os.getpid()}")
            if folder.exists():
                folder.rename(old)
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    return folder


def write_files(model: Saved, folder: Path) -> None:
    """The model's files, the manifest last; until then the folder is no model, even if it was one."""
    (folder / MANIFEST).unlink(missing_ok=True)
    encoders = []
    for index, encoder in enumerate(model.network.each_encoder()):
        files = folder / f"encoder-{index}"
        files.mkdir(parents=True, exist_ok=True)
        encoder.save_files(files)
        encoders.append({"architecture": encoder.architecture, "config": encoder.config()})
    weights = {name: tensor.contiguous().clone() for name, tensor in model.network.state_dict().items()}
    partial = folder / f"{WEIGHTS}.partial"
    write_tensors(weights, partial)
    partial.chmod(0o644)  # safetensors makes it private
    partial.replace(folder / WEIGHTS)
    write_text(folder / "recipe.yaml", model.recipe.to_yaml())
    write_text(folder / MANIFEST, json.dumps(_manifest(model, encoders), ensure_ascii=False, indent=1))


def load(folder: str | os.PathLike[str]) -> Saved:
    """Read what `Model.save` or `graft fit --out` wrote: offline, without pickle.

    Raises ModelError for a folder that is missing, foreign, half copied or of a newer version.
    """
    path = Path(folder)
    manifest = _read_manifest(path)
    try:
        tasks = {name: TASKS[entry["name"]]().with_state(entry["state"]) for name, entry in manifest["tasks"].items()}
        encoders = [restore_encoder(entry, path, index) for index, entry in enumerate(manifest["encoders"])]
        columns = {name: encoders[index] for name, index in manifest["columns"].items()}
        fusion = restore_fusion(manifest["fusion"])
        heads = {name: fusion.head(each["outputs"], each["spec"]) for name, each in manifest["heads"].items()}
        sources = {name: tuple(read) for name, read in manifest["sources"].items()}
        network = Network(columns, heads, fusion, sources)
        network.film = Film(**manifest["film"]) if manifest["film"] else None
        network.lacked = frozenset(manifest["lacked"])
        network.autocast = torch.bfloat16 if manifest["precision"] == "bf16" else None
        # Copied to where memory is aligned: convolutions round otherwise where it is not.
        weights = {name: tensor.clone() for name, tensor in load_file(path / WEIGHTS).items()}
        network.load_state_dict(weights, assign=True)
        network.requires_grad_(False)
        return Saved(
            recipe=from_dict(manifest["recipe"], str(path)),
            schema=Schema(tuple(Column(**c | {"levels": tuple(c["levels"])}) for c in manifest["schema"])),
            network=network.eval(),
            tasks=tasks,
            temperature=manifest["temperature"],
        )
    except (
        KeyError,
        TypeError,
        ValueError,
        RuntimeError,
        OSError,
        AttributeError,
        IndexError,
        SafetensorError,
    ) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error).splitlines()[0]
        raise ModelError(f"{path} is a damaged model: {reason}. Copy or train it again.") from None


def _manifest(model: Saved, encoders: list[dict[str, Any]]) -> dict[str, Any]:
    network = model.network
    unique = list(network.each_encoder())
    return {
        "format": FORMAT,
        "graftwork": version("graftwork"),
        "recipe": model.recipe.to_dict(),
        "schema": [asdict(column) for column in model.schema.columns],
        "tasks": {name: {"name": task.name, "state": task.state()} for name, task in model.tasks.items()},
        "encoders": encoders,
        "columns": {name: unique.index(network.encoder(name)) for name in network.columns},
        "sources": {name: list(read) for name, read in network.sources.items()},
        "fusion": {"architecture": network.fusion.architecture, **network.fusion.config()},
        "film": network.film.config() if network.film else None,
        "lacked": sorted(network.lacked),
        "heads": {name: head.config() for name, head in network.each_head()},
        "precision": "bf16" if network.autocast == torch.bfloat16 else "fp32",
        "temperature": dict(model.temperature),
    }


def _read_manifest(path: Path) -> dict[str, Any]:
    if not path.is_dir():
        names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise ModelError(f"There is no model folder {path}. {nearest(path.name, names) if names else ''}".strip())
    if not is_model(path):
        raise ModelError(f"{path} is not a model of graftwork: it has no {MANIFEST}.")
    try:
        manifest = read_manifest(path)
        found = manifest["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path / MANIFEST} is damaged ({error}). Copy or train the model again.") from None
    if found != FORMAT:
        raise ModelError(
            f"{path} has format {found}; this graftwork reads {FORMAT}. Install the version that wrote it."
        )
    return manifest

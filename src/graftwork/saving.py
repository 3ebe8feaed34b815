"""A model as a folder: model.json (what it is), weights.safetensors, provenance.json (where it comes from), files of
each encoder; reference.safetensors (what its training rows were like), calibration.safetensors if known. No pickle.

All of it appears at once, with checksums in model.json: a folder without it is no model, a folder with it is whole.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from graftwork.bases.cyclonedx import About, to_cyclonedx
from graftwork.bases.provenance import NOT_KNOWN, Provenance, without_folders
from graftwork.core.checkpoint import write_tensors
from graftwork.data.store.cache import storing
from graftwork.data.store.entries import checksum
from graftwork.data.store.locks import claimed
from graftwork.data.store.names import inside
from graftwork.data.store.staging import staged
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import is_own, remove, replacing, write_text
from graftwork.data.table import Schema
from graftwork.discovery.places import OWN
from graftwork.discovery.registry import Registry
from graftwork.errors import MissingPackageError, ModelError, UsageError
from graftwork.evidence.strange.reference import Reference
from graftwork.evidence.strange.stored import REFERENCE, read_reference, write_reference
from graftwork.evidence.sure.calibration import Calibration
from graftwork.evidence.sure.files import CALIBRATION, read_calibration, write_calibration
from graftwork.networks.bases.architectures import ARCHITECTURES
from graftwork.networks.bases.saved import restore_encoder
from graftwork.networks.film import Film
from graftwork.networks.fusion.registry import FUSIONS, restore_fusion
from graftwork.networks.heads.head import Head
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.hub.sizes import bounded
from graftwork.networks.manifest import (
    MANIFEST,
    PROVENANCE,
    WEIGHTS,
    check_files,
    checksums,
    is_replaceable,
    moment,
    provenance_in,
    read_manifest_of,
    schema_of,
    sealed,
)
from graftwork.networks.migrations import migrated_weights, newest_format
from graftwork.networks.network import Network
from graftwork.recipe import Recipe, from_dict
from graftwork.specs import name_of
from graftwork.tasks.registry import TASKS
from graftwork.tasks.task import Task

REPORTS = ("report.html", "README.md", "metrics.json", "mixed.json")
"""What is written of a run beside its model."""


@dataclass(frozen=True)
class Saved:
    """What a model folder holds: a network with all that is needed to use it.

    recipe: the resolved recipe that made it. temperature: by target, fitted on validation. provenance: its bases, and
    the tables that it learned from. reference: some of its training rows as it sees them, by which others are unusual;
    None where none were kept. calibration: by target, rows on which sets, intervals and abstention rest.
    """

    recipe: Recipe
    schema: Schema
    network: Network
    tasks: Mapping[str, Task]
    temperature: Mapping[str, float] = field(default_factory=dict)
    provenance: Provenance = NOT_KNOWN
    reference: Reference | None = None
    calibration: Mapping[str, Calibration] = field(default_factory=dict)


def save(model: Saved, folder: Path, also: Callable[[Path], None] | None = None) -> Path:
    """Write `model` to `folder`; replaces a model that is there, and nothing else. Returns the folder.

    also: writes further files that belong to it into the folder that it is given; they appear together.
    """
    with claimed(folder), storing(folder):
        others = [path for path in folder.iterdir() if not is_own(path.name)] if folder.is_dir() else []
        if (others and not is_replaceable(folder)) or (os.path.lexists(folder) and not folder.is_dir()):
            raise UsageError(f"{folder} holds something that is not a model of graftwork. Choose another folder.")
        kept = [name for name in REPORTS if also is None and (folder / name).is_file()]
        before = checksum(folder / WEIGHTS) if kept and (folder / WEIGHTS).is_file() else None
        put(model, folder, also)
        if before is not None and before != checksum(folder / WEIGHTS):
            warnings.warn(f"{folder} keeps {', '.join(kept)} of the model that was there before.", stacklevel=3)
    return folder


def put(model: Saved, folder: Path, also: Callable[[Path], None] | None = None) -> None:
    """`save` for who holds the folder's lock and has looked at what is in it."""
    with staged(folder, MANIFEST) as place:
        encoders = _write_files(model, place)
        manifest = _manifest(model, encoders) | {"files": checksums(place)}
        write_text(place / "recipe.yaml", model.recipe.to_yaml())
        if also is not None:
            also(place)
        write_text(place / MANIFEST, json.dumps(sealed(manifest), ensure_ascii=False, indent=1))
    for path in folder.glob("encoder-*"):  # of a model with more encoders
        if path.name.removeprefix("encoder-").isdecimal() and int(path.name[8:]) >= len(encoders):
            remove(path)
    if model.reference is None:
        remove(folder / REFERENCE)
    if not model.calibration:
        remove(folder / CALIBRATION)


def _write_files(model: Saved, folder: Path) -> list[dict[str, Any]]:
    """The encoders' files and all weights. Gives what the manifest says of the encoders."""
    encoders = []
    for index, encoder in enumerate(model.network.each_encoder()):
        files = folder / f"encoder-{index}"
        files.mkdir()
        encoder.save_files(files)
        encoders.append(_named(ARCHITECTURES, encoder.architecture) | {"config": encoder.config()})
    weights = {name: tensor.contiguous().clone() for name, tensor in model.network.state_dict().items()}
    with replacing(folder / WEIGHTS) as temporary:
        write_tensors(weights, temporary)
    if model.reference is not None:
        write_reference(model.reference, folder)
    told = to_cyclonedx(model.provenance, _about(model))
    write_text(folder / PROVENANCE, json.dumps(told, ensure_ascii=False, indent=1))
    if model.calibration:
        write_calibration(model.calibration, folder / CALIBRATION)
    return encoders


def _about(model: Saved) -> About:
    """What provenance.json says of the model itself."""
    import yaml

    tasks = {name: task.name for name, task in model.tasks.items()}
    recipe = without_folders(model.recipe.to_dict())
    return About(
        name=f"{', '.join(tasks)} from {', '.join(model.network.columns)}",
        inputs={name: model.network.encoder(name).modality for name in model.network.columns},
        outputs=tasks,
        recipe=yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True),
        parameters=sum(parameter.numel() for parameter in model.network.parameters()),
    )


def load(folder: str | os.PathLike[str]) -> Saved:
    """Read what `Model.save` or `graft fit --out` wrote: offline, without pickle.

    Where the model is replaced meanwhile, it is read again, so that no old part meets a new one.
    Raises ModelError for a folder that is missing, foreign, half copied or of a newer version.
    """
    path = Path(folder)
    for last in (False, False, True):
        before = moment(path)
        try:
            loaded = _load(path)
        except ModelError:
            if last or before is None or moment(path) == before:
                raise
        else:
            if last or moment(path) == before:
                return loaded
    raise AssertionError("unreachable")


def _load(path: Path) -> Saved:
    manifest = read_manifest_of(path)
    check_files(path, manifest)
    try:
        tasks = {name: _task(name, entry) for name, entry in manifest["tasks"].items()}
        with bounded(path / MANIFEST, [inside(path, WEIGHTS)]):
            network = _network(path, manifest, tasks)
        # Copied to where memory is aligned: convolutions round otherwise where it is not.
        weights = {name: tensor.clone() for name, tensor in load_file(inside(path, WEIGHTS)).items()}
        network.load_state_dict(migrated_weights(weights, manifest), assign=True)
        network.requires_grad_(False)
        schema = schema_of(manifest)
        targets = {column.name for column in schema.columns if column.role == "target"}
        if {name for name, task in tasks.items() if task.target == "column"} - targets:
            raise ValueError("a task has no target in the schema")
        return Saved(
            recipe=from_dict(manifest["recipe"], str(path)),
            schema=schema,
            network=network.eval(),
            tasks=tasks,
            temperature=manifest["temperature"],
            provenance=provenance_in(path, manifest),
            reference=read_reference(path) if REFERENCE in manifest.get("files", {}) else None,
            calibration=_calibration(path, manifest, tasks),
        )
    except MissingPackageError as error:
        raise MissingPackageError(f"{path} can't be loaded. {error}") from None
    except UsageError as error:  # of the recipe, a head or a technique in it
        raise ModelError(f"{path} is a damaged model, or of another version: {error}") from None
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


def _calibration(path: Path, manifest: Mapping[str, Any], tasks: Mapping[str, Task]) -> dict[str, Calibration]:
    """The calibration rows by the file that the manifest vouches for; a model need not have any."""
    return read_calibration(inside(path, CALIBRATION), tasks) if CALIBRATION in manifest.get("files", {}) else {}


def _network(path: Path, manifest: Mapping[str, Any], tasks: Mapping[str, Task]) -> Network:
    """The network that the manifest describes, its weights apart."""
    encoders = [restore_encoder(entry, path, index) for index, entry in enumerate(manifest["encoders"])]
    columns = {name: encoders[index] for name, index in manifest["columns"].items()}
    fusion = restore_fusion(manifest["fusion"])
    sources = {name: tuple(read) for name, read in manifest["sources"].items()}
    network = Network(columns, {}, fusion, sources)
    network.set_heads({name: _head(network, tasks[name], each) for name, each in manifest["heads"].items()})
    network.film = Film(**manifest["film"]) if manifest["film"] else None
    network.missing_inputs = frozenset(manifest["lacked"])
    network.autocast = torch.bfloat16 if manifest["precision"] == "bf16" else None
    return network


def _manifest(model: Saved, encoders: list[dict[str, Any]]) -> dict[str, Any]:
    network = model.network
    unique = list(network.each_encoder())
    return {
        "format": newest_format(),
        "graftwork": version("graftwork"),
        "recipe": model.recipe.to_dict(),
        "schema": [asdict(column) for column in model.schema.columns],
        "tasks": {name: _named(TASKS, task.name) | {"state": task.state()} for name, task in model.tasks.items()},
        "encoders": encoders,
        "columns": {name: unique.index(network.encoder(name)) for name in network.columns},
        "sources": {name: list(read) for name, read in network.sources.items()},
        "fusion": _named(FUSIONS, network.fusion.architecture) | network.fusion.config(),
        "film": network.film.config() if network.film else None,
        "lacked": sorted(network.missing_inputs),
        "heads": {name: head.config() | _package(HEADS, name_of(head.spec)) for name, head in network.each_head()},
        "precision": "bf16" if network.autocast == torch.bfloat16 else "fp32",
        "temperature": dict(model.temperature),
    }


def _named(registry: Registry[Any], name: str) -> dict[str, Any]:
    """How the manifest names one of a registry, so that `Registry.of` finds it again."""
    return {registry.key: name} | _package(registry, name)


def _package(registry: Registry[Any], name: str) -> dict[str, str]:
    """The package that it comes from, where that is another one."""
    package = registry.package(name)
    return {} if package == OWN else {"package": package}


def _task(name: str, entry: Mapping[str, Any]) -> Task:
    task = TASKS.of(entry["name"], entry.get("package", OWN))().with_state(entry["state"])
    wrong = misfit(task, type(task), f"tasks.{name}.state")
    if wrong:
        raise ValueError(wrong)
    if task.classes:
        task.decode(np.ones((1, task.outputs), np.float32))  # ValueError where the classes are none of their type
    return task


def _head(network: Network, task: Task, entry: Mapping[str, Any]) -> Head:
    if entry["outputs"] != task.outputs:
        raise ValueError(f"a head has {entry['outputs']} outputs, and its task {task.outputs}")
    HEADS.of(name_of(entry["spec"]), entry.get("package", OWN))
    return task.make_head(network, entry["spec"])

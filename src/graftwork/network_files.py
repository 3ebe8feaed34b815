"""The files of a model with one network, and what model.json says of them: written into a folder, and read from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from graftwork.bases.cyclonedx import About, to_cyclonedx
from graftwork.bases.provenance import without_folders
from graftwork.core.training.checkpoint import write_tensors
from graftwork.data.store.names import inside
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import replacing, write_text
from graftwork.discovery.places import OWN
from graftwork.discovery.registry import Registry
from graftwork.evidence.strange.stored import REFERENCE, read_reference, write_reference
from graftwork.evidence.sure.files import CALIBRATION, read_calibration, write_calibration
from graftwork.networks.bases.architectures import ARCHITECTURES
from graftwork.networks.bases.saved import restore_encoder
from graftwork.networks.film import Film
from graftwork.networks.fusion.registry import FUSIONS, restore_fusion
from graftwork.networks.heads.head import Head
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.hub.sizes import bounded
from graftwork.networks.manifest import MANIFEST, PROVENANCE, WEIGHTS, provenance_in, schema_of
from graftwork.networks.migrations import migrated_weights, newest_format
from graftwork.networks.network import Network
from graftwork.recipe import from_dict
from graftwork.saved import Saved
from graftwork.specs import name_of
from graftwork.tasks.registry import TASKS
from graftwork.tasks.task import Task

DAMAGE = (KeyError, TypeError, ValueError, RuntimeError, OSError, AttributeError, IndexError, SafetensorError)
"""What reading a damaged folder may raise."""


def what_is_damaged(error: Exception) -> str:
    """One of `DAMAGE` as a user reads it: in a line."""
    return (
        f"{error} is missing" if isinstance(error, KeyError) else (str(error) or type(error).__name__).splitlines()[0]
    )


def write_beside(model: Saved, folder: Path) -> None:
    """The files that a model of any number of networks has beside its weights."""
    if model.reference is not None:
        write_reference(model.reference, folder)
    told = to_cyclonedx(model.provenance, _about(model))
    write_text(folder / PROVENANCE, json.dumps(told, ensure_ascii=False, indent=1))
    if model.calibration:
        write_calibration(model.calibration, folder / CALIBRATION)


def described(model: Saved) -> dict[str, Any]:
    """What model.json says of a model of any number of networks."""
    return {
        "format": newest_format(),
        "graftwork": version("graftwork"),
        "recipe": model.recipe.to_dict(),
        "schema": [asdict(column) for column in model.schema.columns],
        "tasks": {name: named_entry(TASKS, task.name) | {"state": task.state()} for name, task in model.tasks.items()},
    }


def write_network(model: Saved, folder: Path) -> dict[str, Any]:
    """The encoders' files and all weights. Gives what model.json says of the network."""
    network, encoders = model.network, []
    unique = list(network.each_encoder())
    for index, encoder in enumerate(unique):
        files = folder / f"encoder-{index}"
        files.mkdir()
        encoder.save_files(files)
        encoders.append(named_entry(ARCHITECTURES, encoder.architecture) | {"config": encoder.config()})
    weights = {name: tensor.contiguous().clone() for name, tensor in network.state_dict().items()}
    with replacing(folder / WEIGHTS) as temporary:
        write_tensors(weights, temporary)
    return {
        "encoders": encoders,
        "columns": {name: unique.index(network.encoder(name)) for name in network.columns},
        "sources": {name: list(read) for name, read in network.sources.items()},
        "fusion": named_entry(FUSIONS, network.fusion.architecture) | network.fusion.config(),
        "film": network.film.config() if network.film else None,
        "lacked": sorted(network.missing_inputs),
        "heads": {name: head.config() | _package(HEADS, name_of(head.spec)) for name, head in network.each_head()},
        "precision": "bf16" if network.autocast == torch.bfloat16 else "fp32",
        "temperature": dict(model.temperature),
    }


def read_network(path: Path, manifest: Mapping[str, Any]) -> Saved:
    """The model with one network in a folder whose manifest and files were looked at. Raises what reading wrong values
    raises: KeyError, ValueError and the like."""
    tasks = read_tasks(manifest)
    with bounded(path / MANIFEST, [inside(path, WEIGHTS)]):
        network = _network(path, manifest, tasks)
    # Copied to where memory is aligned: convolutions round otherwise where it is not.
    weights = {name: tensor.clone() for name, tensor in load_file(inside(path, WEIGHTS)).items()}
    network.load_state_dict(migrated_weights(weights, manifest), assign=True)
    network.requires_grad_(False)
    return replace(read_beside(path, manifest, network.eval(), tasks), temperature=manifest["temperature"])


def read_beside(path: Path, manifest: Mapping[str, Any], network: Network, tasks: Mapping[str, Task]) -> Saved:
    """The model with what lies beside the weights, of any number of networks."""
    schema = schema_of(manifest)
    targets = {column.name for column in schema.columns if column.role == "target"}
    if {name for name, task in tasks.items() if task.target == "column"} - targets:
        raise ValueError("a task has no target in the schema")
    files = manifest.get("files", {})
    return Saved(
        recipe=from_dict(manifest["recipe"], str(path)),
        schema=schema,
        network=network,
        tasks=tasks,
        provenance=provenance_in(path, manifest),
        reference=read_reference(path) if REFERENCE in files else None,
        calibration=read_calibration(inside(path, CALIBRATION), tasks) if CALIBRATION in files else {},
    )


def read_tasks(manifest: Mapping[str, Any]) -> dict[str, Task]:
    """The tasks by target, with what they learned."""
    return {name: _task(name, entry) for name, entry in manifest["tasks"].items()}


def _about(model: Saved) -> About:
    """What provenance.json says of the model itself."""
    import yaml

    tasks = {name: task.name for name, task in model.tasks.items()}
    recipe = without_folders(model.recipe.to_dict())
    networks = [member.model.network for member in model.each_member]
    return About(
        name=f"{', '.join(tasks)} from {', '.join(model.network.columns)}",
        inputs={name: network.encoder(name).modality for network in networks for name in network.columns},
        outputs=tasks,
        recipe=yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True),
        parameters=sum(parameter.numel() for parameter in model.network.parameters()),
    )


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


def named_entry(registry: Registry[Any], name: str) -> dict[str, Any]:
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

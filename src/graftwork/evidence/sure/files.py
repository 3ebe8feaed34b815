"""calibration.safetensors: the calibration rows of a model in its folder, by target. No inputs are in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

from graftwork.core.training.checkpoint import write_tensors
from graftwork.data.store.staging import staged
from graftwork.data.store.writing import write_text
from graftwork.evidence.sure.calibration import Calibration, can_be_calibrated
from graftwork.networks.manifest import MANIFEST, checksums, read_manifest, sealed
from graftwork.tasks.task import Task

CALIBRATION = "calibration.safetensors"
_ABOUT = "graftwork"
"""Under which the header says of each target which rows these are."""


def write_calibration(known: Mapping[str, Calibration], path: Path) -> None:
    """Write the rows of every target into a file of its own."""
    tensors = {}
    for target, rows in known.items():
        tensors[f"kept.{target}"] = torch.from_numpy(np.ascontiguousarray(rows.kept))
        tensors[f"truth.{target}"] = torch.from_numpy(np.ascontiguousarray(rows.truth))
    write_tensors(tensors, path, {_ABOUT: json.dumps({target: rows.source for target, rows in known.items()})})


def add_calibration(folder: Path, known: Mapping[str, Calibration]) -> None:
    """Put the rows into a model folder that this version has written, for who holds its lock: the file and the
    manifest that vouches for it appear together."""
    manifest = read_manifest(folder)
    with staged(folder, MANIFEST) as place:
        write_calibration(known, place / CALIBRATION)
        files = manifest["files"] | checksums(place)
        write_text(place / MANIFEST, json.dumps(sealed(manifest | {"files": files}), ensure_ascii=False, indent=1))


def read_calibration(path: Path, tasks: Mapping[str, Task]) -> dict[str, Calibration]:
    """What `write_calibration` wrote, held against the model's tasks. Raises ValueError where it is none of theirs."""
    with safe_open(path, framework="np") as file:
        about = json.loads((file.metadata() or {}).get(_ABOUT, "null"))
        if not isinstance(about, dict) or not all(isinstance(source, str) for source in about.values()):
            raise ValueError(f"{CALIBRATION} does not say of which rows it is")
        found = {
            target: Calibration(file.get_tensor(f"kept.{target}"), file.get_tensor(f"truth.{target}"), source)
            for target, source in about.items()
        }
    for target, rows in found.items():
        wrong = f"there is no such target as '{target}'" if target not in tasks else _misfit(tasks[target], rows)
        if wrong:
            raise ValueError(f"{CALIBRATION}: {wrong}")
    return found


def _misfit(task: Task, rows: Calibration) -> str:
    """What of the rows can't be of this task."""
    kept, truth = rows.kept, rows.truth
    if not can_be_calibrated(task):
        return f"a {task.name} has no calibration rows"
    shape = (len(truth), task.outputs) if task.answer == "classes" else (len(truth),)
    if kept.shape != (len(truth), task.outputs) or truth.shape != shape or not len(truth):
        return f"{kept.shape} predictions and {truth.shape} targets don't fit {task.outputs} outputs"
    if kept.dtype.kind != "f" or not np.isfinite(kept).all():
        return "predictions are no finite numbers"
    if task.answer == "number":
        return "" if truth.dtype.kind == "f" and np.isfinite(truth).all() else "targets are no finite numbers"
    most = 1 if task.answer == "classes" else task.outputs - 1
    if truth.dtype.kind not in "iu" or truth.min() < 0 or truth.max() > most:
        return "targets are no classes of the task"
    return "" if kept.min() >= 0 and kept.max() <= 1 else "predictions are no probabilities"

"""Checkpoints: one safetensors file, written whole or not at all, that holds all a run needs to go on bit for bit.

Contents: trained parameters and buffers, the grafts' state, optimizer moments, random streams, the best weights so
far, and in the header the step, the history and the fingerprint of the run it belongs to.
"""

from __future__ import annotations

import errno
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from graftwork.core.parallel.sharding import like
from graftwork.data.store.cache import storing
from graftwork.data.store.writing import clean_beside, replacing
from graftwork.errors import CheckpointError

NAME = "checkpoint.safetensors"
CHECKSUM = "checksum"


@dataclass(frozen=True)
class Checkpointing:
    """Where checkpoints go and which run they belong to; written every `seconds`, where a run pauses or ends, and at
    each evaluation unless they are `sparing`."""

    folder: Path
    fingerprint: str
    resume: bool = False
    seconds: float = 60.0
    sparing: bool = False


@dataclass(frozen=True)
class Snapshot:
    """tensors: by dotted name. meta: plain JSON data."""

    tensors: dict[str, Tensor]
    meta: dict[str, Any]

    def group(self, prefix: str) -> dict[str, Tensor]:
        """The tensors below a prefix, with the prefix taken off."""
        return {key[len(prefix) + 1 :]: value for key, value in self.tensors.items() if key.startswith(f"{prefix}.")}


def write(folder: Path, snapshot: Snapshot) -> None:
    """Replace the folder's checkpoint; it survives a power cut. Raises DataError where the disk is full or closed."""
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        clean_beside(folder / NAME)
        tensors = {key: value.detach().cpu().contiguous() for key, value in snapshot.tensors.items()}
        with replacing(folder / NAME, lasting=True) as temporary:
            told = {"graftwork": json.dumps(snapshot.meta), CHECKSUM: _checksum(tensors)}
            write_tensors(_unshared(tensors), temporary, told)


def write_tensors(tensors: dict[str, Tensor], path: Path, meta: dict[str, str] | None = None) -> None:
    """`save_file`, with an OSError where the disk is full."""
    with disk_errors():
        save_file(tensors, path, metadata=meta)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Inside, safetensors' errors that hide one of the disk are that OSError."""
    try:
        yield
    except SafetensorError as error:
        code = re.search(r"os error (\d+)", str(error))
        raise OSError(int(code[1]) if code else errno.EIO, str(error)) from error


def read(kept: Checkpointing) -> Snapshot | None:
    """The folder's checkpoint, or None where there is none yet. Raises CheckpointError if it is another run's."""
    path = kept.folder / NAME
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            meta = json.loads(file.metadata()["graftwork"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            if file.metadata().get(CHECKSUM, _checksum(tensors)) != _checksum(tensors):
                raise ValueError("its content has changed since it was written")
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a checkpoint of graftwork, or damaged ({error}). Delete it to start afresh."
        ) from None
    if meta.get("fingerprint") != kept.fingerprint:
        raise CheckpointError(
            f"{path} belongs to a run with other data, base, techniques or settings. "
            "Repeat the command that wrote it, or choose another --out."
        )
    return Snapshot(tensors, meta)


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    """CRC-32 of all values: quick, and enough against what disks do."""
    found = 0
    for key in sorted(tensors):
        values = tensors[key].detach().reshape(-1).contiguous().view(torch.uint8).numpy()
        found = zlib.crc32(values.data, found)
    return f"{found:08x}"


def prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{key}": value for key, value in tensors.items()}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimizer's moments by parameter number."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{key}": value for index, entry in state.items() for key, value in entry.items()}


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `optimizer_tensors`; what belongs to a sharded parameter is sharded as it is."""
    state: dict[int, dict[str, Tensor]] = {}
    moved = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = like(value, moved[int(index)])
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _unshared(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """safetensors refuses tensors that share memory."""
    seen: set[int] = set()
    result = {}
    for key, value in tensors.items():
        memory = value.untyped_storage().data_ptr()
        result[key] = value.clone() if memory in seen else value
        seen.add(memory)
    return result

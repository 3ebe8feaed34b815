"""Checkpoints of learning by reward: weights, optimizers, what scales observations, random streams, scores, the step.

One safetensors file, and for algorithms that learn from a buffer an npz beside it. The inside of an environment can't
be kept: a resumed run begins new episodes, with seeds that the first part had not.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from torch import Tensor, nn

from graftwork.core.training.checkpoint import (
    Checkpointing,
    Snapshot,
    load_optimizer,
    optimizer_tensors,
    prefixed,
    read,
    write,
)
from graftwork.data.store.cache import storing
from graftwork.data.store.names import inside, plain_name
from graftwork.data.store.writing import remove, replacing
from graftwork.errors import CheckpointError, ModelError
from graftwork.rl.learning.vectorised import normaliser

_BUFFER = re.compile(r"buffer-\d+\.npz")
_COUNTERS = ("num_timesteps", "_n_updates", "_episode_num", "_n_calls", "exploration_rate")
_KEPT = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")
"""Arrays of a replay buffer."""


def save_checkpoint(made: BaseAlgorithm, kept: Checkpointing, told: Mapping[str, Any]) -> None:
    """Replace the checkpoint. told: plain data that goes with it. Raises DataError where the disk is full."""
    tensors, meta = dict[str, Tensor](), dict[str, Any]()
    for name in _parts(made):
        found = attrgetter(name)(made)
        state = optimizer_tensors(found) if isinstance(found, torch.optim.Optimizer) else found.state_dict()
        tensors |= prefixed(f"state.{name}", state)
    for name in made._get_torch_save_params()[1]:
        value = attrgetter(name)(made)
        if isinstance(value, Tensor):
            tensors[f"variable.{name}"] = value
    tensors |= _scales(made)
    streams, numbers = _streams(made)
    meta |= {"fingerprint": kept.fingerprint, "told": dict(told), "streams": numbers, "buffer": None}
    meta["counters"] = {name: getattr(made, name) for name in _COUNTERS if hasattr(made, name)}
    buffer = getattr(made, "replay_buffer", None)
    with storing(kept.folder):
        kept.folder.mkdir(parents=True, exist_ok=True)
        if buffer is not None:
            meta["buffer"] = f"buffer-{made.num_timesteps}.npz"
            _write_buffer(buffer, kept.folder / meta["buffer"])
    write(kept.folder, Snapshot(tensors | streams, meta))
    for path in kept.folder.glob("buffer-*.npz"):
        if path.name != meta["buffer"] and _BUFFER.fullmatch(path.name):
            remove(path)


def load_checkpoint(made: BaseAlgorithm, kept: Checkpointing) -> dict[str, Any] | None:
    """Bring an algorithm to where the checkpoint was written; gives what was told then, None where there is none.

    Raises CheckpointError for one of another run, and for a damaged one.
    """
    snapshot = read(kept)
    if snapshot is None:
        return None
    try:
        _load(made, kept.folder, snapshot)
        told: dict[str, Any] = snapshot.meta["told"]
    except (KeyError, TypeError, ValueError, RuntimeError, OSError, AttributeError, ModelError, BadZipFile) as error:
        raise CheckpointError(
            f"The checkpoint in {kept.folder} is damaged ({str(error).splitlines()[0]}). Delete the folder to start "
            "afresh."
        ) from None
    return told


def _load(made: BaseAlgorithm, folder: Path, snapshot: Snapshot) -> None:
    for name in _parts(made):
        found, state = attrgetter(name)(made), snapshot.group(f"state.{name}")
        if isinstance(found, torch.optim.Optimizer):
            load_optimizer(found, state)
        else:
            assert isinstance(found, nn.Module)
            found.load_state_dict({key: value for key, value in state.items() if key in found.state_dict()})
    for name, value in snapshot.group("variable").items():
        attrgetter(name)(made).data.copy_(value)
    for name, value in snapshot.meta["counters"].items():
        if name in _COUNTERS:
            setattr(made, name, value)
    _set_scales(made, snapshot.group("scale"))
    if snapshot.meta["buffer"] is not None:
        name = plain_name(snapshot.meta["buffer"], folder)
        _read_buffer(vars(made)["replay_buffer"], inside(folder, name))
    _set_streams(made, snapshot)


def _parts(made: BaseAlgorithm) -> list[str]:
    """Networks and optimizers, the networks first."""
    return list(made._get_torch_save_params()[0])


def _scales(made: BaseAlgorithm) -> dict[str, Tensor]:
    """What numbers and rewards are scaled by."""
    found = None if made.env is None else normaliser(made.env)
    if found is None:
        return {}
    moments = {"return": found.ret_rms}
    observed: Any = getattr(found, "obs_rms", None)
    if found.norm_obs and observed is not None:
        by_name = observed if isinstance(observed, dict) else {"": observed}
        moments |= {f"observation.{name}": one for name, one in by_name.items()}
    return {
        f"scale.{name}.{each}": torch.from_numpy(np.atleast_1d(np.asarray(getattr(one, each), np.float64)))
        for name, one in moments.items()
        for each in ("mean", "var", "count")
    }


def _set_scales(made: BaseAlgorithm, tensors: Mapping[str, Tensor]) -> None:
    found = None if made.env is None else normaliser(made.env)
    if found is None:
        return
    observed: Any = getattr(found, "obs_rms", None)
    for name, value in tensors.items():
        whose, _, each = name.rpartition(".")
        key = whose.removeprefix("observation.")
        one = found.ret_rms if whose == "return" else observed[key] if isinstance(observed, dict) else observed
        shape = np.shape(getattr(one, each))
        setattr(one, each, value.numpy().reshape(shape) if shape else float(value[0]))


def _streams(made: BaseAlgorithm) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Random streams, as tensors and as plain data."""
    kind, keys, place, has_gauss, gauss = np.random.get_state()
    python = random.getstate()
    tensors = {
        "stream.torch": torch.get_rng_state(),
        "stream.numpy": torch.from_numpy(np.asarray(keys, np.int64)),
        "stream.python": torch.tensor(python[1], dtype=torch.int64),
    }
    actions = made.action_space.np_random.bit_generator.state
    numbers = {"numpy": [str(kind), int(place), int(has_gauss), float(gauss)], "python": [python[0], python[2]]}
    return tensors, numbers | {"actions": _plain(actions)}


def _plain(value: Any) -> Any:
    """Numbers of any size as text, which JSON of any reader can hold."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return value if isinstance(value, str) else str(int(value))


def _set_streams(made: BaseAlgorithm, snapshot: Snapshot) -> None:
    streams, numbers = snapshot.group("stream"), snapshot.meta["streams"]
    torch.set_rng_state(streams["torch"])
    kind, place, has_gauss, gauss = numbers["numpy"]
    np.random.set_state((kind, streams["numpy"].numpy().astype(np.uint32), place, has_gauss, gauss))
    version, gauss_next = numbers["python"]
    random.setstate((version, tuple(streams["python"].tolist()), gauss_next))
    generator, actions = made.action_space.np_random.bit_generator, numbers["actions"]
    if actions["bit_generator"] == generator.state["bit_generator"]:
        state = {name: int(value) for name, value in actions["state"].items()}
        rest = {name: int(actions[name]) for name in ("has_uint32", "uinteger")}
        generator.state = {"bit_generator": actions["bit_generator"], "state": state, **rest}


def _write_buffer(buffer: Any, path: Path) -> None:
    """The part of a replay buffer that is filled."""
    filled = buffer.buffer_size if buffer.full else buffer.pos
    arrays: dict[str, Any] = {"pos": np.array(buffer.pos), "full": np.array(buffer.full)}
    for name in _KEPT:
        found = getattr(buffer, name)
        for key, values in found.items() if isinstance(found, dict) else [("", found)]:
            arrays[f"{name}/{key}"] = values[:filled]
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def _read_buffer(buffer: Any, path: Path) -> None:
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as found:
        for name in _KEPT:
            own = getattr(buffer, name)
            for key, values in own.items() if isinstance(own, dict) else [("", own)]:
                kept = found[f"{name}/{key}"]
                if kept.shape[1:] != values.shape[1:] or len(kept) > len(values):
                    raise ValueError(f"{path.name} holds {name} of the shape {kept.shape}, expected {values.shape}")
                values[: len(kept)] = kept
        pos, full = int(found["pos"]), bool(found["full"])
        if not 0 <= pos <= len(found["rewards/"]):
            raise ValueError(f"{path.name} has its end at {pos}, of {len(found['rewards/'])} steps")
        buffer.full = full and len(found["rewards/"]) == buffer.buffer_size
        buffer.pos = pos if buffer.full == full else len(found["rewards/"])

"""A policy as a folder: policy.json (what it is), weights.safetensors, files of each encoder. No pickle.

All of it appears at once, with checksums in policy.json. Reading it back needs neither gymnasium nor stable-baselines3.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from graftwork.core.training.checkpoint import write_tensors
from graftwork.data.store.cache import storing
from graftwork.data.store.locks import claimed
from graftwork.data.store.names import inside
from graftwork.data.store.staging import staged
from graftwork.data.store.writing import remove, replacing, write_text
from graftwork.errors import GraftworkError, ModelError, UsageError
from graftwork.network_files import DAMAGE, named_entry, what_is_damaged
from graftwork.networks.bases.architectures import ARCHITECTURES
from graftwork.networks.bases.saved import restore_encoder
from graftwork.networks.encoder import Encoder
from graftwork.networks.fusion.registry import FUSIONS, restore_fusion
from graftwork.networks.hub.sizes import bounded
from graftwork.networks.manifest import check_files, checksums, sealed
from graftwork.rl.policies.acting import Acting
from graftwork.rl.policies.manifest import FORMAT, POLICY, WEIGHTS, is_policy, read_manifest
from graftwork.rl.policies.network import PolicyNetwork
from graftwork.rl.sight.base_inputs import BaseInput
from graftwork.rl.sight.places import Places
from graftwork.rl.sight.reading import Reading
from graftwork.rl.sight.seeing import Seeing
from graftwork.rl.world import observations
from graftwork.rl.world.actions import Actions


def write_policy(policy: Acting, folder: str | os.PathLike[str]) -> Path:
    """Write a policy; replaces one that is there, and leaves all else in the folder as it is. Returns the folder."""
    path = Path(folder)
    with claimed(path), storing(path):
        if os.path.lexists(path) and not path.is_dir():
            raise UsageError(f"{path} is a file. A policy is a folder: name another.")
        if os.path.lexists(path / POLICY) and not is_policy(path):
            raise UsageError(f"{path / POLICY} was not written by graftwork. Choose another folder.")
        with staged(path, POLICY) as place:
            _write(policy, place)
            new = {each.name for each in place.iterdir()}
        for each in list(path.glob("encoder-*")):
            if each.name not in new and each.name.removeprefix("encoder-").isdecimal():
                remove(each)
    return path


def _write(policy: Acting, folder: Path) -> None:
    sees = policy.network.sees
    encoders = [
        own if isinstance(own, Encoder) else one.encoder for one, own in zip(sees.inputs, sees.encoders, strict=True)
    ]
    unique = list(dict.fromkeys(encoders))
    for at, encoder in enumerate(unique):
        (folder / f"encoder-{at}").mkdir()
        encoder.save_files(folder / f"encoder-{at}")
    tensors = {f"policy.{name}": value for name, value in policy.network.state_dict().items() if not _is_encoder(name)}
    for at, encoder in enumerate(unique):
        tensors |= {f"encoders.{at}.{name}": value for name, value in encoder.state_dict().items()}
    for one in sees.inputs:
        if one.places is not None:
            tensors |= {
                f"places.{one.name}.mean": one.places.mean,
                f"places.{one.name}.components": one.places.components,
            }
    for name, (mean, variance) in policy.scale.items():
        tensors |= {f"scale.{name}.mean": torch.from_numpy(np.asarray(mean, np.float64))}
        tensors |= {f"scale.{name}.variance": torch.from_numpy(np.asarray(variance, np.float64))}
    with replacing(folder / WEIGHTS) as temporary:
        write_tensors({name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}, temporary)
    told = _told(policy, [unique.index(encoder) for encoder in encoders])
    told["encoders"] = [named_entry(ARCHITECTURES, one.architecture) | {"config": one.config()} for one in unique]
    write_text(folder / POLICY, json.dumps(sealed(told | {"files": checksums(folder)}), ensure_ascii=False, indent=1))


def _told(policy: Acting, places: Sequence[int]) -> dict[str, Any]:
    """What policy.json says, encoders and files apart. places: by input, which of the encoders reads it."""
    network, fusion = policy.network, policy.network.sees.fusion
    return {
        "format": FORMAT,
        "graftwork": version("graftwork"),
        "about": dict(policy.about),
        "parts": observations.to_json(policy.reading.parts),
        "actions": policy.actions.to_json(),
        "inputs": [
            {
                "name": one.name,
                "parts": [part.name for part in one.parts],
                "encoder": at,
                "trained": one.trained,
                "places": one.places.count if one.places else 0,
            }
            for one, at in zip(network.sees.inputs, places, strict=True)
        ],
        "fusion": None if fusion is None else named_entry(FUSIONS, fusion.architecture) | fusion.config(),
        "network": {
            "hidden": list(network.hidden_widths),
            "activation": network.activation,
            "spread": network.spread,
        },
        "squashed": policy.squashed,
        "explore": policy.explore,
        "scaled": sorted(policy.scale),
    }


def _is_encoder(name: str) -> bool:
    return name.startswith("sees.encoders.")


def read_policy(folder: str | os.PathLike[str]) -> Acting:
    """The inverse of `write_policy`.

    Raises ModelError for a folder that is missing, foreign, half copied, damaged or of a newer version.
    """
    path = Path(folder)
    told = read_manifest(path)
    check_files(path, told)
    try:
        return _policy(path, told)
    except GraftworkError as error:
        raise ModelError(f"{path} is a damaged policy, or of another version: {error}") from None
    except DAMAGE as error:
        raise ModelError(f"{path} is a damaged policy: {what_is_damaged(error)}. Copy or learn it again.") from None


def _policy(path: Path, told: Mapping[str, Any]) -> Acting:
    weights = {name: tensor.clone() for name, tensor in load_file(inside(path, WEIGHTS)).items()}
    parts = observations.from_json(told["parts"])
    actions = Actions.from_json(told["actions"])
    by_name = {part.name: part for part in parts}
    _check_widths(told, parts, actions, weights)
    with bounded(path / POLICY, [inside(path, WEIGHTS)]):
        encoders = [restore_encoder(entry, path, at) for at, entry in enumerate(told["encoders"])]
        inputs = [
            BaseInput(
                one["name"], tuple(by_name[name] for name in one["parts"]), encoders[one["encoder"]], one["trained"]
            )
            for one in told["inputs"]
        ]
        for one, entry in zip(inputs, told["inputs"], strict=True):
            if entry["places"]:
                held = _group(weights, f"places.{one.name}.")
                one.places = Places(held["mean"], held["components"], entry["places"])
        reading = Reading(parts, inputs)
        fusion = None if told["fusion"] is None else restore_fusion(told["fusion"])
        entry = told["network"]
        if fusion is not None and fusion.widths != tuple(one.width for one in inputs):
            raise ValueError(f"its fusion reads widths of {fusion.widths}, and its inputs give others")
        sees = Seeing(reading.small, inputs, fusion)
        network = PolicyNetwork(sees, entry["hidden"], entry["activation"], actions.outputs, entry["spread"])
    for at, encoder in enumerate(encoders):
        encoder.load_state_dict(_group(weights, f"encoders.{at}."), assign=True)
        encoder.requires_grad_(False).eval()
    found = network.load_state_dict(_group(weights, "policy."), strict=False)
    lacking = [name for name in found.missing_keys if not _is_encoder(name)]
    if lacking or found.unexpected_keys:
        raise ValueError(f"its weights don't fit: {', '.join([*lacking, *found.unexpected_keys][:3])}")
    moments = {each: weights[each].numpy() for each in weights if each.startswith("scale.")}
    scale = {name: (moments[f"scale.{name}.mean"], moments[f"scale.{name}.variance"]) for name in told["scaled"]}
    return Acting(
        network=network.requires_grad_(False).eval(),
        reading=reading,
        actions=actions,
        squashed=told["squashed"],
        explore=told["explore"],
        scale=scale,
        about=told["about"],
    )


def _check_widths(
    told: Mapping[str, Any], parts: Sequence[observations.Part], actions: Actions, weights: Mapping[str, Tensor]
) -> None:
    """Raise ValueError for layers or parts of another size than the weights that are there for them."""
    hidden = told["network"]["hidden"]
    layers = [*(f"policy.hidden.{2 * at}.weight" for at in range(len(hidden))), "policy.head.weight"]
    for name, width in zip(layers, [*hidden, actions.outputs], strict=True):
        if len(weights[name]) != width:
            raise ValueError(f"a layer is {width} wide, and its weights are {len(weights[name])}")
    for part in parts:
        if not 1 <= part.length <= observations.MOST or min(part.shape, default=1) < 1:
            raise ValueError(f"the part '{part.name}' has the shape {part.shape}")


def _group(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}

"""The output of frozen blocks, computed once for every row and kept on disk, memory-mapped.

Keyed by the frozen weights, the depth, the precision and the rows' content, so it serves every later run on the same
base and data. A whole frozen encoder caches its features (width numbers a row); a partly frozen one caches hidden
states (a vector a token), unless they would fill the disk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from graftwork.core.examples import Cached, Examples, make_batch
from graftwork.core.technique import Technique
from graftwork.data import ragged
from graftwork.data.batch import Inputs
from graftwork.data.cache import digest, entry, limit_bytes, storing
from graftwork.data.samplers import sorted_batches
from graftwork.networks.encoder import Encoder
from graftwork.networks.network import Network, frozen_depth

FEATURES = "features.f32"
Watch = Callable[[int, int], None]
"""Called with rows done and rows in all."""
Keep = Callable[[np.ndarray, Inputs], None]


def cache_depths(network: Network, techniques: Sequence[Technique]) -> tuple[dict[str, int], list[str]]:
    """By input column, how many blocks can be cached (columns with none are left out), and who shortened it."""
    limits = [(technique.depth, technique.name) for technique in techniques if technique.depth is not None]
    depths, notes = {}, []
    for name in network.columns:
        encoder = network.encoder(name)
        depth = frozen_depth(encoder)
        for limit, technique in limits:
            if limit < depth:
                depth = limit
                notes.append(f"{technique} changes the input of block {limit} of {name}: the cache ends there")
        if depth < encoder.depth:
            depth = min(depth, encoder.deepest_start)
        if depth > 1:  # the embedding alone is cheaper to compute than to read
            depths[name] = depth
    return depths, notes


def build_cache(
    network: Network, examples: Examples, depths: Mapping[str, int], watch: Watch | None = None
) -> dict[str, Cached]:
    """The cached blocks of these rows, from disk where they were computed before."""
    stores = {}
    for name, depth in depths.items():
        encoder = network.encoder(name)
        whole = depth == encoder.depth
        if not whole and _state_bytes(examples, name, encoder, network) > limit_bytes() // 2:
            continue
        key = digest(examples.keys[name], _weights_digest(encoder, depth), str(depth), str(network.autocast))
        stores[name] = _stored(network, examples, name, depth, key, watch)
    return stores


def _stored(network: Network, examples: Examples, name: str, depth: int, key: str, watch: Watch | None) -> Cached:
    """The entry `key`, computed if it is not there; once more if another process prunes it at this very moment."""
    encoder = network.encoder(name)
    shape = (len(examples), encoder.width) if depth == encoder.depth else None
    for last in (False, True):
        folder = entry("frozen", key)
        if not folder.is_dir():
            with storing(folder):
                _compute(network, examples, name, depth, folder, watch)
        try:
            return _read(folder, depth, shape, network)
        except FileNotFoundError:
            shutil.rmtree(folder, ignore_errors=True)
            if last:
                raise
    raise AssertionError("unreachable")


def _read(folder: Path, depth: int, features: tuple[int, int] | None, network: Network) -> Cached:
    """features: shape of the features where the whole encoder is cached."""
    if features:
        return Cached(depth, np.memmap(folder / FEATURES, np.float32, mode="r", shape=features))
    return Cached(depth, ragged.read(folder), bf16=network.autocast == torch.bfloat16)


def _compute(network: Network, examples: Examples, name: str, depth: int, folder: Path, watch: Watch | None) -> None:
    partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    make = _features_writer if depth == network.encoder(name).depth else _states_writer
    try:
        _each_batch(network, examples, name, make(network, examples, name, depth, partial), watch)
        if not folder.is_dir():  # another process may have been quicker
            os.rename(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _features_writer(network: Network, examples: Examples, name: str, depth: int, folder: Path) -> Keep:  # noqa: ARG001
    encoder = network.encoder(name)
    path, shape = folder / FEATURES, (len(examples), encoder.width)
    ragged.reserve(path, 4 * shape[0] * shape[1])
    features = np.memmap(path, np.float32, mode="r+", shape=shape)

    def keep(indices: np.ndarray, inputs: Inputs) -> None:
        features[indices] = encoder(inputs).float().cpu().numpy()

    return keep


def _states_writer(network: Network, examples: Examples, name: str, depth: int, folder: Path) -> Keep:
    encoder, bf16 = network.encoder(name), network.autocast == torch.bfloat16
    lengths = examples.inputs[name].lengths
    store = ragged.allocate(folder, lengths, "int16" if bf16 else "float32", (encoder.hidden_width,))

    def keep(indices: np.ndarray, inputs: Inputs) -> None:
        states = encoder.states(inputs, depth)
        plain = states.bfloat16().view(torch.int16) if bf16 else states.float()
        for row, values in zip(indices, plain.cpu().numpy(), strict=True):
            start, stop = store.offsets[row], store.offsets[row + 1]
            store.values[start:stop] = values[: stop - start]

    return keep


def _each_batch(
    network: Network,
    examples: Examples,
    name: str,
    keep: Keep,
    watch: Watch | None,
) -> None:
    """Every row once, long rows first, in eval mode and without gradient."""
    done, training = 0, network.training
    network.eval()
    with torch.inference_mode(), network.precision():
        for indices in sorted_batches(examples.inputs[name].lengths, 1024, network.pass_tokens):
            batch = make_batch(examples, network, indices)
            keep(indices, batch.inputs[name])
            done += len(indices)
            if watch:
                watch(done, len(examples))
    network.train(training)


def _state_bytes(examples: Examples, name: str, encoder: Encoder, network: Network) -> int:
    size = 2 if network.autocast == torch.bfloat16 else 4
    return int(examples.inputs[name].offsets[-1]) * encoder.hidden_width * size


def _weights_digest(encoder: Encoder, depth: int) -> str:
    blocks = encoder.blocks()[:depth]
    tensors = [value for block in blocks for module in block for value in module.state_dict().values()]
    return digest(repr(encoder.config()), *(tensor.detach().cpu().contiguous().numpy() for tensor in tensors))

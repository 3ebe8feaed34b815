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
from graftwork.data.cache import cache_dir, digest, limit_bytes, storing
from graftwork.data.samplers import sorted_batches
from graftwork.networks.encoder import Encoder
from graftwork.networks.network import Network, frozen_depth

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
        if depth < encoder.depth and "sequence_blocks" not in encoder.facts:
            depth = 0
        if depth > 1:  # the embedding alone is cheaper to compute than to read
            depths[name] = depth
    return depths, notes


def build_cache(
    network: Network, examples: Examples, depths: Mapping[str, int], max_tokens: int, watch: Watch | None = None
) -> dict[str, Cached]:
    """The cached blocks of these rows, from disk where they were computed before."""
    stores = {}
    for name, depth in depths.items():
        encoder = network.encoder(name)
        whole = depth == encoder.depth
        if not whole and _state_bytes(examples, name, encoder, network) > limit_bytes() // 2:
            continue
        key = digest(examples.keys[name], _weights_digest(encoder, depth), str(depth), str(network.autocast))
        folder = cache_dir() / "frozen" / key
        if not folder.is_dir():
            with storing(folder):
                _compute(network, examples, name, depth, folder, max_tokens, watch)
        stores[name] = _read(folder, depth, whole, network)
    return stores


def _read(folder: Path, depth: int, whole: bool, network: Network) -> Cached:
    os.utime(folder)
    if whole:
        return Cached(depth, np.load(folder / "features.npy", mmap_mode="r"))
    return Cached(depth, ragged.read(folder), bf16=network.autocast == torch.bfloat16)


def _compute(
    network: Network, examples: Examples, name: str, depth: int, folder: Path, max_tokens: int, watch: Watch | None
) -> None:
    partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    make = _features_writer if depth == network.encoder(name).depth else _states_writer
    _each_batch(network, examples, name, max_tokens, make(network, examples, name, depth, partial), watch)
    os.rename(partial, folder)


def _features_writer(network: Network, examples: Examples, name: str, depth: int, folder: Path) -> Keep:  # noqa: ARG001
    encoder = network.encoder(name)
    shape = (len(examples), encoder.width)
    features = np.lib.format.open_memmap(folder / "features.npy", mode="w+", dtype=np.float32, shape=shape)

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
    max_tokens: int,
    keep: Keep,
    watch: Watch | None,
) -> None:
    """Every row once, long rows first, in eval mode and without gradient."""
    done, training = 0, network.training
    network.eval()
    with torch.inference_mode(), network.precision():
        for indices in sorted_batches(examples.inputs[name].lengths, 1024, max_tokens):
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
